//! Runs random modules in wasmlark's engine and in an independent one, and compares everything that can be seen of
//! them: results, traps, what the host was told, globals, tables and memories.
//!
//! Where they differ, the engine without wasmlark's rewriting and its release before are asked as well.

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
