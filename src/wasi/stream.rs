//! The standard streams, behind the descriptors 0, 1 and 2.

use std::io::{ErrorKind, Read, Write};

use super::abi::{Errno, Fault, WasiResult};
use crate::budget::Budget;
use crate::error::{Error, Limit};

/// The standard streams of a machine. Separate from its state, since they may lead out of the process and cannot be cloned.
pub(crate) struct Streams {
    pub(crate) stdin: InputStream,
    pub(crate) stdout: OutputStream,
    pub(crate) stderr: OutputStream,
}

impl Streams {
    /// Reads standard input from `stdin` and keeps what is written to both outputs.
    pub(crate) fn kept(stdin: InputStream) -> Self {
        Self { stdin, stdout: OutputStream::Kept(Vec::new()), stderr: OutputStream::Kept(Vec::new()) }
    }
}

/// Where standard input comes from.
pub(crate) enum InputStream {
    /// Bytes, and the number of those already read.
    Bytes(Vec<u8>, usize),
    /// The embedder's reader, asked for as many bytes as the guest asks for.
    Reader(Box<dyn Read + Send>),
}

impl InputStream {
    pub(crate) fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Bytes(bytes.into(), 0)
    }

    /// Fills the front of `buffer` and returns the number of bytes read. 0 means the end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        match self {
            Self::Bytes(bytes, at) => {
                let rest = bytes.get(*at..).unwrap_or_default();
                let count = rest.len().min(buffer.len());
                if let (Some(from), Some(to)) = (rest.get(..count), buffer.get_mut(..count)) {
                    to.copy_from_slice(from);
                }
                *at = at.saturating_add(count);
                Ok(count)
            }
            Self::Reader(reader) => loop {
                match reader.read(buffer) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(_) => return Err(Errno::Io),
                    Ok(count) => return Ok(count.min(buffer.len())),
                }
            },
        }
    }

    /// Returns the number of bytes that can be read; `None` if only reading would tell.
    pub(crate) fn left(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes, at) => Some(bytes.len().saturating_sub(*at) as u64),
            Self::Reader(_) => None,
        }
    }

    /// Returns the number of bytes held in memory.
    pub(crate) fn held(&self) -> u64 {
        match self {
            Self::Bytes(bytes, _) => bytes.len() as u64,
            Self::Reader(_) => 0,
        }
    }
}

/// Where standard output or standard error goes.
pub(crate) enum OutputStream {
    /// Kept, within the sandbox's limit `output`.
    Kept(Vec<u8>),
    /// Passed to the embedder at once.
    Passed(Box<dyn Write + Send>),
}

impl OutputStream {
    /// Writes `length` bytes. `read` passes them, perhaps in parts, to what it is given.
    pub(crate) fn write(
        &mut self,
        length: u64,
        budget: &Budget,
        read: impl FnOnce(&mut dyn FnMut(&[u8]) -> WasiResult) -> WasiResult,
    ) -> WasiResult {
        match self {
            Self::Kept(kept) => {
                if let Err(limit) = budget.take_output(length) {
                    return Err(Fault::Ended(Error::limit(
                        Limit::Output,
                        format!("the guest writes more than the sandbox allows: limit `output` is {limit} bytes"),
                    )));
                }
                read(&mut |bytes| {
                    kept.extend_from_slice(bytes);
                    Ok(())
                })
            }
            Self::Passed(writer) => {
                let failed = |error: std::io::Error| match error.kind() {
                    ErrorKind::BrokenPipe => Fault::from(Errno::Pipe),
                    _ => Errno::Io.into(),
                };
                read(&mut |bytes| writer.write_all(bytes).map_err(failed))?;
                writer.flush().map_err(failed)
            }
        }
    }

    /// Returns what was kept.
    pub(crate) fn kept(&self) -> &[u8] {
        match self {
            Self::Kept(kept) => kept,
            Self::Passed(_) => &[],
        }
    }
}
