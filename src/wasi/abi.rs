//! The binary interface: error numbers, rights, flags, and the fields of structs.
//!
//! Numbers and layouts are those of the [specification]; all is little-endian.
//!
//! [specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md

use crate::error::Error;

/// Which of the two interfaces a function was imported from. They differ in the numbers of `whence`,
/// and in the layouts of `filestat` and of a clock's `subscription`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abi {
    /// `wasi_snapshot_preview1`.
    Preview1,
    /// `wasi_unstable`, snapshot 0.
    Unstable,
}

impl Abi {
    /// Returns the interface that an import's module name stands for.
    pub(crate) fn from_module(module: &str) -> Option<Self> {
        match module {
            "wasi_snapshot_preview1" => Some(Self::Preview1),
            "wasi_unstable" => Some(Self::Unstable),
            _ => None,
        }
    }
}

/// Why a function failed, as the guest sees it: the error numbers that this implementation returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Errno {
    Badf = 8,
    Exist = 20,
    Fault = 21,
    Ilseq = 25,
    Inval = 28,
    Io = 29,
    Isdir = 31,
    Loop = 32,
    Mfile = 33,
    Nametoolong = 37,
    Noent = 44,
    Nospc = 51,
    Nosys = 52,
    Notdir = 54,
    Notempty = 55,
    Notsock = 57,
    Overflow = 61,
    Perm = 63,
    Pipe = 64,
    Spipe = 70,
    Notcapable = 76,
}

/// Why a function does not return to the guest with success.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The function returns this number.
    Errno(Errno),
    /// The guest ends itself.
    Exit(i32),
    /// The work costs more fuel than is left.
    OutOfFuel,
    /// A limit of the sandbox, or a file that the host cannot read, ends the run.
    Ended(Error),
}

impl From<Errno> for Fault {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ended(error)
    }
}

pub(crate) type WasiResult<T = ()> = Result<T, Fault>;

/// What a descriptor may be used for, one bit each.
pub(crate) mod rights {
    pub(crate) const FD_DATASYNC: u64 = 1 << 0;
    pub(crate) const FD_READ: u64 = 1 << 1;
    pub(crate) const FD_SEEK: u64 = 1 << 2;
    pub(crate) const FD_FDSTAT_SET_FLAGS: u64 = 1 << 3;
    pub(crate) const FD_SYNC: u64 = 1 << 4;
    pub(crate) const FD_TELL: u64 = 1 << 5;
    pub(crate) const FD_WRITE: u64 = 1 << 6;
    pub(crate) const FD_ADVISE: u64 = 1 << 7;
    pub(crate) const FD_ALLOCATE: u64 = 1 << 8;
    pub(crate) const PATH_CREATE_DIRECTORY: u64 = 1 << 9;
    pub(crate) const PATH_CREATE_FILE: u64 = 1 << 10;
    pub(crate) const PATH_LINK_SOURCE: u64 = 1 << 11;
    pub(crate) const PATH_LINK_TARGET: u64 = 1 << 12;
    pub(crate) const PATH_OPEN: u64 = 1 << 13;
    pub(crate) const FD_READDIR: u64 = 1 << 14;
    pub(crate) const PATH_READLINK: u64 = 1 << 15;
    pub(crate) const PATH_RENAME_SOURCE: u64 = 1 << 16;
    pub(crate) const PATH_RENAME_TARGET: u64 = 1 << 17;
    pub(crate) const PATH_FILESTAT_GET: u64 = 1 << 18;
    pub(crate) const PATH_FILESTAT_SET_SIZE: u64 = 1 << 19;
    pub(crate) const PATH_FILESTAT_SET_TIMES: u64 = 1 << 20;
    pub(crate) const FD_FILESTAT_GET: u64 = 1 << 21;
    pub(crate) const FD_FILESTAT_SET_SIZE: u64 = 1 << 22;
    pub(crate) const FD_FILESTAT_SET_TIMES: u64 = 1 << 23;
    pub(crate) const PATH_SYMLINK: u64 = 1 << 24;
    pub(crate) const PATH_REMOVE_DIRECTORY: u64 = 1 << 25;
    pub(crate) const PATH_UNLINK_FILE: u64 = 1 << 26;
    pub(crate) const POLL_FD_READWRITE: u64 = 1 << 27;

