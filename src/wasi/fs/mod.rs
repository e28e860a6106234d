//! The file system: a tree of directories, files and symbolic links, in memory.
//!
//! Nodes are in one flat map under their inode numbers, which are never reused, so that no operation recurses and
//! dropping a tree of any depth needs no stack. A node lives as long as a directory entry or a descriptor refers to it.
//! Each byte and each node is charged to the sandbox's limit `files`; `ENOSPC` once that is used up. A file of the host that
//! the guest has not changed costs its node alone, since its bytes are read from where they are.

mod entries;
mod node;

use std::collections::BTreeMap;

pub(crate) use self::node::{Body, Directory, Due, Node, Times};
use super::abi::{Errno, WasiResult};
use super::content::{Content, content_time};
use crate::budget::Budget;

/// An inode number.
pub(crate) type Ino = u64;

/// The root directory, which always exists.
pub(crate) const ROOT: Ino = 1;

#[derive(Clone)]
pub(crate) struct Fs {
    nodes: BTreeMap<Ino, Node>,
    last: Ino,
    budget: Budget,
}

impl Fs {
    /// Makes a file system with an empty root directory.
    pub(crate) fn new(budget: Budget, now: u64) -> Self {
        let mut nodes = BTreeMap::new();
        let times = Times { accessed: now, modified: now, changed: now };
        // The entry that refers to the root does not exist and so is never removed.
        let body = Body::Directory(Directory::new(ROOT));
        nodes.insert(ROOT, Node { body, links: 1, open: 0, times, due: Due::Nothing });
        Self { nodes, last: ROOT, budget }
    }

    pub(crate) fn node(&self, ino: Ino) -> Result<&Node, Errno> {
        self.nodes.get(&ino).ok_or(Errno::Noent)
    }

