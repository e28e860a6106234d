//! What an inode number refers to: a file, a directory or a symbolic link.

use std::collections::BTreeMap;

use super::Ino;
use crate::wasi::abi::Filetype;
use crate::wasi::content::Content;

/// What a node costs besides its content, in bytes.
const NODE_COST: u64 = 256;

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) body: Body,
    /// The number of directory entries that refer to it. 0 for a directory that was removed and is still open.
    pub(crate) links: u64,
    /// The number of descriptors that refer to it.
    pub(super) open: u64,
    pub(crate) times: Times,
    /// Which times still have to be made from the file's content.
    pub(crate) due: Due,
}

/// Times that are made from a file's content when something asks for them, since the whole of it is read for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Modified,
    AccessedAndModified,
}

/// Times in nanoseconds of the virtual clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    pub(crate) accessed: u64,
    pub(crate) modified: u64,
    pub(crate) changed: u64,
}

#[derive(Clone)]
pub(crate) enum Body {
    File(Content),
    Directory(Directory),
    Link(String),
}

/// Entries by name, and by their cookies, which give the order of a listing.
///
/// An entry keeps its cookie while it stays in the directory, even if it is renamed or its name is
/// given to another node. A guest that removes, renames or replaces entries during a listing
/// therefore misses none that was there throughout.
#[derive(Clone)]
pub(crate) struct Directory {
    pub(super) parent: Ino,
    pub(super) names: BTreeMap<String, (Ino, u64)>,
    pub(super) order: BTreeMap<u64, String>,
    /// The highest cookie so far.
    pub(super) last: u64,
}

impl Directory {
    pub(super) fn new(parent: Ino) -> Self {
        Self { parent, names: BTreeMap::new(), order: BTreeMap::new(), last: FIRST_COOKIE }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the highest cookie so far: the end of a listing that begins now.
    pub(crate) fn end(&self) -> u64 {
        self.last
    }

    /// Returns the first entry after `cookie` and up to `end`: its cookie, name and node. `.` and `..` come first.
    pub(crate) fn after(&self, me: Ino, cookie: u64, end: u64) -> Option<(u64, &str, Ino)> {
        match cookie {
            0 => Some((1, ".", me)),
            1 => Some((FIRST_COOKIE, "..", self.parent)),
            _ if cookie >= end => None,
            _ => {
                let (cookie, name) = self.order.range(cookie.checked_add(1)?..=end).next()?;
                let (ino, _) = self.names.get(name)?;
                Some((*cookie, name, *ino))
            }
        }
    }
}

/// The cookie of `..`; entries have higher ones.
const FIRST_COOKIE: u64 = 2;

impl Node {
    pub(crate) fn filetype(&self) -> Filetype {
        match &self.body {
            Body::File(_) => Filetype::RegularFile,
            Body::Directory(_) => Filetype::Directory,
            Body::Link(_) => Filetype::SymbolicLink,
        }
    }

    pub(crate) fn size(&self) -> u64 {
        match &self.body {
            Body::File(content) => content.size(),
            Body::Directory(_) => 0,
            Body::Link(target) => target.len() as u64,
        }
    }

    /// Returns what the node takes of the limit `files`.
    pub(super) fn cost(&self) -> u64 {
        let held = if let Body::File(content) = &self.body { content.held() } else { self.size() };
        held.saturating_add(NODE_COST)
    }
}
