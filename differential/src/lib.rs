//! Runs random modules in wasmlark's engine and in an independent one, and compares everything that is visible:
//! results, traps, what the host was passed, globals, tables and memories.
//!
//! If they differ, the engine without wasmlark's rewriting and the engine's previous release are run as well.

pub mod case;
pub mod compare;
pub mod engine;
pub mod host;
pub mod interface;
pub mod mark;
pub mod parent;
pub mod plan;
pub mod random;
pub mod shapes;
pub mod shrink;
pub mod smith;
pub mod summary;
pub mod value;
pub mod worker;
