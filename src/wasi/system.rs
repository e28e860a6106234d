//! The state of a machine, and what it is made from. Its streams, which may lead out of the process, are in `stream`.

use std::collections::BTreeMap;

use super::WasiCall;
use super::abi::{Errno, NAME_MAX, PATH_MAX, WasiResult, rights};
use super::clock::Clock;
use super::content::{Content, content_time};
use super::descriptor::{Descriptor, Descriptors, Target};
use super::fs::{Body, Due, Fs, Ino, ROOT};
use super::random::Random;
use super::resolve::{Follow, ResolvedPath};
use crate::budget::Budget;
use crate::error::{Error, Limit};

/// What the state of a machine is made from.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The whole of `argv`, starting with the program's name.
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    /// Files by path from the root. A path that ends in a slash is an empty directory.
    pub(crate) files: Vec<(String, Content)>,
    /// Modification times of files, by their paths as in `files`.
    pub(crate) modified: BTreeMap<String, u64>,
    /// Whether other files get a time derived from their content instead of `now`.
    pub(crate) content_times: bool,
    /// The directories that the guest may open: the name of each as the guest sees it, and its path. Without any, the
    /// guest can open no files.
    pub(crate) preopens: Vec<(String, String)>,
    pub(crate) seed: u64,
    pub(crate) now: u64,
    pub(crate) clock_step: u64,
}

/// The state of a machine: plain data, so that a clone is a snapshot. A clone shares the budget and is not charged to
/// it.
#[derive(Clone)]
pub(crate) struct System {
    pub(crate) args: Vec<String>,
    /// As `name=value`.
    pub(crate) env: Vec<String>,
    pub(crate) fs: Fs,
    /// The paths of the files that the machine was made with. Inode numbers are never reused.
    pub(crate) origins: BTreeMap<Ino, String>,
    pub(crate) descriptors: Descriptors,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    /// The most recent exit code of the guest.
    pub(crate) exit_code: Option<i32>,
    pub(crate) budget: Budget,
}

