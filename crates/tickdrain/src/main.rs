//! The `tickdrain` command.

fn main() -> std::process::ExitCode {
    tickdrain::App::new().main()
}
