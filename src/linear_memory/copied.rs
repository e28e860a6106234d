//! Ranges of a memory outside: copies. Each use of the memory is a call of the host.

use std::cell::OnceCell;

use wasmi::{AsContext, AsContextMut, Memory};

use super::{bounds, fits};

/// The most bytes that are copied at once, apart from those that a caller asks to see in one piece.
const PART: usize = 1 << 16;

/// The most bytes that a range may have to be copied on the stack.
const SHORT: usize = 16;

/// The bytes of a text that are copied before it is known where it ends.
const SHORT_TEXT: usize = 1 << 8;

/// The most bytes that may be copied for nothing: asking first whether they fit, or may be taken, costs more.
const CHEAP: u64 = 1 << 10;

/// The most bytes that one read from outside the process may write. Reads may always be shorter than what was asked for.
const FRONT: usize = 1 << 24;

/// Returns the `N` bytes at `at`.
#[inline]
pub(crate) fn word<const N: usize>(memory: Memory, context: &impl AsContext, at: u64) -> Option<[u8; N]> {
    let mut word = [0; N];
    memory.read(context, usize::try_from(at).ok()?, &mut word).ok()?;
    Some(word)
}

/// Writes `word` at `at`.
#[inline]
pub(crate) fn set_word<const N: usize>(
    memory: Memory,
    context: &mut impl AsContextMut,
    at: u64,
    word: [u8; N],
) -> Option<()> {
    memory.write(context, usize::try_from(at).ok()?, &word).ok()
}

/// Returns whether two memories are the same, if their addresses tell. They have none here.
pub(crate) fn are_same(_one: Memory, _other: Memory, _context: &impl AsContext) -> Option<bool> {
    None
}

/// A store, whatever its data are.
trait Context {
    fn size(&self, memory: Memory) -> usize;
    fn read(&self, memory: Memory, offset: usize, buffer: &mut [u8]) -> Option<()>;
    fn write(&mut self, memory: Memory, offset: usize, bytes: &[u8]) -> Option<()>;
}

impl<C: AsContextMut> Context for C {
    fn size(&self, memory: Memory) -> usize {
        memory.data_size(self)
    }

    fn read(&self, memory: Memory, offset: usize, buffer: &mut [u8]) -> Option<()> {
        memory.read(self, offset, buffer).ok()
    }

    fn write(&mut self, memory: Memory, offset: usize, bytes: &[u8]) -> Option<()> {
        memory.write(self, offset, bytes).ok()
    }
}

/// A memory, for as long as its store is held.
pub(crate) struct LinearMemory<'a> {
    place: Option<(Memory, &'a mut (dyn Context + 'a))>,
    /// Nothing can grow the memory while this holds the store.
    size: OnceCell<usize>,
}

impl<'a> LinearMemory<'a> {
    pub(crate) fn new(memory: Memory, context: &'a mut impl AsContextMut) -> Self {
        Self { place: Some((memory, context)), size: OnceCell::new() }
    }

    /// Makes a memory that only an empty range at its start fits.
    pub(crate) fn none() -> Self {
        Self { place: None, size: OnceCell::new() }
    }

    /// Returns the size in bytes.
    pub(crate) fn size(&self) -> usize {
        *self.size.get_or_init(|| self.place.as_ref().map_or(0, |(memory, context)| context.size(*memory)))
    }

    /// Passes a range to `f`.
    pub(crate) fn read<R>(&self, offset: u64, length: u64, f: impl FnOnce(&[u8]) -> R) -> Option<R> {
        if length > SHORT as u64 {
            return self.to_vec(offset, length).map(|bytes| f(&bytes));
        }
        let mut buffer = [0; SHORT];
        let bytes = buffer.get_mut(..usize::try_from(length).ok()?)?;
        self.copy(offset, bytes)?;
        Some(f(bytes))
    }

    /// Passes a range to `f`, once `allow` has allowed that as many bytes are taken. `outside` makes the error for a range that
    /// does not fit, from the size of the memory.
    pub(crate) fn take<R, E>(
        &self,
        offset: u64,
        length: u64,
        allow: impl FnOnce() -> Result<(), E>,
        f: impl FnOnce(&[u8]) -> R,
        outside: impl FnOnce(usize) -> E,
    ) -> Result<R, E> {
        if length <= CHEAP {
            let taken = self.read(offset, length, |bytes| allow().map(|()| f(bytes)));
            return taken.unwrap_or_else(|| Err(outside(self.size())));
        }
        if self.check(offset, length).is_none() {
            return Err(outside(self.size()));
        }
        allow()?;
        self.read(offset, length, f).ok_or_else(|| outside(self.size()))
    }

    /// Passes a range to `f`, in parts where it must be copied, until `f` fails. An empty range is one part.
    pub(crate) fn read_parts<E>(
        &self,
        offset: u64,
        length: u64,
        mut f: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        if length <= PART as u64 {
            return self.read(offset, length, f);
        }
        self.check(offset, length)?;
        let mut buffer = vec![0; PART];
        for (at, count) in parts(length, PART) {
            let part = buffer.get_mut(..count)?;
            self.copy(offset.checked_add(at)?, part)?;
            if let Err(error) = f(part) {
                return Some(Err(error));
            }
        }
        Some(Ok(()))
    }

