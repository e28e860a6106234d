//! The integration tests, as one binary: it links once.
//!
//! - `script`: the script API, tested in Starlark; runs `tests/script/*.star`
//! - `embed`: applications with an evaluator of their own, and the static type checker
//! - `nesting`: text, loads and values of any depth end in an error, not in a native stack overflow
//! - `targets`: the transcripts that all targets must share
//! - `layers`: that the modules of `src/` import one way
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[cfg(feature = "wat")]
mod embed;
mod layers;
mod nesting;
#[cfg(feature = "wat")]
mod script;
#[cfg(feature = "wat")]
mod targets;
