//! A module and how it is run, all derived from a seed.

use std::sync::Arc;

use anyhow::Result;

use crate::interface::Interface;
use crate::plan::ZERO;
use crate::random::{Random, mix};
use crate::{shapes, smith};

/// A module to be run.
#[derive(Clone)]
pub struct Case {
    pub seed: u64,
    pub bytes: Vec<u8>,
    pub interface: Arc<Interface>,
    /// Whether the module is instantiated twice, and the second instance imports what the first one exports.
    pub linked: bool,
}

/// What makes modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Generator {
    /// wasm-smith.
    Smith,
    /// The generator of this crate.
    Shapes,
    /// Both in turn.
    Both,
}

impl Generator {
    /// Returns the generator for a seed.
    fn of(self, seed: u64) -> Self {
        match self {
            // wasm-smith's modules are larger and contain fewer of the shapes that matter.
            Self::Both if mix(seed).is_multiple_of(3) => Self::Smith,
            Self::Both => Self::Shapes,
            one => one,
        }
    }
}

impl Case {
    /// Makes a module; the same seed makes the same one.
    pub fn generate(generator: Generator, seed: u64) -> Result<Self> {
        let mut random = Random::new(seed);
        let bytes = match generator.of(seed) {
            Generator::Smith => smith::module(&mut random)?,
            _ => shapes::module(&mut random),
        };
        Self::new(seed, bytes)
    }

    /// Whether an instance that failed to instantiate is of interest, since functions of it are in a table of the host.
    /// This holds only for modules written for the purpose: wasmtime considers all active segments of such an instance
    /// dropped, although they are dropped one by one.
    pub fn may_be_half_made(&self) -> bool {
        self.interface.imports.iter().any(|import| import.name.starts_with(ZERO))
    }

    /// A given module, of which only the calls come from the seed.
    pub fn new(seed: u64, bytes: Vec<u8>) -> Result<Self> {
        let interface = Arc::new(Interface::of(&bytes)?);
        Ok(Self { seed, bytes, interface, linked: mix(seed ^ 1).is_multiple_of(3) })
    }
}
