//! The one place where a panic of a format library is stopped.
//!
//! Libraries that read binary formats index into buffers under promises of the file. What can be checked before
//! is checked before; what is left must not take the server down, and becomes a refusal of the file.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Error, Result};

/// Runs a library's step over a file. After a panic the library's state is not used again: the caller gets an
/// error and drops it.
pub(crate) fn guarded<T>(file: &str, format: &'static str, step: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|_| {
        Err(Error::damaged(
            file,
            format,
            "it breaks a promise of its own headers; write it again and send that",
        ))
    })
}
