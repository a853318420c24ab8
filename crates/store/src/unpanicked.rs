//! The boundary to the libraries that decode files.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Turns a panic over bytes that no writer would have left there into an error.
///
/// The libraries check what they read in most places and assert it in some. What is known of those
/// is checked before they come to it; this is for the rest. What `read` was working on is not to be
/// used again after an error.
pub(crate) fn unpanicked<T, E>(
    read: impl FnOnce() -> Result<T, E>,
    error: impl FnOnce(String) -> E,
) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("its bytes make no sense");
        Err(error(message.to_owned()))
    })
}
