//! Files of `--dir`, which stay where they are until the guest reads them.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// A file as it was when its folder was listed.
pub struct HostFile {
    path: PathBuf,
    state: State,
}

/// What tells that a file is the same as before.
#[derive(PartialEq)]
struct State {
    size: u64,
    modified: Option<SystemTime>,
    /// The device and the number on it, where there are such.
    place: Option<(u64, u64)>,
}

impl State {
    fn of(metadata: &Metadata) -> Self {
        Self { size: metadata.len(), modified: metadata.modified().ok(), place: place(metadata) }
    }
}

#[cfg(unix)]
fn place(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn place(_metadata: &Metadata) -> Option<(u64, u64)> {
    None
}

impl HostFile {
    pub fn new(path: PathBuf, metadata: &Metadata) -> Self {
        Self { path, state: State::of(metadata) }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn size(&self) -> u64 {
        self.state.size
    }

    /// Returns when it was modified, in nanoseconds since 1970.
    pub fn modified(&self) -> u64 {
        let since = self.state.modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// Those of [`OpenFiles::read`].
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut content = vec![0; usize::try_from(self.size()).map_err(io::Error::other)?];
        self.fill(&mut self.open()?, 0, &mut content)?;
        Ok(content)
    }

    /// Tells whether it has this content, as far as it can still be read.
    pub fn holds(&self, content: &[u8]) -> bool {
        self.size() == content.len() as u64 && self.read().is_ok_and(|own| own == content)
    }

    /// Copies all of it to another file.
    ///
    /// # Errors
    ///
    /// Those of [`OpenFiles::read`], and of writing.
    pub fn copy(&self, to: &mut File) -> io::Result<()> {
        let mut from = self.open()?;
        io::copy(&mut from, to)?;
        self.check(&from)
    }

    fn open(&self) -> io::Result<File> {
        let file = File::open(&self.path)?;
        self.check(&file).map(|()| file)
    }

    fn fill(&self, file: &mut File, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(buffer));
        // That it changed says more than that it is too short now.
        self.check(file).and(read)
    }

    fn check(&self, file: &File) -> io::Result<()> {
        if State::of(&file.metadata()?) == self.state {
            return Ok(());
        }
        Err(io::Error::other("it changed on the host while the guest ran"))
    }
}

/// The files that a guest read last, which stay open: it reads most in several parts.
#[derive(Default)]
pub struct OpenFiles(Mutex<Vec<(PathBuf, File)>>);

impl OpenFiles {
    const MAX: usize = 16;

    /// Fills `buffer` with what `file` has from `offset` on.
    ///
    /// # Errors
    ///
    /// If the host cannot read it, or it is no longer what it was when its folder was listed.
    pub fn read(&self, file: &HostFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = open.iter().position(|(path, _)| *path == file.path);
        let mut entry = match known {
            Some(at) => open.remove(at),
            None => (file.path.clone(), file.open()?),
        };
        let read = file.fill(&mut entry.1, offset, buffer);
        // Last is the one that was read last.
        if open.len() >= Self::MAX {
            open.remove(0);
        }
        open.push(entry);
        read
    }
}
