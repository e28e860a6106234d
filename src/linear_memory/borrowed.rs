//! Ranges of a memory in this process: slices of it.

use wasmi::{AsContext, AsContextMut, Memory};

use super::bounds;

/// Returns the `N` bytes at `at`. The compiler knows `N`, so that a read is a comparison and a load.
#[inline(always)]
pub(crate) fn word<const N: usize>(memory: Memory, context: &impl AsContext, at: u64) -> Option<[u8; N]> {
    let rest = usize::try_from(at).ok().and_then(|at| memory.data(context.as_context()).get(at..));
    rest?.first_chunk().copied()
}

/// Writes `word` at `at`.
#[inline(always)]
pub(crate) fn set_word<const N: usize>(
    memory: Memory,
    context: &mut impl AsContextMut,
    at: u64,
    word: [u8; N],
) -> Option<()> {
    let data = memory.data_mut(context.as_context_mut());
    let rest = usize::try_from(at).ok().and_then(|at| data.get_mut(at..));
    *rest?.first_chunk_mut()? = word;
    Some(())
}

/// Returns whether two memories are the same, if their addresses tell, as those of empty ones do not.
pub(crate) fn are_same(one: Memory, other: Memory, context: &impl AsContext) -> Option<bool> {
    let (one, other) = (one.data(context.as_context()), other.data(context.as_context()));
    (!one.is_empty() && !other.is_empty()).then(|| std::ptr::eq(one.as_ptr(), other.as_ptr()))
}

/// A memory, for as long as its store is held.
pub(crate) struct LinearMemory<'a>(&'a mut [u8]);

impl<'a> LinearMemory<'a> {
    #[inline(always)]
    pub(crate) fn new(memory: Memory, context: &'a mut impl AsContextMut<Data: 'a>) -> Self {
        Self(memory.data_mut(context.as_context_mut()))
    }

    /// Makes a memory that only an empty range at its start fits.
    pub(crate) fn none() -> Self {
        Self(&mut [])
    }

    /// Returns the size in bytes.
    #[inline(always)]
    pub(crate) fn size(&self) -> usize {
        self.0.len()
    }

    /// Passes a range to `f`.
    #[inline(always)]
    pub(crate) fn read<R>(&self, offset: u64, length: u64, f: impl FnOnce(&[u8]) -> R) -> Option<R> {
        self.get(offset, length).map(f)
    }

    /// Passes a range to `f`, once `allow` has allowed that as many bytes are taken. `outside` makes the error for a range that
    /// does not fit, from the size of the memory.
    #[inline(always)]
    pub(crate) fn take<R, E>(
        &self,
        offset: u64,
        length: u64,
        allow: impl FnOnce() -> Result<(), E>,
        f: impl FnOnce(&[u8]) -> R,
        outside: impl FnOnce(usize) -> E,
    ) -> Result<R, E> {
        match self.get(offset, length) {
            Some(bytes) => allow().map(|()| f(bytes)),
            None => Err(outside(self.size())),
        }
    }

    /// Passes a range to `f`, in parts where it must be copied, until `f` fails. An empty range is one part.
    #[inline(always)]
    pub(crate) fn read_parts<E>(
        &self,
        offset: u64,
        length: u64,
        f: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        self.get(offset, length).map(f)
    }

    pub(crate) fn to_vec(&self, offset: u64, length: u64) -> Option<Vec<u8>> {
        self.get(offset, length).map(<[u8]>::to_vec)
    }

    #[inline(always)]
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) -> Option<()> {
        self.get_mut(offset, bytes.len() as u64)?.copy_from_slice(bytes);
        Some(())
    }

    /// Lets `f` write all bytes of a range, in parts of an even length where they must be copied, until it fails. What it gets
    /// to see are not always the bytes that were there.
    #[inline(always)]
    pub(crate) fn write_parts<E>(
        &mut self,
        offset: u64,
        length: u64,
        f: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        self.get_mut(offset, length).map(f)
    }

    /// Lets `f` write to the front of a range, and returns the number of bytes that it says it wrote.
    #[inline(always)]
    pub(crate) fn write_front<E>(
        &mut self,
        offset: u64,
        length: u64,
        f: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Option<Result<usize, E>> {
        self.get_mut(offset, length).map(f)
    }

    pub(crate) fn fill(&mut self, offset: u64, length: u64, byte: u8) -> Option<()> {
        self.get_mut(offset, length)?.fill(byte);
        Some(())
    }

    /// Copies a range within the memory.
    pub(crate) fn copy_within(&mut self, from: u64, to: u64, length: u64) -> Option<()> {
        let (from, to) = (bounds(from, length)?, bounds(to, length)?);
        if from.end.max(to.end) > self.0.len() {
            return None;
        }
        self.0.copy_within(from, to.start);
        Some(())
    }

    /// Returns where `needle` begins in a range, counted from the start of the range.
    pub(crate) fn find(&self, offset: u64, length: u64, needle: &[u8]) -> Option<Option<u64>> {
        self.read(offset, length, |bytes| memchr::memmem::find(bytes, needle).map(|at| at as u64))
    }

    /// Passes to `f` the bytes of a range that come before the first NUL. `None` also if there is no NUL.
    #[inline(always)]
    pub(crate) fn read_to_nul<R>(&self, offset: u64, length: u64, f: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let bytes = self.get(offset, length)?;
        memchr::memchr(0, bytes).and_then(|end| bytes.get(..end)).map(f)
    }

    #[inline(always)]
    fn get(&self, offset: u64, length: u64) -> Option<&[u8]> {
        self.0.get(bounds(offset, length)?)
    }

    #[inline(always)]
    fn get_mut(&mut self, offset: u64, length: u64) -> Option<&mut [u8]> {
        self.0.get_mut(bounds(offset, length)?)
    }
}
