//! Writes what scripts print.

use starlark::PrintHandler;

use crate::data::{Data, Stream};

/// Writes printed lines to the script's standard output.
pub(super) struct Printer(pub(super) Data);

impl PrintHandler for Printer {
    fn println(&self, text: &str) -> starlark::Result<()> {
        Ok(self.0.write(Stream::Output, &[text.as_bytes(), b"\n"], "prints")?)
    }
}
