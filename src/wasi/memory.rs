//! The guest's memory, as WASI's functions use it.
//!
//! What a guest passes is checked here before anything is read, allocated or written.

use super::abi::{Errno, PATH_MAX, get_u32};
use crate::linear_memory::{LinearMemory, fits};

/// The maximum number of buffers in one call.
const IOV_MAX: u32 = 1024;

/// The guest's memory. Every access is checked; one out of bounds is `EFAULT`.
pub(crate) struct WasiMemory<'a>(pub(crate) LinearMemory<'a>);

impl WasiMemory<'_> {
    /// Passes the `length` bytes at `ptr` to `f`.
    pub(crate) fn read<R>(&self, ptr: u32, length: u32, f: impl FnOnce(&[u8]) -> R) -> Result<R, Errno> {
        self.0.read(ptr.into(), length.into(), f).ok_or(Errno::Fault)
    }

    /// Passes the `length` bytes at `ptr` to `f`, in one piece or in parts: see [`LinearMemory::read_parts`].
    pub(crate) fn read_parts<E: From<Errno>>(
        &self,
        ptr: u32,
        length: u32,
        f: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0.read_parts(ptr.into(), length.into(), f).ok_or(Errno::Fault)?
    }

    /// Lets `f` write all of the `length` bytes at `ptr`, in one piece or in parts: see [`LinearMemory::write_parts`].
    pub(crate) fn write_parts<E: From<Errno>>(
        &mut self,
        ptr: u32,
        length: u32,
        f: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0.write_parts(ptr.into(), length.into(), f).ok_or(Errno::Fault)?
    }

    /// Lets `f` write to the front of the `length` bytes at `ptr`, and returns what it returns, the number of bytes written.
    pub(crate) fn write_front<E: From<Errno>>(
        &mut self,
        ptr: u32,
        length: u32,
        f: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        self.0.write_front(ptr.into(), length.into(), f).ok_or(Errno::Fault)?
    }

    /// Checks that the `length` bytes at `ptr` are in bounds.
    pub(crate) fn check(&self, ptr: u32, length: u32) -> Result<(), Errno> {
        if fits(ptr.into(), length.into(), self.0.size()) { Ok(()) } else { Err(Errno::Fault) }
    }

    pub(crate) fn write(&mut self, ptr: u32, bytes: &[u8]) -> Result<(), Errno> {
        self.0.write(ptr.into(), bytes).ok_or(Errno::Fault)
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
        let bytes = self.0.to_vec(ptr.into(), length.into()).ok_or(Errno::Fault)?;
        let text = String::from_utf8(bytes).map_err(|_| Errno::Ilseq)?;
        // No file has such a name, and C programs would see a shorter one.
        if text.contains('\0') { Err(Errno::Inval) } else { Ok(text) }
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
        let mut total = 0u32;
        let buffers = self.read(array, count.saturating_mul(8), |fields| {
            let buffers = fields.chunks_exact(8).map(|iovec| {
                let (ptr, length) = (get_u32(iovec, 0), get_u32(iovec, 4));
                self.check(ptr, length)?;
                total = total.checked_add(length).ok_or(Errno::Inval)?;
                Ok((ptr, length))
            });
            buffers.collect::<Result<Vec<_>, Errno>>()
        })??;
        Ok((buffers, total))
    }
}