    pub(crate) fn to_vec(&self, offset: u64, length: u64) -> Option<Vec<u8>> {
        if length > CHEAP {
            self.check(offset, length)?;
        }
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        self.copy(offset, &mut bytes)?;
        Some(bytes)
    }

    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) -> Option<()> {
        let range = bounds(offset, bytes.len() as u64)?;
        match &mut self.place {
            Some((memory, context)) => context.write(*memory, range.start, bytes),
            None => (range.end == 0).then_some(()),
        }
    }

    /// Lets `f` write all bytes of a range, in parts of an even length where they must be copied, until it fails. What it gets
    /// to see are not always the bytes that were there.
    pub(crate) fn write_parts<E>(
        &mut self,
        offset: u64,
        length: u64,
        mut f: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        self.check(offset, length)?;
        let mut buffer = vec![0; PART.min(usize::try_from(length).ok()?)];
        for (at, count) in parts(length, PART) {
            let part = buffer.get_mut(..count)?;
            if let Err(error) = f(part) {
                return Some(Err(error));
            }
            self.write(offset.checked_add(at)?, part)?;
        }
        Some(Ok(()))
    }

    /// Lets `f` write to the front of a range, and returns the number of bytes that it says it wrote.
    pub(crate) fn write_front<E>(
        &mut self,
        offset: u64,
        length: u64,
        f: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Option<Result<usize, E>> {
        self.check(offset, length)?;
        let mut buffer = vec![0; FRONT.min(usize::try_from(length).ok()?)];
        let written = match f(&mut buffer) {
            Ok(written) => written,
            Err(error) => return Some(Err(error)),
        };
        self.write(offset, buffer.get(..written).unwrap_or(&buffer))?;
        Some(Ok(written))
    }

    pub(crate) fn fill(&mut self, offset: u64, length: u64, byte: u8) -> Option<()> {
        self.check(offset, length)?;
        let buffer = vec![byte; PART.min(usize::try_from(length).ok()?)];
        parts(length, PART).try_for_each(|(at, count)| self.write(offset.checked_add(at)?, buffer.get(..count)?))
    }

    /// Copies a range within the memory.
    pub(crate) fn copy_within(&mut self, from: u64, to: u64, length: u64) -> Option<()> {
        self.check(from, length)?;
        self.check(to, length)?;
        let mut buffer = vec![0; PART.min(usize::try_from(length).ok()?)];
        let mut copy = |(at, count): (u64, usize)| {
            let part = buffer.get_mut(..count)?;
            self.copy(from.checked_add(at)?, part)?;
            self.write(to.checked_add(at)?, part)
        };
        // No part may be overwritten before it was read.
        if to <= from {
            return parts(length, PART).try_for_each(copy);
        }
        let mut end = length;
        while end > 0 {
            let at = end.saturating_sub(PART as u64);
            copy((at, usize::try_from(end.checked_sub(at)?).ok()?))?;
            end = at;
        }
        Some(())
    }

    /// Returns where `needle` begins in a range, counted from the start of the range.
    pub(crate) fn find(&self, offset: u64, length: u64, needle: &[u8]) -> Option<Option<u64>> {
        self.check(offset, length)?;
        if needle.is_empty() || needle.len() as u64 > length {
            return Some(needle.is_empty().then_some(0));
        }
        let finder = memchr::memmem::Finder::new(needle);
        // The end of each part is searched again with the next one, into which a needle may reach. With parts shorter than
        // that, most of the work would be done again.
        let overlap = needle.len().saturating_sub(1);
        let mut window: Vec<u8> = Vec::new();
        for (at, count) in parts(length, PART.max(needle.len())) {
            let kept = window.len().min(overlap);
            window.drain(..window.len().saturating_sub(kept));
            window.resize(kept.checked_add(count)?, 0);
            self.copy(offset.checked_add(at)?, window.get_mut(kept..)?)?;
            if let Some(found) = finder.find(&window) {
                return Some(Some(at.checked_sub(kept as u64)?.checked_add(found as u64)?));
            }
        }
        Some(None)
    }

    /// Passes to `f` the bytes of a range that come before the first NUL. `None` also if there is no NUL.
    pub(crate) fn read_to_nul<R>(&self, offset: u64, length: u64, f: impl FnOnce(&[u8]) -> R) -> Option<R> {
        self.check(offset, length)?;
        // Most texts are short, and are copied once.
        let mut buffer = vec![0; SHORT_TEXT.min(usize::try_from(length).ok()?)];
        let mut at = 0u64;
        while at < length {
            let count = usize::try_from(length.checked_sub(at)?).unwrap_or(PART).min(buffer.len());
            let part = buffer.get_mut(..count)?;
            self.copy(offset.checked_add(at)?, part)?;
            match memchr::memchr(0, part) {
                Some(end) if at == 0 => return part.get(..end).map(f),
                Some(end) => return self.read(offset, at.checked_add(end as u64)?, f),
                None => at = at.checked_add(count as u64)?,
            }
            buffer.resize(buffer.len().saturating_mul(4).min(PART), 0);
        }
        None
    }

    fn check(&self, offset: u64, length: u64) -> Option<()> {
        fits(offset, length, self.size()).then_some(())
    }

    /// Copies bytes out.
    fn copy(&self, offset: u64, buffer: &mut [u8]) -> Option<()> {
        let range = bounds(offset, buffer.len() as u64)?;
        match &self.place {
            Some((memory, context)) => context.read(*memory, range.start, buffer),
            None => (range.end == 0).then_some(()),
        }
    }
}

/// Returns the parts of `length` bytes: where each begins, and how long it is, which is `part` except for the last.
fn parts(length: u64, part: usize) -> impl Iterator<Item = (u64, usize)> {
    (0..length).step_by(part).map(move |at| {
        let left = length.saturating_sub(at);
        (at, usize::try_from(left).unwrap_or(part).min(part))
    })
}
