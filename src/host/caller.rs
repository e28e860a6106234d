//! The guest that called a Rust import, and its memory.

use std::fmt;
use std::ops::Range;

use crate::api::host_module::MemorySlot;
use crate::api::scope::StoreData;
use crate::error::{Error, ErrorKind, TrapCode};

/// The instance that called an import of [`Sandbox::import`](crate::Sandbox::import).
pub struct Caller<'a>(Place<'a>);

/// Where the instance is.
enum Place<'a> {
    Here {
        inner: wasmi::Caller<'a, StoreData>,
        memory: &'a MemorySlot,
    },
    /// Inside of an isolated evaluator, with its memory, if it has one.
    #[cfg(feature = "isolated")]
    Isolated(Option<&'a mut [u8]>),
}

impl<'a> Caller<'a> {
    #[inline]
    pub(crate) fn new(inner: wasmi::Caller<'a, StoreData>, memory: &'a MemorySlot) -> Self {
        Self(Place::Here { inner, memory })
    }

    /// A guest of an isolated evaluator.
    #[cfg(feature = "isolated")]
    pub(crate) fn isolated(memory: Option<&'a mut [u8]>) -> Self {
        Self(Place::Isolated(memory))
    }

    /// Returns wasmi's own, where the guest runs in this process' wasmi.
    pub(super) fn inner_mut(&mut self) -> Option<&mut wasmi::Caller<'a, StoreData>> {
        match &mut self.0 {
            Place::Here { inner, .. } => Some(inner),
            #[cfg(feature = "isolated")]
            Place::Isolated(_) => None,
        }
    }

    /// Returns the handle of what `memory` would return, for the host to find it.
    #[cfg(feature = "core")]
    pub(crate) fn memory_handle(&self) -> Option<wasmi::Memory> {
        match &self.0 {
            Place::Here { inner, memory } => memory.of_caller(inner),
            #[cfg(feature = "isolated")]
            Place::Isolated(_) => None,
        }
    }

    /// Returns the guest's memory: the one that it exports as `memory`, otherwise the first that it imports or exports.
    ///
    /// # Errors
    ///
    /// If the guest has no memory.
    #[inline]
    pub fn memory(&mut self) -> Result<GuestMemory<'_>, Error> {
        let data: Option<&mut [u8]> = match &mut self.0 {
            #[cfg(not(feature = "core"))]
            Place::Here { inner, memory } => memory.of_caller(&*inner).map(|memory| memory.data_mut(inner)),
            // No import of an application runs in the evaluator of an isolated sandbox, where the memory is not.
            #[cfg(feature = "core")]
            Place::Here { .. } => None,
            #[cfg(feature = "isolated")]
            Place::Isolated(memory) => memory.as_deref_mut(),
        };
        let none = || Error::new(ErrorKind::Link, "the module that called this import has no memory");
        data.map(|data| GuestMemory { data }).ok_or_else(none)
    }
}

impl fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Caller")
    }
}

/// The linear memory of a guest, for as long as a Rust import runs.
///
/// Offsets and lengths are in bytes: a closure can pass on an argument that it takes as `u32`. A range outside the memory is an error.
/// If the import returns it, it becomes the guest's trap `memory-out-of-bounds`, since a pointer comes from the guest.
///
/// ```
/// use wasmlark::{Caller, Error, Sandbox};
///
/// let mut sandbox = Sandbox::new();
/// sandbox.import("env", "shout", |caller: &mut Caller<'_>, ptr: u32, len: u32| -> Result<(), Error> {
///     caller.memory()?.slice_mut(ptr, len)?.make_ascii_uppercase();
///     Ok(())
/// });
/// let script = r#"
/// guest = wasm.instantiate(wasm.wat('''(module
///     (import "env" "shout" (func $shout (param i32 i32)))
///     (memory (export "memory") 1)
///     (func (export "shout") (param i32 i32) (call $shout (local.get 0) (local.get 1))))'''))
/// guest.memory.write_string(10, 'hello')
/// guest.exports.shout(10, 4)
/// guest.memory.read_string(10, 5)
/// "#;
/// assert_eq!(sandbox.run("main.star", script)?.value.as_str(), Some("HELLo"));
/// # Ok::<(), Error>(())
/// ```
pub struct GuestMemory<'a> {
    data: &'a mut [u8],
}

