//! Standard output.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _};
use std::process;

use super::complaint;
use crate::error::exit;

/// Prints a line to standard output, as `println!` does, but never panics.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::stdout::line(format_args!($($text)*))
    };
}

/// One line on standard output.
///
/// A reader that has seen enough (`tickdrain … | head`) is no fault. Where the line cannot be
/// written for another reason the program ends: what was asked for cannot be had.
pub(super) fn line(text: Arguments<'_>) {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            complaint::line(&format!("error[IO-STDOUT]: cannot print: {error}"));
            process::exit(i32::from(exit::IO));
        }
        Ok(()) | Err(_) => {}
    }
}
