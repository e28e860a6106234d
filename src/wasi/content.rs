//! What a file holds: bytes, or what is asked for when a guest reads it.

use std::fmt;
use std::sync::Arc;

use crate::error::Error;

/// Fills a buffer with what a file has from an offset on, or says why it cannot.
pub(crate) type ReadAt = dyn Fn(u64, &mut [u8]) -> Result<(), String> + Send + Sync;

#[derive(Clone)]
pub(crate) enum Content {
    Bytes(Vec<u8>),
    Given(Given),
}

/// A file of the host, which stays there until the guest changes it.
#[derive(Clone)]
pub(crate) struct Given {
    /// The path under which it was given, for messages.
    pub(crate) path: Arc<str>,
    pub(crate) size: u64,
    pub(crate) read: Arc<ReadAt>,
}

impl Content {
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Given(given) => given.size,
        }
    }

    /// Returns what it takes of the limit `files`.
    pub(crate) fn held(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Given(_) => 0,
        }
    }
}

impl Given {
    /// Reads the bytes from `offset` on that fit the buffer, which must lie within the file.
    ///
    /// # Errors
    ///
    /// If the host cannot read them.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Error> {
        (self.read)(offset, buffer).map_err(|why| Error::load(format!("cannot read {}: {why}", self.path)))
    }

    /// Reads all of it.
    pub(crate) fn load(&self) -> Result<Vec<u8>, Error> {
        let size =
            usize::try_from(self.size).map_err(|_| Error::load(format!("cannot read {}: too large", self.path)))?;
        let mut bytes = vec![0; size];
        self.read(0, &mut bytes)?;
        Ok(bytes)
    }

    /// Returns the hash of all of it, of which a part at a time is in memory.
    pub(crate) fn hash(&self) -> Result<blake3::Hash, Error> {
        const PART: usize = 1 << 16;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; PART];
        let mut at = 0;
        while at < self.size {
            let length = usize::try_from(self.size.saturating_sub(at)).unwrap_or(PART).min(PART);
            let part = buffer.get_mut(..length).unwrap_or_default();
            self.read(at, part)?;
            hasher.update(part);
            at = at.saturating_add(length as u64);
        }
        Ok(hasher.finalize())
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.size())
    }
}

/// Returns the modification time of a given file, in nanoseconds since 1970, derived from the hash of its content. A guest
/// that compares times to find out whether a file changed (a cache of compiled code, `make`) sees that it did, and the same
/// files have the same times everywhere.
///
/// It lies between 1980 and 2000, which every archive format can represent, and is an even number of seconds, the coarsest
/// resolution among them. A file that the guest writes is newer, provided its clock starts in 2000 or later.
pub(crate) fn content_time(hash: &blake3::Hash) -> u64 {
    /// 1980-01-01, in seconds since 1970.
    const FIRST: u64 = 315_532_800;
    /// The number of even seconds until 2000-01-01.
    const COUNT: u64 = 315_576_000;
    const NANOSECONDS: u64 = 1_000_000_000;
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    let even = u64::from_le_bytes([a, b, c, d, e, f, g, h]).checked_rem(COUNT).unwrap_or(0).saturating_mul(2);
    FIRST.saturating_add(even).saturating_mul(NANOSECONDS)
}
