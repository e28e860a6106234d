//! Ranges of a memory, checked against its size.

use std::ops::Range;

use crate::error::Error;

#[inline]
pub(super) fn bounds(offset: u64, length: u64) -> Option<Range<usize>> {
    let end = offset.checked_add(length)?;
    Some(usize::try_from(offset).ok()?..usize::try_from(end).ok()?)
}

#[inline]
pub(super) fn slice(data: &[u8], offset: u64, length: u64) -> Option<&[u8]> {
    data.get(bounds(offset, length)?)
}

#[inline]
pub(super) fn slice_mut(data: &mut [u8], offset: u64, length: u64) -> Option<&mut [u8]> {
    data.get_mut(bounds(offset, length)?)
}

#[cold]
pub(super) fn out_of_range(what: &str, offset: u64, length: u64, size: usize) -> Error {
    Error::value(format!("cannot {what} {length} bytes at offset {offset}: the memory has {size} bytes"))
}

/// Fails unless the range fits. `what` is the verb for the message: `read` or `write`.
pub(super) fn check_range(what: &str, data: &[u8], offset: u64, length: u64) -> Result<(), Error> {
    match slice(data, offset, length) {
        Some(_) => Ok(()),
        None => Err(out_of_range(what, offset, length, data.len())),
    }
}

/// Checks a position that is not the start of a range. Fails if it is beyond the end of the memory.
pub(super) fn check_start(offset: u64, size: usize) -> Result<usize, Error> {
    match usize::try_from(offset) {
        Ok(at) if at <= size => Ok(at),
        _ => Err(out_of_range("read", offset, 0, size)),
    }
}
