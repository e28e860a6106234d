//! wasmi in three ways: as the library uses it, without the library's rewriting, and the last release of its old design.

// Both share a file, which is compiled once for each.
#[allow(clippy::duplicate_mod)]
mod new;

#[allow(clippy::duplicate_mod)]
mod old;

use std::borrow::Cow;

use super::{Engine, Failure, Machine};
use crate::case::Case;

/// wasmi as the library uses it: what it would compile wrongly is rewritten first.
#[derive(Default)]
pub struct Ours {
    /// Changes the answers of imports, for the harness's own tests.
    pub salt: u64,
}

impl Engine for Ours {
    fn name(&self) -> &'static str {
        "ours"
    }

    fn start(&self, case: &Case) -> Result<Box<dyn Machine>, Failure> {
        let config = config();
        let bytes = repaired(&case.bytes)?;
        new::machine::start(&config, case, &bytes, self.salt)
    }
}

fn config() -> ::wasmi::Config {
    wasmlark::internals::config(&wasmlark::Limits::default())
}

/// Returns the module in the form that the library compiles.
pub fn repaired(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Failure> {
    let engine = ::wasmi::Engine::new(&config());
    wasmlark::internals::repaired(&engine, bytes).map_err(|error| Failure::Rejected(error.to_string()))
}

/// wasmi with the library's configuration, and without its rewriting.
pub struct Raw;

impl Engine for Raw {
    fn name(&self) -> &'static str {
        "raw"
    }

    fn start(&self, case: &Case) -> Result<Box<dyn Machine>, Failure> {
        new::machine::start(&config(), case, &case.bytes, 0)
    }
}

/// wasmi 1.1.0, which does not make NaNs the same everywhere.
pub struct Wasmi1;

impl Engine for Wasmi1 {
    fn name(&self) -> &'static str {
        "wasmi1"
    }

    fn start(&self, case: &Case) -> Result<Box<dyn Machine>, Failure> {
        let mut config = wasmi1::Config::default();
        config.consume_fuel(true).compilation_mode(wasmi1::CompilationMode::Eager).wasm_wide_arithmetic(true);
        config.wasm_memory64(true);
        old::machine::start(&config, case, &case.bytes, 0)
    }
}
