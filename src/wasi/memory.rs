//! The guest's memory, as WASI's functions use it.
//!
//! What a guest passes is checked here before anything is read, allocated or written.

use std::ops::Range;

use super::abi::{Errno, PATH_MAX, get_u32};

/// The maximum number of buffers in one call.
const IOV_MAX: u32 = 1024;

/// The guest's memory. Every access is checked; one out of bounds is `EFAULT`.
pub(crate) struct WasiMemory<'a>(pub(crate) &'a mut [u8]);

impl WasiMemory<'_> {
    /// Returns the `length` bytes at `ptr`.
    pub(crate) fn bytes(&self, ptr: u32, length: u32) -> Result<&[u8], Errno> {
        range(ptr, length).and_then(|range| self.0.get(range)).ok_or(Errno::Fault)
    }

    /// Returns the `length` bytes at `ptr`, for writing.
    pub(crate) fn bytes_mut(&mut self, ptr: u32, length: u32) -> Result<&mut [u8], Errno> {
        range(ptr, length).and_then(|range| self.0.get_mut(range)).ok_or(Errno::Fault)
    }

    /// Checks that the `length` bytes at `ptr` are in bounds.
    pub(crate) fn check(&self, ptr: u32, length: u32) -> Result<(), Errno> {
        self.bytes(ptr, length).map(drop)
    }

    pub(crate) fn write(&mut self, ptr: u32, bytes: &[u8]) -> Result<(), Errno> {
        let length = u32::try_from(bytes.len()).map_err(|_| Errno::Fault)?;
        self.bytes_mut(ptr, length)?.copy_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn write_u32(&mut self, ptr: u32, value: u32) -> Result<(), Errno> {
        self.write(ptr, &value.to_le_bytes())
    }

    pub(crate) fn write_u64(&mut self, ptr: u32, value: u64) -> Result<(), Errno> {
        self.write(ptr, &value.to_le_bytes())
    }

    /// Returns a path or name as UTF-8; `EILSEQ` if it is not.
    pub(crate) fn text(&self, ptr: u32, length: u32) -> Result<String, Errno> {
        // Path resolution refuses longer ones, so none is copied here.
        if length > PATH_MAX {
            self.check(ptr, length)?;
            return Err(Errno::Nametoolong);
        }
        let text = std::str::from_utf8(self.bytes(ptr, length)?).map_err(|_| Errno::Ilseq)?;
        // No file has such a name, and C programs would see a shorter one.
        if text.contains('\0') { Err(Errno::Inval) } else { Ok(text.to_owned()) }
    }

    /// Returns the buffers in an array of `iovec`s as `(pointer, length)`, each of them checked, and the sum of their
    /// lengths. More than 1,024 of them, or a sum beyond 32 bits, is `EINVAL`.
    ///
    /// ```text
    ///      array                          array + 8
    ///      │ buf: u32 │ buf_len: u32 │    │ buf: u32 │ buf_len: u32 │ …
    /// ```
    pub(crate) fn buffers(&self, array: u32, count: u32) -> Result<(Vec<(u32, u32)>, u32), Errno> {
        if count > IOV_MAX {
            return Err(Errno::Inval);
        }
        let fields = self.bytes(array, count.saturating_mul(8))?;
        let mut total = 0u32;
        let buffers = fields.chunks_exact(8).map(|iovec| {
            let (ptr, length) = (get_u32(iovec, 0), get_u32(iovec, 4));
            self.check(ptr, length)?;
            total = total.checked_add(length).ok_or(Errno::Inval)?;
            Ok((ptr, length))
        });
        let buffers = buffers.collect::<Result<Vec<_>, Errno>>()?;
        Ok((buffers, total))
    }
}

fn range(ptr: u32, length: u32) -> Option<Range<usize>> {
    let start = usize::try_from(ptr).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    Some(start..end)
}
