//! Path resolution: from a directory and a path to a node, never leaving the directory.

use super::abi::{Errno, NAME_MAX, PATH_MAX, SYMLINK_FOLLOW, known_flags};
use super::fs::{Body, Fs, Ino};

/// The maximum number of symbolic links in the resolution of one path.
const LINKS_MAX: u32 = 40;

/// Whether a symbolic link at the end of a path is followed. Those along the path always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    /// The path means the link itself.
    Never,
    /// The path is for something new and means the link itself. What is there is found even if it is not a directory
    /// and the path ends in a slash.
    Vacant,
    /// The link is followed only if the path ends in a slash.
    Slash,
    Always,
}

impl Follow {
    /// Decodes a guest's `lookupflags`; `EINVAL` for bits other than the one defined.
    pub(crate) fn from_flags(flags: u32) -> Result<Self, Errno> {
        Ok(if known_flags(flags, SYMLINK_FOLLOW)? == 0 { Self::Slash } else { Self::Always })
    }
}

/// Where a path leads.
#[derive(Debug)]
pub(crate) struct ResolvedPath {
    /// The directory and the name of the last component; `None` if the path ends in `.` or `..`.
    pub(crate) entry: Option<(Ino, String)>,
    /// What is there now, if anything.
    pub(crate) node: Option<Ino>,
    /// The path, or a followed link at its end, ends in a slash, so only a directory is valid.
    pub(crate) slash: bool,
}

impl ResolvedPath {
    /// Returns what is there; `ENOENT` if nothing is.
    pub(crate) fn existing(&self) -> Result<Ino, Errno> {
        self.node.ok_or(Errno::Noent)
    }
}

impl Fs {
    /// Resolves `path` from the directory `base`.
    ///
    /// `..` above `base` and an absolute path are `ENOTCAPABLE`: a directory gives access to its content and nothing else.
    ///
    /// Adds the cost of the work, in bytes, to `work`, even on failure.
    pub(crate) fn resolve(&self, base: Ino, path: &str, follow: Follow, work: &mut u64) -> Result<ResolvedPath, Errno> {
        if path.is_empty() {
            return Err(Errno::Noent);
        }
        if path.len() > PATH_MAX as usize {
            return Err(Errno::Nametoolong);
        }
        if path.starts_with('/') {
            return Err(Errno::Notcapable);
        }
        // The directories passed through, ending with the current one. The first is never popped.
        let mut below: Vec<Ino> = Vec::new();
        let current = |below: &Vec<Ino>| below.last().copied().unwrap_or(base);
        let mut rest = Components::default();
        rest.push(path);
        let mut links = 0;
        while let Some(name) = rest.next() {
            *work = work.saturating_add(COMPONENT_COST);
            let directory = current(&below);
            self.directory(directory)?;
            match name {
                "." => continue,
                ".." => {
                    below.pop().ok_or(Errno::Notcapable)?;
                    continue;
                }
                name if name.len() > NAME_MAX => return Err(Errno::Nametoolong),
                _ => {}
            }
            let (last, slash) = (rest.is_empty(), rest.slash);
            let found = |node| Ok(ResolvedPath { entry: Some((directory, name.to_owned())), node, slash });
            let Some(ino) = self.lookup(directory, name)? else {
                return if last { found(None) } else { Err(Errno::Noent) };
            };
            let followed = match follow {
                Follow::Always => true,
                Follow::Slash => slash,
                Follow::Never | Follow::Vacant => false,
            };
            match &self.node(ino)?.body {
                Body::Link(target) if !last || followed => {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(Errno::Loop);
                    }
                    *work = work.saturating_add(target.len() as u64);
                    // `path_symlink` makes no absolute ones.
                    rest.push(target);
                }
                Body::Directory(_) if !last => below.push(ino),
                Body::Directory(_) => return found(Some(ino)),
                _ if !last || slash && follow != Follow::Vacant => return Err(Errno::Notdir),
                _ => return found(Some(ino)),
            }
        }
        Ok(ResolvedPath { entry: None, node: Some(current(&below)), slash: rest.slash })
    }
}

/// What looking up a component costs, in bytes of work.
const COMPONENT_COST: u64 = 256;

/// The components that remain: those of the path and of the links followed.
#[derive(Default)]
struct Components<'a> {
    /// None is empty or begins with a slash. The innermost link is last.
    texts: Vec<&'a str>,
    /// Set if a slash follows the component taken last and nothing else does, or if one followed the link through which
    /// that component was reached.
    slash: bool,
}

impl<'a> Components<'a> {
    fn push(&mut self, text: &'a str) {
        if !text.is_empty() {
            self.texts.push(text);
        }
    }

    fn next(&mut self) -> Option<&'a str> {
        let text = self.texts.pop()?;
        let (name, behind) = text.split_once('/').unwrap_or((text, ""));
        self.push(behind.trim_start_matches('/'));
        self.slash |= self.texts.is_empty() && name.len() < text.len();
        Some(name)
    }

    fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}
