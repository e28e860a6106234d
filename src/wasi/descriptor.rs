//! Descriptors: small numbers, the lowest free one first.

use std::collections::BTreeMap;

use super::abi::{Errno, Filetype};
use super::fs::{Directory, Fs, Ino};

/// Descriptors that may be open at once.
const DESCRIPTORS_MAX: usize = 4096;

#[derive(Debug, Clone)]
pub(crate) struct Descriptor {
    pub(crate) target: Target,
    /// What may be done with it.
    pub(crate) rights: u64,
    /// The most that may be done with what is opened through it.
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
        /// The name that a preopened directory has for the guest.
        preopen: Option<String>,
        /// The last cookie of the listing that `fd_readdir` is in.
        listed_to: Option<u64>,
    },
}

impl Target {
    /// The node in the file system; streams have none.
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
    /// `ENOTCAPABLE` without all of the rights.
    pub(crate) fn check(&self, needed: u64) -> Result<(), Errno> {
        if self.rights & needed == needed { Ok(()) } else { Err(Errno::Notcapable) }
    }
}

#[derive(Clone, Default)]
pub(crate) struct Descriptors(BTreeMap<u32, Descriptor>);

impl Descriptors {
    /// The descriptor of a number; `EBADF` for none.
    pub(crate) fn get(&self, fd: u32) -> Result<&Descriptor, Errno> {
        self.0.get(&fd).ok_or(Errno::Badf)
    }

    pub(crate) fn get_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        self.0.get_mut(&fd).ok_or(Errno::Badf)
    }

    /// The directory of a descriptor that has these rights.
    pub(crate) fn directory(&self, fd: u32, needed: u64) -> Result<Ino, Errno> {
        let descriptor = self.get(fd)?;
        match &descriptor.target {
            Target::Directory { ino, .. } => descriptor.check(needed).map(|()| *ino),
            _ => Err(Errno::Notdir),
        }
    }

    /// The file and the position of a descriptor that has these rights. A directory is `EISDIR`, a
    /// stream `ESPIPE`.
    pub(crate) fn file(&self, fd: u32, needed: u64) -> Result<(Ino, u64), Errno> {
        let descriptor = self.get(fd)?;
        match &descriptor.target {
            Target::File { ino, offset } => descriptor.check(needed).map(|()| (*ino, *offset)),
            Target::Directory { .. } => Err(Errno::Isdir),
            _ => Err(Errno::Spipe),
        }
    }

    /// Moves the position of a file's descriptor.
    pub(crate) fn set_offset(&mut self, fd: u32, to: u64) -> Result<(), Errno> {
        if let Target::File { offset, .. } = &mut self.get_mut(fd)?.target {
            *offset = to;
        }
        Ok(())
    }

    /// The last cookie of the listing of `directory` that goes on behind `cookie`. It is fixed when the listing
    /// begins, so entries that are made while it lasts cannot make it endless.
    pub(crate) fn listing_end(&mut self, fd: u32, cookie: u64, directory: &Directory) -> Result<u64, Errno> {
        let Target::Directory { listed_to, .. } = &mut self.get_mut(fd)?.target else { return Err(Errno::Notdir) };
        let end = listed_to.filter(|_| cookie != 0).unwrap_or_else(|| directory.end());
        *listed_to = Some(end);
        Ok(end)
    }

    /// `EMFILE` where there are too many for one more.
    pub(crate) fn room(&self) -> Result<(), Errno> {
        if self.0.len() < DESCRIPTORS_MAX { Ok(()) } else { Err(Errno::Mfile) }
    }

    /// Enters a descriptor under the lowest free number.
    pub(crate) fn insert(&mut self, descriptor: Descriptor, fs: &mut Fs) -> Result<u32, Errno> {
        self.room()?;
        // Keys are sorted and differ, so the first that is not its own index ends those in a row. A
        // guest may have far numbers by `fd_renumber`, but only ones that it had before.
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

    /// Moves a descriptor to a number that is open, and closes what was there.
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