    pub(crate) fn node_mut(&mut self, ino: Ino) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(&ino).ok_or(Errno::Noent)
    }

    pub(crate) fn directory(&self, ino: Ino) -> Result<&Directory, Errno> {
        match &self.node(ino)?.body {
            Body::Directory(directory) => Ok(directory),
            _ => Err(Errno::Notdir),
        }
    }

    fn directory_mut(&mut self, ino: Ino) -> Result<&mut Directory, Errno> {
        match &mut self.node_mut(ino)?.body {
            Body::Directory(directory) => Ok(directory),
            _ => Err(Errno::Notdir),
        }
    }

    pub(crate) fn is_directory(&self, ino: Ino) -> bool {
        self.directory(ino).is_ok()
    }

    pub(crate) fn file(&self, ino: Ino) -> Result<&Content, Errno> {
        match &self.node(ino)?.body {
            Body::File(content) => Ok(content),
            Body::Directory(_) => Err(Errno::Isdir),
            Body::Link(_) => Err(Errno::Inval),
        }
    }

    /// Returns the size of a file.
    pub(crate) fn size(&self, ino: Ino) -> Result<u64, Errno> {
        self.file(ino).map(Content::size)
    }

    /// Returns how many bytes a file takes once it is loaded, beyond what it takes now.
    pub(crate) fn not_held(&self, ino: Ino) -> Result<u64, Errno> {
        self.file(ino).map(|content| content.size().saturating_sub(content.held()))
    }

    /// Returns the bytes of a file; `None` for one that the host still has, and for anything else.
    pub(crate) fn bytes(&self, ino: Ino) -> Option<&[u8]> {
        match self.file(ino) {
            Ok(Content::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Brings a file of the host into the machine, so that it can be changed.
    pub(crate) fn load(&mut self, ino: Ino) -> WasiResult {
        let Content::Given(given) = self.file(ino)? else { return Ok(()) };
        let given = given.clone();
        self.settle(ino)?;
        self.take(given.size)?;
        match given.load() {
            Ok(bytes) => self.node_mut(ino)?.body = Body::File(Content::Bytes(bytes)),
            Err(error) => {
                self.give(given.size);
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Makes the times that follow from a file's content.
    pub(crate) fn settle(&mut self, ino: Ino) -> WasiResult {
        let node = self.node(ino)?;
        if let (Body::File(Content::Given(given)), false) = (&node.body, node.due == Due::Nothing) {
            let time = content_time(&given.hash()?);
            let node = self.node_mut(ino)?;
            if node.due == Due::AccessedAndModified {
                node.times.accessed = time;
            }
            (node.times.modified, node.due) = (time, Due::Nothing);
        }
        Ok(())
    }

    /// Notes that a file was read.
    pub(crate) fn accessed(&mut self, ino: Ino, now: u64) -> Result<(), Errno> {
        let node = self.node_mut(ino)?;
        node.times.accessed = now;
        if node.due == Due::AccessedAndModified {
            node.due = Due::Modified;
        }
        Ok(())
    }

    /// Returns the target of a symbolic link; `None` for anything else.
    pub(crate) fn link(&self, ino: Ino) -> Option<&str> {
        match &self.node(ino).ok()?.body {
            Body::Link(target) => Some(target),
            _ => None,
        }
    }

    fn take(&mut self, bytes: u64) -> Result<(), Errno> {
        if !self.budget.take_files(bytes) {
            return Err(Errno::Nospc);
        }
        Ok(())
    }

    fn give(&mut self, bytes: u64) {
        self.budget.give_files(bytes);
    }

    /// Records that one more descriptor refers to the node.
    pub(crate) fn opened(&mut self, ino: Ino) {
        if let Some(node) = self.nodes.get_mut(&ino) {
            node.open = node.open.saturating_add(1);
        }
    }

    /// Records that one descriptor fewer refers to the node.
    pub(crate) fn closed(&mut self, ino: Ino) {
        if let Some(node) = self.nodes.get_mut(&ino) {
            node.open = node.open.saturating_sub(1);
        }
        self.collect(ino);
    }

    fn collect(&mut self, ino: Ino) {
        let Some(node) = self.nodes.get(&ino) else { return };
        if node.links == 0 && node.open == 0 {
            let cost = node.cost();
            self.nodes.remove(&ino);
            self.give(cost);
        }
    }

    /// Returns whether `ino` is `directory` or lies in it. Adds the number of directories visited to `steps`.
    pub(crate) fn is_within(&self, mut ino: Ino, directory: Ino, steps: &mut u64) -> bool {
        loop {
            *steps = steps.saturating_add(1);
            if ino == directory {
                return true;
            }
            match self.directory(ino) {
                Ok(Directory { parent, .. }) if ino != ROOT => ino = *parent,
                _ => return false,
            }
        }
    }

    /// Sets a file's length to `size` bytes, truncating it or appending zeros.
    pub(crate) fn resize(&mut self, ino: Ino, size: u64, now: u64) -> WasiResult {
        if size == 0 {
            self.clear(ino)?;
        }
        self.load(ino)?;
        let old = self.size(ino)?;
        if size > old {
            self.take(size.saturating_sub(old))?;
        }
        let length = usize::try_from(size).map_err(|_| Errno::Nospc)?;
        let node = self.node_mut(ino)?;
        if let Body::File(Content::Bytes(content)) = &mut node.body {
            content.resize(length, 0);
            // Not at every truncation, since shrinking copies what remains.
            if content.capacity() / 4 > length {
                content.shrink_to(length);
            }
        }
        (node.times.modified, node.times.changed) = (now, now);
        self.give(old.saturating_sub(size));
        Ok(())
    }

    /// Empties a file of the host, of which nothing needs to be held then.
    fn clear(&mut self, ino: Ino) -> WasiResult {
        if let Content::Given(_) = self.file(ino)? {
            self.settle(ino)?;
            self.node_mut(ino)?.body = Body::File(Content::Bytes(Vec::new()));
        }
        Ok(())
    }

    /// Writes into a file, which grows as needed; gaps are filled with zeros.
    pub(crate) fn write(&mut self, ino: Ino, offset: u64, bytes: &[u8], now: u64) -> WasiResult {
        self.load(ino)?;
        let end = offset.checked_add(bytes.len() as u64).ok_or(Errno::Nospc)?;
        if end > self.size(ino)? {
            self.resize(ino, end, now)?;
        }
        let start = usize::try_from(offset).map_err(|_| Errno::Nospc)?;
        let node = self.node_mut(ino)?;
        if let Body::File(Content::Bytes(content)) = &mut node.body
            && let Some(place) = content.get_mut(start..).and_then(|rest| rest.get_mut(..bytes.len()))
        {
            place.copy_from_slice(bytes);
        }
        (node.times.modified, node.times.changed) = (now, now);
        Ok(())
    }

    /// Returns all files and symbolic links with their paths, sorted, and empty directories with paths that end in a
    /// slash. A path may be longer than a guest can open, since directories can be moved into others. `None` if the
    /// paths together have more bytes than the limit: many files in deep directories.
    pub(crate) fn list(&self) -> Option<Vec<(String, Ino)>> {
        let mut found = Vec::new();
        let mut left = self.budget.files_limit();
        let mut pending = vec![("/".to_owned(), ROOT)];
        while let Some((path, ino)) = pending.pop() {
            let Ok(directory) = self.directory(ino) else { continue };
            if directory.is_empty() && ino != ROOT {
                found.push((path, ino));
                continue;
            }
            for (name, (child, _)) in &directory.names {
                let path = format!("{path}{name}");
                left = left.checked_sub(path.len() as u64)?;
                match self.node(*child).map(|node| &node.body) {
                    Ok(Body::File(_) | Body::Link(_)) => found.push((path, *child)),
                    Ok(Body::Directory(_)) => pending.push((format!("{path}/"), *child)),
                    Err(_) => {}
                }
            }
        }
        found.sort();
        Some(found)
    }
}
