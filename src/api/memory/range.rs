//! Ranges of a memory, checked against its size.

use crate::error::Error;
use crate::linear_memory::fits;

#[cold]
pub(super) fn out_of_range(what: &str, offset: u64, length: u64, size: usize) -> Error {
    Error::value(format!("cannot {what} {length} bytes at offset {offset}: the memory has {size} bytes"))
}

/// Fails unless the range fits a memory of `size` bytes. `what` is the verb for the message: `read` or `write`.
pub(super) fn check_range(what: &str, size: usize, offset: u64, length: u64) -> Result<(), Error> {
    if fits(offset, length, size) { Ok(()) } else { Err(out_of_range(what, offset, length, size)) }
}
