//! Ranges of bytes, and the memory's size: the methods whose signatures are fixed, and their kin.

use starlark::environment::MethodsBuilder;
use starlark::starlark_module;
use starlark::values::bytes::StarlarkBytes;
use starlark::values::none::{NoneOr, NoneType};
use starlark::values::{Heap, Value, ValueOfUnchecked};

use super::{Int, Memory, bounds, number, out_of_range, slice};
use crate::api::convert;
use crate::error::Error;
use crate::module::given_memory_maximum;

/// The methods whose signatures are fixed, and those of whole ranges.
#[starlark_module]
pub(super) fn methods(builder: &mut MethodsBuilder) {
    /// Grows the memory by `by` pages of 65,536 bytes and returns its size in pages before.
    ///
    /// An error past the memory's maximum or a limit; then the size is unchanged. It costs the fuel
    /// that `memory.grow` costs a guest.
    fn grow<'v>(this: &Memory<'v>, #[starlark(require = pos)] by: Int<'v>) -> starlark::Result<u64> {
        Ok(this.grow(convert::size(by.get(), "by")?)?)
    }

    /// A copy of the `length` bytes at `offset`.
    fn read<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] offset: Int<'v>,
        #[starlark(require = pos)] length: Int<'v>,
    ) -> starlark::Result<StarlarkBytes> {
        let offset = convert::size(offset.get(), "offset")?;
        let length = convert::size(length.get(), "length")?;
        Ok(this.copy_range(offset, length, length, StarlarkBytes::new)?)
    }

    /// Copies `buffer` to `offset`: `bytes` in one copy; or a list, tuple, range or other iterable of
    /// ints from 0 to 255, of which nothing is written unless all are good.
    fn write<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] offset: Int<'v>,
        #[starlark(require = pos)] buffer: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<NoneType> {
        let offset = convert::size(offset.get(), "offset")?;
        match convert::bytes(buffer) {
            Some(bytes) => this.write_range(offset, bytes.len() as u64, |to| to.copy_from_slice(bytes))?,
            None => this.write_items(offset, buffer, heap)?,
        }
        Ok(NoneType)
    }

    /// The size in pages of 65,536 bytes.
    fn size<'v>(this: &Memory<'v>) -> starlark::Result<u64> {
        Ok(this.owner.store()?.with(|context| this.memory.size(&context))?)
    }

    /// The most pages that the memory's own type allows, or `None`.
    #[starlark(attribute)]
    fn maximum<'v>(this: &Memory<'v>) -> starlark::Result<NoneOr<u64>> {
        let ty = this.owner.store()?.with(|context| this.memory.ty(&context))?;
        Ok(NoneOr::from_option(ty.maximum().map(given_memory_maximum)))
    }

    /// The size in bytes: `len(memory)`, also where that is more than Starlark's `len` can return.
    #[starlark(attribute)]
    fn byte_length<'v>(this: &Memory<'v>) -> starlark::Result<u64> {
        Ok(this.byte_length()?)
    }

    /// Sets `length` bytes at `ptr` to `byte`. It costs the fuel that `memory.fill` costs a guest.
    fn fill<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] byte: Int<'v>,
        #[starlark(require = pos)] length: Int<'v>,
    ) -> starlark::Result<NoneType> {
        let ptr = convert::size(ptr.get(), "ptr")?;
        let byte = number::byte(byte.get(), "byte")?;
        let length = convert::size(length.get(), "length")?;
        // The range first: what cannot be done costs nothing.
        this.write_range(ptr, length, |_| ())?;
        this.charge(length)?;
        this.write_range(ptr, length, |to| to.fill(byte))?;
        Ok(NoneType)
    }

    /// Copies `length` bytes within the memory, from `src` to `dst`; the ranges may overlap. It costs
    /// the fuel that `memory.copy` costs a guest.
    fn copy<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] dst: Int<'v>,
        #[starlark(require = pos)] src: Int<'v>,
        #[starlark(require = pos)] length: Int<'v>,
    ) -> starlark::Result<NoneType> {
        let dst = convert::size(dst.get(), "dst")?;
        let src = convert::size(src.get(), "src")?;
        let length = convert::size(length.get(), "length")?;
        this.read_range(src, length, |_| ())?;
        this.write_range(dst, length, |_| ())?;
        this.charge(length)?;
        this.data_mut(|data| {
            // Both fit: they were looked at above.
            if let (Some(from), Some(to)) = (bounds(src, length), bounds(dst, length)) {
                data.copy_within(from, to.start);
            }
            Ok(())
        })?;
        Ok(NoneType)
    }

    /// The offset of the first place of `needle` from `start` on and before `end`, by default the
    /// memory's end; -1 for none. It costs fuel as a copy of what is searched does.
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
        let size = this.byte_length()?;
        let looked_at = end.unwrap_or(size).min(size).saturating_sub(start);
        this.charge(looked_at)?;
        Ok(this.data(|data| {
            let end = end.unwrap_or(data.len() as u64);
            let length = end.checked_sub(start);
            let Some(length) = length else {
                return Err(Error::value(format!("`start` ({start}) is after `end` ({end})")));
            };
            let Some(haystack) = slice(data, start, length) else {
                return Err(out_of_range("read", start, length, data.len()));
            };
            let found = memchr::memmem::find(haystack, needle).map(|at| start.saturating_add(at as u64));
            Ok(found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1))
        })?)
    }

    /// `length` bytes at `ptr` as hexadecimal digits, two for each byte: how hashes are written.
    fn read_hex<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] length: Int<'v>,
    ) -> starlark::Result<String> {
        let ptr = convert::size(ptr.get(), "ptr")?;
        let length = convert::size(length.get(), "length")?;
        Ok(this.copy_range(ptr, length, length.saturating_mul(2), hex)?)
    }

    /// `length` bytes at `ptr` as text for people: offset, sixteen bytes in hexadecimal, and as ASCII,
    /// a line for each sixteen.
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
