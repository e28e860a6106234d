//! A module in the binary format, parsed once for everything that reads it.

use wasmparser::{BinaryReaderError, Parser, Payload};

/// The bytes of a module, which may be invalid, and its sections and function bodies in order.
pub(crate) struct Binary<'a> {
    bytes: &'a [u8],
    payloads: Vec<Payload<'a>>,
    error: Option<BinaryReaderError>,
}

impl<'a> Binary<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Self {
        let mut binary = Self { bytes, payloads: Vec::new(), error: None };
        for payload in Parser::new(0).parse_all(bytes) {
            match payload {
                Ok(payload) => binary.payloads.push(payload),
                Err(error) => binary.error = Some(error),
            }
        }
        binary
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the sections and bodies, up to the first that cannot be read.
    pub(crate) fn payloads(&self) -> &[Payload<'a>] {
        &self.payloads
    }

    /// Returns why reading stopped before the end, if it did.
    pub(crate) fn error(&self) -> Option<&BinaryReaderError> {
        self.error.as_ref()
    }
}
