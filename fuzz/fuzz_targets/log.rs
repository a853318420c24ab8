#![no_main]

use fuzz::{Limited, let_panics_unwind, mutate_sections};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

#[global_allocator]
static ALLOCATOR: Limited = Limited;

fuzz_target!(init: let_panics_unwind(), |bytes: &[u8]| {
    tests::hostile::log(bytes);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_sections(data, size, max_size, seed, fuzzer_mutate)
});