impl GuestMemory<'_> {
    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        self.data.len() as u64
    }

    /// Returns the whole memory.
    pub fn data(&self) -> &[u8] {
        self.data
    }

    /// Returns the whole memory, for writing.
    pub fn data_mut(&mut self) -> &mut [u8] {
        self.data
    }

    /// Returns the `len` bytes at `ptr`.
    ///
    /// # Errors
    ///
    /// If they are not within the memory.
    #[inline]
    pub fn slice(&self, ptr: impl Into<u64>, len: impl Into<u64>) -> Result<&[u8], Error> {
        let (ptr, len) = (ptr.into(), len.into());
        let size = self.data.len();
        range(ptr, len).and_then(|range| self.data.get(range)).ok_or_else(|| out_of_bounds(ptr, len, size))
    }

    /// Returns the `len` bytes at `ptr`, for writing.
    ///
    /// # Errors
    ///
    /// As [`slice`](Self::slice).
    #[inline]
    pub fn slice_mut(&mut self, ptr: impl Into<u64>, len: impl Into<u64>) -> Result<&mut [u8], Error> {
        let (ptr, len) = (ptr.into(), len.into());
        let size = self.data.len();
        range(ptr, len).and_then(|range| self.data.get_mut(range)).ok_or_else(|| out_of_bounds(ptr, len, size))
    }

    /// Returns a copy of the `N` bytes at `ptr`, for `from_le_bytes` of a number.
    ///
    /// # Errors
    ///
    /// As [`slice`](Self::slice).
    #[inline]
    pub fn read<const N: usize>(&self, ptr: impl Into<u64>) -> Result<[u8; N], Error> {
        let ptr = ptr.into();
        let bytes = self.slice(ptr, N as u64)?;
        bytes.try_into().map_err(|_| out_of_bounds(ptr, N as u64, self.data.len()))
    }

    /// Writes `bytes` at `ptr`, all of them or none.
    ///
    /// # Errors
    ///
    /// As [`slice`](Self::slice).
    #[inline]
    pub fn write(&mut self, ptr: impl Into<u64>, bytes: &[u8]) -> Result<(), Error> {
        self.slice_mut(ptr, bytes.len() as u64)?.copy_from_slice(bytes);
        Ok(())
    }

    /// Returns the `len` bytes at `ptr` as text.
    ///
    /// # Errors
    ///
    /// As [`slice`](Self::slice); also if the bytes are not UTF-8.
    pub fn read_str(&self, ptr: impl Into<u64>, len: impl Into<u64>) -> Result<&str, Error> {
        let (ptr, len) = (ptr.into(), len.into());
        std::str::from_utf8(self.slice(ptr, len)?)
            .map_err(|error| Error::value(format!("the {len} bytes at {ptr} are not UTF-8: {error}")))
    }
}

#[inline]
fn range(ptr: u64, len: u64) -> Option<Range<usize>> {
    let end = usize::try_from(ptr.checked_add(len)?).ok()?;
    Some(usize::try_from(ptr).ok()?..end)
}

#[cold]
fn out_of_bounds(ptr: u64, len: u64, size: usize) -> Error {
    let code = TrapCode::MemoryOutOfBounds;
    let message = format!("wasm trap: {}: {len} bytes at {ptr} in a memory of {size} bytes", code.message());
    Error::new(ErrorKind::Trap(code), message)
}

impl fmt::Debug for GuestMemory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestMemory").field("size", &self.size()).finish()
    }
}
