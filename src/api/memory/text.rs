//! Text in memory: UTF-8 of a given length or up to a NUL, and UTF-16.

use starlark::environment::MethodsBuilder;
use starlark::starlark_module;
use starlark::values::{Heap, Value, ValueOfUnchecked};

use super::{Int, Memory, out_of_range};
use crate::api::convert::{self, int};
use crate::error::Error;
use crate::fuel::BYTES_PER_FUEL;

fn utf8(bytes: &[u8], at: u64) -> Result<&str, Error> {
    std::str::from_utf8(bytes)
        .map_err(|e| Error::value(format!("invalid UTF-8 at offset {}", at.saturating_add(e.valid_up_to() as u64))))
}

fn utf16(bytes: &[u8], mut at: u64) -> Result<String, Error> {
    let units = bytes.chunks_exact(2).map(|pair| pair.iter().rev().fold(0, |unit, b| unit << 8 | u16::from(*b)));
    let mut out = String::new();
    for decoded in char::decode_utf16(units) {
        let c = decoded.map_err(|_| Error::value(format!("invalid UTF-16 at offset {at}: an unpaired surrogate")))?;
        at = at.saturating_add(2 * c.len_utf16() as u64);
        out.push(c);
    }
    Ok(out)
}

fn text<'v>(s: Value<'v>) -> Result<&'v str, Error> {
    s.unpack_str().ok_or_else(|| Error::value(format!("`s` must be a str, got {}", convert::describe(s))))
}

/// The methods of text.
#[starlark_module]
pub(super) fn methods(builder: &mut MethodsBuilder) {
    /// Returns the UTF-8 text from `ptr` up to the first NUL, without the NUL. Scans at most `max_len` bytes (default
    /// 4096).
    ///
    /// Fails if they contain no NUL, or on invalid UTF-8.
    fn read_cstring<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = named)] max_len: Option<Int<'v>>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let ptr = convert::size(ptr.get(), "ptr")?;
        let max_len = max_len.map_or(Ok(4096), |m| convert::size(m.get(), "max_len"))?;
        if max_len == 0 {
            return Err(Error::value("`max_len` is 0, which leaves no bytes to search for a NUL").into());
        }
        Ok(this.data(|_, data| {
            let size = data.size() as u64;
            let Some(rest) = size.checked_sub(ptr) else {
                return Err(out_of_range("read", ptr, 0, data.size()));
            };
            let read = |bytes: &[u8]| utf8(bytes, ptr).map(|s| heap.alloc(s));
            match data.read_to_nul(ptr, rest.min(max_len), read) {
                Some(text) => text,
                None => Err(Error::value(if rest >= max_len {
                    format!("no NUL within {max_len} bytes of offset {ptr}; `max_len` sets how far to look")
                } else {
                    format!("no NUL from offset {ptr} to the end of the memory, at {size} bytes")
                })),
            }
        })?)
    }

    /// Returns the `len` bytes at `ptr` as text. Fails on invalid UTF-8.
    fn read_string<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] len: Int<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let ptr = convert::size(ptr.get(), "ptr")?;
        let len = convert::size(len.get(), "len")?;
        Ok(this.read_range(ptr, len, |bytes| utf8(bytes, ptr).map(|s| heap.alloc(s)))??)
    }

    /// Writes `s` at `ptr` as UTF-8, without a NUL, and returns the number of bytes written. That is `len(bytes(s))`,
    /// not `len(s)`, which counts characters.
    fn write_string<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] s: ValueOfUnchecked<'v, String>,
        heap: Heap<'v>,
    ) -> starlark::Result<ValueOfUnchecked<'v, i64>> {
        let ptr = convert::size(ptr.get(), "ptr")?;
        let bytes = text(s.get())?.as_bytes();
        this.write_range(ptr, bytes.len() as u64, |data| data.write(ptr, bytes))?;
        Ok(ValueOfUnchecked::new(int(bytes.len() as u64, heap)))
    }

    /// Writes `s` at `ptr` as UTF-8, followed by a NUL, and returns the number of bytes written, including the NUL.
    /// Fails if `s` contains a NUL.
    fn write_cstring<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] s: ValueOfUnchecked<'v, String>,
    ) -> starlark::Result<u64> {
        let ptr = convert::size(ptr.get(), "ptr")?;
        let bytes = text(s.get())?.as_bytes();
        if let Some(at) = memchr::memchr(0, bytes) {
            return Err(Error::value(format!("`s` has a NUL at byte {at}, where a C string would end")).into());
        }
        let length = (bytes.len() as u64).saturating_add(1);
        let mut rest = bytes;
        this.write_parts(ptr, length, |to| {
            let (part, left) = rest.split_at(to.len().min(rest.len()));
            let (text, nul) = to.split_at_mut(part.len());
            text.copy_from_slice(part);
            nul.fill(0);
            rest = left;
        })?;
        Ok(length)
    }

    /// Returns the `length` code units (of two bytes) at `ptr`, decoded as UTF-16. Fails on an unpaired surrogate.
    fn read_utf16<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] length: Int<'v>,
    ) -> starlark::Result<String> {
        let ptr = convert::size(ptr.get(), "ptr")?;
        let length = convert::size(length.get(), "length")?;
        let length = length.saturating_mul(2);
        Ok(this.copy_range(ptr, length, length, |bytes| utf16(bytes, ptr))??)
    }

    /// Writes `s` at `ptr` as UTF-16, without a NUL, and returns the number of code units (of two bytes) written.
    fn write_utf16<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] s: ValueOfUnchecked<'v, String>,
    ) -> starlark::Result<u64> {
        let ptr = convert::size(ptr.get(), "ptr")?;
        let s = text(s.get())?;
        this.owner.store()?.charge(s.len() as u64 / BYTES_PER_FUEL)?;
        let units = s.encode_utf16().count() as u64;
        let mut rest = s.encode_utf16();
        this.write_parts(ptr, units.saturating_mul(2), |to| {
            for (to, unit) in to.chunks_exact_mut(2).zip(&mut rest) {
                to.copy_from_slice(&unit.to_le_bytes());
            }
        })?;
        Ok(units)
    }
}
