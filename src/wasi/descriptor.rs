//! Descriptors: small numbers; a new one takes the lowest that is free.

use std::collections::BTreeMap;

use super::abi::{Errno, Filetype};
use super::fs::{Directory, Fs, Ino};

/// The maximum number of open descriptors.
const DESCRIPTORS_MAX: usize = 4096;

#[derive(Debug, Clone)]
pub(crate) struct Descriptor {
    pub(crate) target: Target,
    /// What the descriptor may be used for.
    pub(crate) rights: u64,
    /// The most rights that descriptors opened through this one can have.
    pub(crate) inheriting: u64,
    pub(crate) flags: u32,
}

/// What a descriptor refers to.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Stdin,
    Stdout,
    Stderr,
    File {
        ino: Ino,
        offset: u64,
    },
    Directory {
        ino: Ino,
        /// The name under which the guest sees a preopened directory.
        preopen: Option<String>,
        /// The last cookie of the listing that `fd_readdir` is working through.
        listed_to: Option<u64>,
    },
}

impl Target {
    /// Returns the node in the file system; streams have none.
    pub(crate) fn ino(&self) -> Option<Ino> {
        match self {
            Self::File { ino, .. } | Self::Directory { ino, .. } => Some(*ino),
            _ => None,
        }
    }

    pub(crate) fn filetype(&self) -> Filetype {
        match self {
            Self::File { .. } => Filetype::RegularFile,
            Self::Directory { .. } => Filetype::Directory,
            _ => Filetype::Unknown,
        }
    }
}

impl Descriptor {
    /// Fails with `ENOTCAPABLE` unless the descriptor has all of the rights.
    pub(crate) fn check(&self, needed: u64) -> Result<(), Errno> {
        if self.rights & needed == needed { Ok(()) } else { Err(Errno::Notcapable) }
    }
}

#[derive(Clone, Default)]
pub(crate) struct Descriptors(BTreeMap<u32, Descriptor>);

impl Descriptors {
    /// Returns the descriptor of a number; `EBADF` if there is none.
    pub(crate) fn get(&self, fd: u32) -> Result<&Descriptor, Errno> {
        self.0.get(&fd).ok_or(Errno::Badf)
    }

    pub(crate) fn get_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        self.0.get_mut(&fd).ok_or(Errno::Badf)
    }

    /// Returns the directory of a descriptor that has these rights.
    pub(crate) fn directory(&self, fd: u32, needed: u64) -> Result<Ino, Errno> {
        let descriptor = self.get(fd)?;
        match &descriptor.target {
            Target::Directory { ino, .. } => descriptor.check(needed).map(|()| *ino),
            _ => Err(Errno::Notdir),
        }
    }

    /// Returns the file and the position of a descriptor that has these rights. `EISDIR` for a
    /// directory, `ESPIPE` for a stream.
    pub(crate) fn file(&self, fd: u32, needed: u64) -> Result<(Ino, u64), Errno> {
        let descriptor = self.get(fd)?;
        match &descriptor.target {
            Target::File { ino, offset } => descriptor.check(needed).map(|()| (*ino, *offset)),
            Target::Directory { .. } => Err(Errno::Isdir),
            _ => Err(Errno::Spipe),
        }
    }

    /// Sets the position of a file's descriptor.
    pub(crate) fn set_offset(&mut self, fd: u32, to: u64) -> Result<(), Errno> {
        if let Target::File { offset, .. } = &mut self.get_mut(fd)?.target {
            *offset = to;
        }
        Ok(())
    }

    /// Returns the last cookie of the listing of `directory` that continues after `cookie`. It is fixed when the
    /// listing begins, so that entries made meanwhile cannot make the listing endless.
    pub(crate) fn listing_end(&mut self, fd: u32, cookie: u64, directory: &Directory) -> Result<u64, Errno> {
        let Target::Directory { listed_to, .. } = &mut self.get_mut(fd)?.target else { return Err(Errno::Notdir) };
        let end = listed_to.filter(|_| cookie != 0).unwrap_or_else(|| directory.end());
        *listed_to = Some(end);
        Ok(end)
    }

    /// Fails with `EMFILE` if no more descriptors may be opened.
    pub(crate) fn room(&self) -> Result<(), Errno> {
        if self.0.len() < DESCRIPTORS_MAX { Ok(()) } else { Err(Errno::Mfile) }
    }

    /// Adds a descriptor under the lowest free number.
    pub(crate) fn insert(&mut self, descriptor: Descriptor, fs: &mut Fs) -> Result<u32, Errno> {
        self.room()?;
        // Keys are sorted and distinct, so the first key that differs from its index marks the first gap. `fd_renumber`
        // can leave gaps, but only among numbers that were in use.
        let free = (0u32..).zip(self.0.keys()).find(|(index, key)| index != *key).map(|(index, _)| index);
        let free = match free {
            Some(free) => free,
            None => u32::try_from(self.0.len()).map_err(|_| Errno::Mfile)?,
        };
        if let Some(ino) = descriptor.target.ino() {
            fs.opened(ino);
        }
        self.0.insert(free, descriptor);
        Ok(free)
    }

    pub(crate) fn close(&mut self, fd: u32, fs: &mut Fs) -> Result<(), Errno> {
        let descriptor = self.0.remove(&fd).ok_or(Errno::Badf)?;
        if let Some(ino) = descriptor.target.ino() {
            fs.closed(ino);
        }
        Ok(())
    }

    /// Moves a descriptor to a number that is open, and closes the one that was there.
    pub(crate) fn renumber(&mut self, from: u32, to: u32, fs: &mut Fs) -> Result<(), Errno> {
        self.get(from)?;
        self.get(to)?;
        if from == to {
            return Ok(());
        }
        self.close(to, fs)?;
        let moved = self.0.remove(&from).ok_or(Errno::Badf)?;
        self.0.insert(to, moved);
        Ok(())
    }
}
