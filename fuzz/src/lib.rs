//! What the targets share: a limit on memory that counts every byte, and a panic that only ends
//! what it has to.

mod mutation;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

pub use mutation::mutate_sections;

/// Most bytes that one allocation may have, and all of them together.
const ONE_MAX: usize = 256 << 20;
const ALL_MAX: usize = 512 << 20;

/// The system's allocator, which ends the process where a reader asks for too much.
#[derive(Debug)]
pub struct Limited;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

impl Limited {
    fn take(size: usize) {
        let all = IN_USE.fetch_add(size, Ordering::Relaxed) + size;
        if size > ONE_MAX || all > ALL_MAX {
            IN_USE.store(0, Ordering::Relaxed);
            // A backtrace needs memory itself, which there is again.
            eprintln!(
                "{size} bytes asked for, {all} in use\n{}",
                std::backtrace::Backtrace::force_capture()
            );
            std::process::abort();
        }
    }
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::take(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::take(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::take(size);
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Lets a panic that is caught be caught, as it is in the command.
///
/// The fuzzer would end the process in the panic hook, before anything can catch it. One that is not
/// caught still ends it. Nothing is said of those of the libraries that decode: they are caught, and
/// there are many of them.
pub fn let_panics_unwind() {
    std::panic::set_hook(Box::new(|panic| {
        let is_decoder = |file: &str| file.contains("/parquet-") || file.contains("/arrow-");
        if !panic.location().is_some_and(|place| is_decoder(place.file())) {
            eprintln!("{panic}\n{}", std::backtrace::Backtrace::force_capture());
        }
    }));
}
