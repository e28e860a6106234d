//! Paths: from a directory and a path to a node, without ever leaving the directory.

use super::abi::{Errno, NAME_MAX, PATH_MAX, SYMLINK_FOLLOW, known_flags};
use super::fs::{Body, Fs, Ino};

/// Symbolic links that one path may lead through.
const LINKS_MAX: u32 = 40;

/// Whether a symbolic link that a path ends in is followed; those on the way always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    /// It is meant itself.
    Never,
    /// Only where the path ends in a slash.
    Slash,
    Always,
}

impl Follow {
    /// As a guest's `lookupflags` say; others than the one that is defined are `EINVAL`.
    pub(crate) fn from_flags(flags: u32) -> Result<Self, Errno> {
        Ok(if known_flags(flags, SYMLINK_FOLLOW)? == 0 { Self::Slash } else { Self::Always })
    }
}

/// Where a path leads.
#[derive(Debug)]
pub(crate) struct ResolvedPath {
    /// The directory and the name of the last component; `None` where the path ends in `.` or `..`.
    pub(crate) entry: Option<(Ino, String)>,
    /// What is there now.
    pub(crate) node: Option<Ino>,
    /// The path ends in a slash, so only a directory will do.
    pub(crate) slash: bool,
}

impl ResolvedPath {
    /// What is there; `ENOENT` for nothing.
    pub(crate) fn existing(&self) -> Result<Ino, Errno> {
        self.node.ok_or(Errno::Noent)
    }
}

impl Fs {
    /// Resolves `path` from the directory `base`.
    ///
    /// `..` above `base` and an absolute path are `ENOTCAPABLE`: a directory stands for what is in it
    /// and nothing else.
    ///
    /// `steps` counts the components that were looked at, in a failure too: what the caller pays for.
    pub(crate) fn resolve(
        &self,
        base: Ino,
        path: &str,
        follow: Follow,
        steps: &mut u64,
    ) -> Result<ResolvedPath, Errno> {
        if path.is_empty() {
            return Err(Errno::Noent);
        }
        if path.len() > PATH_MAX as usize {
            return Err(Errno::Nametoolong);
        }
        if path.starts_with('/') {
            return Err(Errno::Notcapable);
        }
        let slash = path.ends_with('/');
        let follow = follow == Follow::Always || follow == Follow::Slash && slash;
        // The directories passed through; the last is the current one. The first is never popped.
        let mut below: Vec<Ino> = Vec::new();
        let current = |below: &Vec<Ino>| below.last().copied().unwrap_or(base);
        // Components still to come, the next one last.
        let mut rest: Vec<String> = components(path);
        let mut links = 0;
        while let Some(name) = rest.pop() {
            *steps = steps.saturating_add(1);
            let directory = current(&below);
            self.directory(directory)?;
            match name.as_str() {
                "." => continue,
                ".." => {
                    below.pop().ok_or(Errno::Notcapable)?;
                    continue;
                }
                name if name.len() > NAME_MAX => return Err(Errno::Nametoolong),
                _ => {}
            }
            let last = rest.is_empty();
            let Some(ino) = self.lookup(directory, &name)? else {
                return if last {
                    Ok(ResolvedPath { entry: Some((directory, name)), node: None, slash })
                } else {
                    Err(Errno::Noent)
                };
            };
            match &self.node(ino)?.body {
                Body::Link(target) if !last || follow => {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(Errno::Loop);
                    }
                    // `path_symlink` makes none that are absolute.
                    rest.extend(components(target));
                }
                Body::Directory(_) if !last => below.push(ino),
                Body::Directory(_) => {
                    return Ok(ResolvedPath { entry: Some((directory, name)), node: Some(ino), slash });
                }
                _ if !last || slash => return Err(Errno::Notdir),
                _ => return Ok(ResolvedPath { entry: Some((directory, name)), node: Some(ino), slash }),
            }
        }
        Ok(ResolvedPath { entry: None, node: Some(current(&below)), slash })
    }
}

fn components(path: &str) -> Vec<String> {
    path.split('/').rev().filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
