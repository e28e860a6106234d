//! Ranges of bytes, and the memory's size.

use starlark::environment::MethodsBuilder;
use starlark::starlark_module;
use starlark::values::bytes::StarlarkBytes;
use starlark::values::none::{NoneOr, NoneType};
use starlark::values::{Heap, Value, ValueOfUnchecked};

use super::{Int, Memory, check_range, number, out_of_range};
use crate::api::convert;
use crate::error::Error;
use crate::linear_memory::LinearMemory;
use crate::module::given_memory_maximum;
use crate::wording::shown;

/// The methods on ranges of bytes.
#[starlark_module]
pub(super) fn methods(builder: &mut MethodsBuilder) {
    /// Grows the memory by `by` pages of 65,536 bytes and returns its previous size in pages.
    ///
    /// Fails, and leaves the size unchanged, if the new size exceeds the memory's maximum or a limit. Costs the same
    /// fuel as `memory.grow` in a guest.
    fn grow<'v>(this: &Memory<'v>, #[starlark(require = pos)] by: Int<'v>) -> starlark::Result<u64> {
        Ok(this.grow(convert::size(by.get(), "by")?)?)
    }

    /// Returns a copy of the `length` bytes at `offset`. It counts against the limit `heap`.
    fn read<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] offset: Int<'v>,
        #[starlark(require = pos)] length: Int<'v>,
    ) -> starlark::Result<StarlarkBytes> {
        let offset = convert::size(offset.get(), "offset")?;
        let length = convert::size(length.get(), "length")?;
        Ok(this.copy_range(offset, length, length, StarlarkBytes::new)?)
    }

    /// Writes `buffer` at `offset`. `buffer` is `bytes`, or an iterable of ints from 0 to 255, such as a list, tuple
    /// or range.
    ///
    /// Writes nothing if an item is invalid or the range does not fit. `bytes` are faster.
    fn write<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] offset: Int<'v>,
        #[starlark(require = pos)] buffer: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<NoneType> {
        let offset = convert::size(offset.get(), "offset")?;
        match convert::bytes(buffer) {
            Some(bytes) => this.write_range(offset, bytes.len() as u64, |data| data.write(offset, bytes))?,
            None => this.write_items(offset, buffer, heap)?,
        }
        Ok(NoneType)
    }

    /// Returns the size in pages of 65,536 bytes.
    fn size<'v>(this: &Memory<'v>) -> starlark::Result<u64> {
        Ok(this.owner.store()?.with(|context| this.memory.size(&context))?)
    }

    /// The maximum number of pages in the memory's type, or `None`.
    #[starlark(attribute)]
    fn maximum<'v>(this: &Memory<'v>) -> starlark::Result<NoneOr<u64>> {
        let ty = this.owner.store()?.with(|context| this.memory.ty(&context))?;
        Ok(NoneOr::from_option(ty.maximum().map(given_memory_maximum)))
    }

    /// The size in bytes. Works for any size, whereas `len(memory)` fails above 2,147,483,647.
    #[starlark(attribute)]
    fn byte_length<'v>(this: &Memory<'v>) -> starlark::Result<u64> {
        Ok(this.byte_length()?)
    }

    /// Sets `length` bytes at `ptr` to `byte`. Costs the same fuel as `memory.fill` in a guest.
    fn fill<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] byte: Int<'v>,
        #[starlark(require = pos)] length: Int<'v>,
    ) -> starlark::Result<NoneType> {
        let ptr = convert::size(ptr.get(), "ptr")?;
        let byte = number::byte(byte.get(), "byte")?;
        let length = convert::size(length.get(), "length")?;
        this.bulk(
            |size| check_range("write", size, ptr, length).map(|()| length),
            |mut data| {
                // Cannot be `None`: `check_range` has checked that it fits.
                let _ = data.fill(ptr, length, byte);
                Ok(NoneType)
            },
        )
        .map_err(Into::into)
    }

    /// Copies `length` bytes within the memory, from `src` to `dst`. The ranges may overlap. Costs the same fuel as
    /// `memory.copy` in a guest.
    fn copy<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] dst: Int<'v>,
        #[starlark(require = pos)] src: Int<'v>,
        #[starlark(require = pos)] length: Int<'v>,
    ) -> starlark::Result<NoneType> {
        let dst = convert::size(dst.get(), "dst")?;
        let src = convert::size(src.get(), "src")?;
        let length = convert::size(length.get(), "length")?;
        this.bulk(
            |size| {
                check_range("read", size, src, length)?;
                check_range("write", size, dst, length)?;
                Ok(length)
            },
            |mut data| {
                // Cannot be `None`: `check_range` has checked that both fit.
                let _ = data.copy_within(src, dst, length);
                Ok(NoneType)
            },
        )
        .map_err(Into::into)
    }

    /// Returns the offset of the first occurrence of `needle` between `start` (default 0) and `end` (default the end
    /// of the memory), or -1. Costs the same fuel as copying the searched range.
    fn find<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] needle: ValueOfUnchecked<'v, StarlarkBytes>,
        start: Option<Int<'v>>,
        end: Option<Int<'v>>,
    ) -> starlark::Result<i64> {
        let Some(needle) = convert::bytes(needle.get()) else {
            let got = convert::describe(needle.get());
            return Err(Error::value(format!("`needle` must be bytes, got {got}")).into());
        };
        let start = start.map_or(Ok(0), |s| convert::size(s.get(), "start"))?;
        let end = end.map(|e| convert::size(e.get(), "end")).transpose()?;
        let searched = |size: usize| {
            let size = size as u64;
            Ok(end.unwrap_or(size).min(size).saturating_sub(start))
        };
        let search = |data: LinearMemory<'_>| {
            let end = end.unwrap_or(data.size() as u64);
            let length = end.checked_sub(start);
            let Some(length) = length else {
                return Err(Error::value(format!("`start` ({start}) is after `end` ({end})")));
            };
            let Some(found) = data.find(start, length, needle) else {
                return Err(out_of_range("read", start, length, data.size()));
            };
            let at = found.map(|at| start.saturating_add(at));
            Ok(at.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1))
        };
        Ok(this.bulk(searched, search)?)
    }

    /// Returns the `length` bytes at `ptr` as lowercase hexadecimal digits, two per byte.
    fn read_hex<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] length: Int<'v>,
    ) -> starlark::Result<String> {
        let ptr = convert::size(ptr.get(), "ptr")?;
        let length = convert::size(length.get(), "length")?;
        Ok(this.copy_range(ptr, length, length.saturating_mul(2), hex)?)
    }

    /// Writes the bytes in `digits`, two hexadecimal digits each, at `ptr`, and returns their number.
    fn write_hex<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] digits: &str,
    ) -> starlark::Result<u64> {
        let ptr = convert::size(ptr.get(), "ptr")?;
        if let Some((at, found)) = digits.char_indices().find(|(_, c)| !c.is_ascii_hexdigit()) {
            let found = shown(&found.to_string());
            return Err(Error::value(format!("`digits` must be hexadecimal digits, got `{found}` at {at}")).into());
        }
        if !digits.len().is_multiple_of(2) {
            let message = format!("`digits` must have two hexadecimal digits per byte, got {} digits", digits.len());
            return Err(Error::value(message).into());
        }
        let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or_default();
        let byte = |pair: &[u8]| pair.iter().fold(0, |byte: u8, c| byte << 4 | digit(*c));
        let length = digits.len() as u64 / 2;
        let mut pairs = digits.as_bytes().chunks(2);
        this.write_parts(ptr, length, |to| {
            to.iter_mut().zip(&mut pairs).for_each(|(to, pair)| *to = byte(pair));
        })?;
        Ok(length)
    }

    /// Returns the `length` bytes at `ptr` as text for people: one line per sixteen bytes, with the offset, the bytes in
    /// hexadecimal, and the bytes as ASCII.
    fn hexdump<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] length: Int<'v>,
    ) -> starlark::Result<String> {
        let ptr = convert::size(ptr.get(), "ptr")?;
        let length = convert::size(length.get(), "length")?;
        Ok(this.copy_range(ptr, length, length.saturating_mul(5), |bytes| hexdump(ptr, bytes))?)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut out, byte| {
        out.extend([byte >> 4, byte & 15].map(|nibble| char::from_digit(nibble.into(), 16).unwrap_or('?')));
        out
    })
}

fn hexdump(start: u64, bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    let mut at = start;
    for line in bytes.chunks(16) {
        // Writing to a String cannot fail.
        let _ = write!(out, "{at:08x} ");
        for index in 0..16 {
            let gap = if index % 8 == 0 { " " } else { "" };
            let _ = match line.get(index) {
                Some(byte) => write!(out, "{gap}{byte:02x} "),
                None => write!(out, "{gap}   "),
            };
        }
        out.push_str(" |");
        out.extend(line.iter().map(|b| if (0x20..0x7f).contains(b) { char::from(*b) } else { '.' }));
        out.push_str("|\n");
        at = at.wrapping_add(16);
    }
    out
}
