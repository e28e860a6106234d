//! The entries of directories.

use super::node::{Body, Directory, Due, Node, Times};
use super::{Fs, Ino};
use crate::wasi::abi::{Errno, NAME_MAX};

/// What a directory entry costs besides its name, in bytes.
const ENTRY_COST: u64 = 128;

impl Fs {
    /// Returns the node of an entry.
    pub(crate) fn lookup(&self, directory: Ino, name: &str) -> Result<Option<Ino>, Errno> {
        Ok(self.directory(directory)?.names.get(name).map(|(ino, _)| *ino))
    }

    /// Makes a node and its entry.
    pub(crate) fn create(&mut self, directory: Ino, name: &str, body: Body, now: u64) -> Result<Ino, Errno> {
        let times = Times { accessed: now, modified: now, changed: now };
        let node = Node { body, links: 0, open: 0, times, due: Due::Nothing };
        let cost = node.cost();
        let ino = self.last.checked_add(1).ok_or(Errno::Nospc)?;
        self.take(cost)?;
        self.nodes.insert(ino, node);
        if let Err(errno) = self.add_entry(directory, name, ino, now) {
            self.nodes.remove(&ino);
            self.give(cost);
            return Err(errno);
        }
        self.last = ino;
        Ok(ino)
    }

    pub(crate) fn create_directory(&mut self, directory: Ino, name: &str, now: u64) -> Result<Ino, Errno> {
        self.create(directory, name, Body::Directory(Directory::new(directory)), now)
    }

    /// Adds an entry for a node to a directory, under a name that is free.
    pub(crate) fn add_entry(&mut self, directory: Ino, name: &str, ino: Ino, now: u64) -> Result<(), Errno> {
        self.add_entry_at(directory, name, ino, None, now)
    }

    /// Adds an entry with a given free cookie of the directory, or a new one if `None`.
    fn add_entry_at(
        &mut self,
        directory: Ino,
        name: &str,
        ino: Ino,
        cookie: Option<u64>,
        now: u64,
    ) -> Result<(), Errno> {
        if name.len() > NAME_MAX {
            return Err(Errno::Nametoolong);
        }
        if self.node(directory)?.links == 0 {
            return Err(Errno::Noent);
        }
        self.take(entry_cost(name))?;
        let entries = self.directory_mut(directory)?;
        let cookie = match cookie {
            Some(cookie) => cookie,
            None => {
                entries.last = entries.last.saturating_add(1);
                entries.last
            }
        };
        entries.names.insert(name.to_owned(), (ino, cookie));
        entries.order.insert(cookie, name.to_owned());
        self.touch(directory, now)?;
        let node = self.node_mut(ino)?;
        node.links = node.links.saturating_add(1);
        node.times.changed = now;
        if let Body::Directory(child) = &mut node.body {
            child.parent = directory;
        }
        Ok(())
    }

    /// Removes an entry, and its node if nothing else refers to that. Returns the entry's cookie.
    pub(crate) fn remove_entry(&mut self, directory: Ino, name: &str, now: u64) -> Result<u64, Errno> {
        let entries = self.directory_mut(directory)?;
        let (ino, cookie) = entries.names.remove(name).ok_or(Errno::Noent)?;
        entries.order.remove(&cookie);
        self.give(entry_cost(name));
        self.touch(directory, now)?;
        let node = self.node_mut(ino)?;
        node.links = node.links.saturating_sub(1);
        node.times.changed = now;
        self.collect(ino);
        Ok(cookie)
    }

    /// Moves an entry to another name, replacing what is there.
    pub(crate) fn rename(&mut self, from: (Ino, &str), to: (Ino, &str), now: u64) -> Result<(), Errno> {
        let ino = self.lookup(from.0, from.1)?.ok_or(Errno::Noent)?;
        if self.node(to.0)?.links == 0 {
            return Err(Errno::Noent);
        }
        // Everything that could fail is tried before anything is changed.
        self.take(entry_cost(to.1))?;
        self.give(entry_cost(to.1));
        let replaced =
            if self.lookup(to.0, to.1)?.is_some() { Some(self.remove_entry(to.0, to.1, now)?) } else { None };
        // Held open, so that it survives having no entry for a moment.
        self.opened(ino);
        let moved = self.remove_entry(from.0, from.1, now)?;
        let cookie = replaced.or((from.0 == to.0).then_some(moved));
        let entered = self.add_entry_at(to.0, to.1, ino, cookie, now);
        self.closed(ino);
        entered
    }

    fn touch(&mut self, directory: Ino, now: u64) -> Result<(), Errno> {
        let times = &mut self.node_mut(directory)?.times;
        (times.modified, times.changed) = (now, now);
        Ok(())
    }
}

fn entry_cost(name: &str) -> u64 {
    ENTRY_COST.saturating_add((name.len() as u64).saturating_mul(2))
}