impl System {
    /// Makes a machine with descriptors 0, 1, 2 for the streams, and 3 and up for the preopened directories.
    ///
    /// # Errors
    ///
    /// For arguments, names or paths that a guest cannot receive, and if the files exceed what is left of the limit
    /// `files`.
    pub(crate) fn new(setup: Setup, budget: Budget) -> Result<Self, Error> {
        let Setup { args, env, files, modified, content_times, preopens, seed, now, clock_step } = setup;
        if let Some(at) = args.iter().position(|arg| arg.contains('\0')) {
            return Err(Error::value(format!("`args[{at}]` contains a NUL, where it would end for a guest")));
        }
        for (name, value) in &env {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                return Err(Error::value(format!(
                    "`env` has a name or value that no environment can have: {name:?}; \
                     a name is not empty and has no `=`, neither has a NUL"
                )));
            }
        }
        let mut system = Self {
            args,
            env: env.into_iter().map(|(name, value)| format!("{name}={value}")).collect(),
            fs: Fs::new(budget.clone(), now),
            origins: BTreeMap::new(),
            descriptors: Descriptors::default(),
            clock: Clock::new(now, clock_step),
            random: Random::new(seed),
            exit_code: None,
            budget,
        };
        for (path, content) in files {
            let time = match (modified.get(&path), &content) {
                (Some(time), _) => Some(*time),
                (None, _) if !content_times => Some(now),
                (None, Content::Bytes(bytes)) => Some(content_time(&blake3::hash(bytes))),
                (None, Content::Given(_)) => None,
            };
            system.add_file(&path, content, time)?;
        }
        let standard =
            [(Target::Stdin, rights::FD_READ), (Target::Stdout, rights::FD_WRITE), (Target::Stderr, rights::FD_WRITE)];
        for (target, right) in standard {
            system.insert(Descriptor { target, rights: right | rights::STREAM, inheriting: 0, flags: 0 });
        }
        for (name, path) in preopens {
            system.add_preopen(name, &path)?;
        }
        Ok(system)
    }

    /// Opens a directory for the guest, making it if necessary.
    fn add_preopen(&mut self, name: String, path: &str) -> Result<(), Error> {
        let bad = |why: &str| Err(Error::value(format!("`preopens` has {name:?}: {path:?}, {why}")));
        if name.is_empty() || name.contains('\0') || name.len() > PATH_MAX as usize {
            return bad("whose name is empty, contains a NUL or is longer than 4096 bytes");
        }
        let now = self.clock.now();
        let mut ino = ROOT;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            if part == "." || part == ".." || part.contains('\0') || part.len() > NAME_MAX {
                return bad("which is not a plain path: no `.`, no `..`, no NUL, no name longer than 255 bytes");
            }
            ino = match enter(&mut self.fs, ino, part, now) {
                Ok(ino) => ino,
                Err(Errno::Nospc) => return Err(too_large(&self.budget)),
                Err(_) => return bad("which is a file"),
            };
        }
        let target = Target::Directory { ino, preopen: Some(name.clone()), listed_to: None };
        let descriptor = Descriptor { target, rights: rights::DIRECTORY, inheriting: rights::ALL, flags: 0 };
        match self.descriptors.insert(descriptor, &mut self.fs) {
            Ok(_) => Ok(()),
            Err(_) => bad("which is one too many"),
        }
    }

    fn insert(&mut self, descriptor: Descriptor) {
        // The table is empty at first and has room for the three.
        let _ = self.descriptors.insert(descriptor, &mut self.fs);
    }

    /// Adds a file from the host, and the directories on its path. Its time follows from its content if it is not given.
    fn add_file(&mut self, path: &str, content: Content, modified: Option<u64>) -> Result<(), Error> {
        let bad = |why: &str| Err(Error::value(format!("`files` has the path {path:?}, {why}")));
        let failed = |errno: Errno| match errno {
            Errno::Nospc => Err(too_large(&self.budget)),
            Errno::Exist => bad("which exists already"),
            _ => bad("which is a file and a directory at once"),
        };
        let folder = path.ends_with('/');
        if folder && content.size() > 0 {
            return bad("which ends in a slash and so is a directory, and cannot have content");
        }
        if path == "/" {
            return Ok(());
        }
        let mut parts: Vec<&str> = path.split('/').collect();
        if path.starts_with('/') {
            parts.remove(0);
        }
        if folder {
            parts.pop();
        }
        let Some((name, folders)) = parts.split_last() else { return bad("which is not the path of a file") };
        let unfit = |part: &&str| part.is_empty() || *part == "." || *part == ".." || part.contains('\0');
        if parts.iter().any(unfit) {
            return bad("which is not a plain path: no empty parts, no `.`, no `..`, no NUL");
        }
        if parts.iter().any(|part| part.len() > NAME_MAX) {
            return bad("in which a name is longer than 255 bytes");
        }
        let now = self.clock.now();
        let mut directory = ROOT;
        for part in folders {
            directory = match enter(&mut self.fs, directory, part, now) {
                Ok(ino) => ino,
                Err(errno) => return failed(errno),
            };
        }
        let made = if folder {
            enter(&mut self.fs, directory, name, now)
        } else {
            match self.fs.lookup(directory, name) {
                Ok(None) => self.fs.create(directory, name, Body::File(content), now),
                Ok(Some(_)) => Err(Errno::Exist),
                Err(errno) => Err(errno),
            }
        };
        match made {
            Ok(ino) => {
                if let Ok(node) = self.fs.node_mut(ino)
                    && !folder
                {
                    match modified {
                        Some(time) => (node.times.accessed, node.times.modified) = (time, time),
                        None => node.due = Due::AccessedAndModified,
                    }
                }
                self.origins.insert(ino, path.to_owned());
                Ok(())
            }
            Err(errno) => failed(errno),
        }
    }

    /// Returns all files and symbolic links by path, sorted, and empty directories with a path that ends in a slash.
    ///
    /// # Errors
    ///
    /// If the paths together are longer than the limit `files`.
    pub(crate) fn files(&self) -> Result<Vec<(String, Ino)>, Error> {
        self.fs.list().ok_or_else(|| too_large(&self.budget))
    }
}

/// Returns the directory `name` in `directory`, making it if necessary.
fn enter(fs: &mut Fs, directory: Ino, name: &str, now: u64) -> Result<Ino, Errno> {
    match fs.lookup(directory, name)? {
        None => fs.create_directory(directory, name, now),
        Some(ino) if fs.is_directory(ino) => Ok(ino),
        Some(_) => Err(Errno::Notdir),
    }
}

pub(super) fn too_large(budget: &Budget) -> Error {
    let limit = budget.files_limit();
    Error::limit(Limit::Files, format!("the files are larger than the sandbox allows: limit `files` is {limit} bytes"))
}

impl WasiCall<'_> {
    /// Reads a path from the guest and resolves it in the directory of a descriptor that has the right `needed`.
    pub(super) fn find(
        &mut self,
        fd: u32,
        needed: u64,
        path: u32,
        len: u32,
        follow: Follow,
    ) -> WasiResult<ResolvedPath> {
        let base = self.system.descriptors.directory(fd, needed)?;
        self.pay(u64::from(len.min(PATH_MAX)))?;
        let path = self.memory.text(path, len)?;
        let mut work = 0;
        let found = self.system.fs.resolve(base, &path, follow, &mut work);
        self.pay(work)?;
        Ok(found?)
    }
}
