//! wasmi in three ways: as the library uses it, as it is, and its last release of the old design.

// The two share a file, which is compiled against either.
#[allow(clippy::duplicate_mod)]
mod new;

#[allow(clippy::duplicate_mod)]
mod old;

use std::borrow::Cow;

use super::{Engine, Failure, Machine};
use crate::case::Case;

/// wasmi as the library uses it: what it compiles wrongly is rewritten first.
#[derive(Default)]
pub struct Ours {
    /// Changes what imports answer: for the harness's own tests.
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

/// The module as the library has it compiled.
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

/// wasmi 1.1.0. It knows nothing of NaNs that are the same everywhere.
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
