//! What the harness requires of an engine.

mod wasmi;
mod wasmtime;

use std::fmt;

use crate::case::Case;
use crate::value::Value;

pub use self::wasmi::{Ours, Raw, Wasmi1, repaired};
pub use self::wasmtime::Wasmtime;

/// The maximum number of bytes of a memory in any engine, and of elements of a table.
pub const MAX_MEMORY: usize = 40 << 16;
pub const MAX_TABLE: usize = 2_000;

/// Something that runs modules.
pub trait Engine {
    fn name(&self) -> &'static str;

    /// Compiles and instantiates a module.
    fn start(&self, case: &Case) -> Result<Box<dyn Machine>, Failure>;
}

/// An instance of a module.
pub trait Machine {
    /// Calls the function of this index among those that are exported.
    fn call(&mut self, index: usize, args: &[Value]) -> Result<Vec<Value>, Trap>;

    /// Returns the state of everything exported; the contents of memories only if `deep`.
    fn state(&mut self, deep: bool) -> State;
}

/// Why there is no instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The engine rejects the module.
    Rejected(String),
    Trap(Trap),
}

/// What is visible of an instance from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub globals: Vec<Value>,
    pub tables: Vec<Vec<Value>>,
    /// The pages and a digest of each memory.
    pub memories: Vec<(u64, u64)>,
    /// A digest of the calls that the host has received.
    pub host: u64,
}

/// Why a call ended without results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trap {
    Unreachable,
    MemoryBounds,
    TableBounds,
    NullCall,
    DivisionByZero,
    Overflow,
    Conversion,
    Signature,
    Host,
    /// Each engine counts these in its own way.
    Stack,
    Fuel,
    Resources(String),
    Other(String),
}

impl Trap {
    /// Returns whether engines must agree about it.
    pub fn is_comparable(&self) -> bool {
        !matches!(self, Self::Stack | Self::Fuel | Self::Resources(_))
    }

    pub fn number(&self) -> u32 {
        match self {
            Self::Unreachable => 0,
            Self::MemoryBounds => 1,
            Self::TableBounds => 2,
            Self::NullCall => 3,
            Self::DivisionByZero => 4,
            Self::Overflow => 5,
            Self::Conversion => 6,
            Self::Signature => 7,
            Self::Host => 8,
            Self::Stack => 9,
            Self::Fuel => 10,
            Self::Resources(_) => 11,
            Self::Other(_) => 12,
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "unreachable",
            Self::MemoryBounds => "out of a memory's bounds",
            Self::TableBounds => "out of a table's bounds",
            Self::NullCall => "call of null",
            Self::DivisionByZero => "division by zero",
            Self::Overflow => "integer overflow",
            Self::Conversion => "bad conversion",
            Self::Signature => "wrong signature",
            Self::Host => "an error of the host",
            Self::Stack => "stack overflow",
            Self::Fuel => "out of fuel",
            Self::Resources(what) | Self::Other(what) => what,
        })
    }
}