    /// All that the specification defines. Guests ask for more bits, which are dropped.
    pub(crate) const ALL: u64 = (1 << 30) - 1;
    /// The rights that make sense for a regular file.
    pub(crate) const FILE: u64 = FD_DATASYNC
        | FD_READ
        | FD_SEEK
        | FD_FDSTAT_SET_FLAGS
        | FD_SYNC
        | FD_TELL
        | FD_WRITE
        | FD_ADVISE
        | FD_ALLOCATE
        | FD_FILESTAT_GET
        | FD_FILESTAT_SET_SIZE
        | FD_FILESTAT_SET_TIMES
        | POLL_FD_READWRITE;
    /// The rights that make sense for a directory.
    pub(crate) const DIRECTORY: u64 = FD_FDSTAT_SET_FLAGS
        | FD_SYNC
        | FD_DATASYNC
        | FD_ADVISE
        | FD_READDIR
        | FD_FILESTAT_GET
        | FD_FILESTAT_SET_TIMES
        | PATH_CREATE_DIRECTORY
        | PATH_CREATE_FILE
        | PATH_LINK_SOURCE
        | PATH_LINK_TARGET
        | PATH_OPEN
        | PATH_READLINK
        | PATH_RENAME_SOURCE
        | PATH_RENAME_TARGET
        | PATH_FILESTAT_GET
        | PATH_FILESTAT_SET_SIZE
        | PATH_FILESTAT_SET_TIMES
        | PATH_SYMLINK
        | PATH_REMOVE_DIRECTORY
        | PATH_UNLINK_FILE;
    /// The rights of the standard streams, besides the one to read or write.
    pub(crate) const STREAM: u64 = FD_FDSTAT_SET_FLAGS | FD_SYNC | FD_DATASYNC | FD_FILESTAT_GET | POLL_FD_READWRITE;
}

/// What a descriptor or a directory entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Filetype {
    /// The standard streams. They are not terminals, for which programs would write colours, and not files.
    Unknown = 0,
    Directory = 3,
    RegularFile = 4,
    SymbolicLink = 7,
}

pub(crate) mod fdflags {
    pub(crate) const APPEND: u32 = 1;
    /// The other flags: `dsync`, `nonblock`, `rsync`, `sync`. In memory they always hold.
    pub(crate) const ALL: u32 = 31;
}

pub(crate) mod oflags {
    pub(crate) const CREAT: u32 = 1;
    pub(crate) const DIRECTORY: u32 = 2;
    pub(crate) const EXCL: u32 = 4;
    pub(crate) const TRUNC: u32 = 8;
    pub(crate) const ALL: u32 = 15;
}

pub(crate) mod fstflags {
    pub(crate) const ATIM: u32 = 1;
    pub(crate) const ATIM_NOW: u32 = 2;
    pub(crate) const MTIM: u32 = 4;
    pub(crate) const MTIM_NOW: u32 = 8;
    pub(crate) const ALL: u32 = 15;
}

/// Follow a symbolic link at the end of a path.
pub(crate) const SYMLINK_FOLLOW: u32 = 1;

/// Returns `flags` if they contain only bits of `known`; otherwise `EINVAL`.
pub(crate) fn known_flags(flags: u32, known: u32) -> Result<u32, Errno> {
    if flags & !known == 0 { Ok(flags) } else { Err(Errno::Inval) }
}

/// The maximum length of a path, and of the target of a symbolic link, in bytes.
pub(crate) const PATH_MAX: u32 = 4096;
/// The maximum length of the name of a directory entry, in bytes.
pub(crate) const NAME_MAX: usize = 255;

fn get<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk::<N>());
    // Callers pass exactly as many bytes as the layout has.
    field.copied().unwrap_or([0; N])
}

pub(crate) fn get_u8(bytes: &[u8], at: usize) -> u8 {
    u8::from_le_bytes(get(bytes, at))
}

pub(crate) fn get_u16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(get(bytes, at))
}

pub(crate) fn get_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(get(bytes, at))
}

pub(crate) fn get_u64(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(get(bytes, at))
}

/// A struct of `N` bytes that is being filled. Fields that are not set are zero.
pub(crate) struct Record<const N: usize>(pub(crate) [u8; N]);

impl<const N: usize> Record<N> {
    pub(crate) fn new() -> Self {
        Self([0; N])
    }

    /// Sets the field at `at`.
    pub(crate) fn set<const M: usize>(mut self, at: usize, field: [u8; M]) -> Self {
        if let Some(place) = self.0.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<M>()) {
            *place = field;
        }
        self
    }
}
