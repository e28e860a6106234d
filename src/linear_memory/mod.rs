//! A guest's linear memory, by ranges.
//!
//! Where guests run in this process, a range is borrowed. In the evaluator of an isolated sandbox they run outside, in its
//! host: there a range is copied, once out or once in, and a long one in parts, so that no work takes more memory of the
//! evaluator's own than its result does.
//!
//! A range that does not fit is `None`, and nothing is read or written.

#[cfg(not(feature = "core"))]
mod borrowed;
#[cfg(feature = "core")]
mod copied;

use std::ops::Range;

#[cfg(not(feature = "core"))]
pub(crate) use borrowed::{LinearMemory, are_same, set_word, word};
#[cfg(feature = "core")]
pub(crate) use copied::{LinearMemory, are_same, set_word, word};

/// Returns the range if a host of this word size can count it. Whether it fits a memory is another question.
#[inline]
fn bounds(offset: u64, length: u64) -> Option<Range<usize>> {
    let end = offset.checked_add(length)?;
    Some(usize::try_from(offset).ok()?..usize::try_from(end).ok()?)
}

/// Returns whether a range fits a memory of `size` bytes.
#[inline]
pub(crate) fn fits(offset: u64, length: u64, size: usize) -> bool {
    bounds(offset, length).is_some_and(|range| range.end <= size)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
