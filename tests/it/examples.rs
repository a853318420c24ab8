//! The examples: each asserts its own figures and its digest, twice, in two processes.

use std::process::Command;

use crate::support::root;

fn run(example: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "examples", "--example", example])
        .current_dir(root())
        .output()
        .expect("cargo can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{example}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_example_gives_its_figures_and_its_digest_twice() {
    for example in ["custom_strategy", "custom_service"] {
        assert_eq!(run(example), run(example), "{example}");
    }
}
