//! The integration tests, as one binary: it links once.
//!
//! - `api`: the public surface is the one that `docs/api.txt` lists
//! - `book`: the pages of `docs` as a site, and the index of `examples/real`
//! - `common`: goldens, which tests share
//! - `data`: standard input, output and error, and written files
//! - `definition`: where names are defined, and which are visible
//! - `embed`: applications with an evaluator of their own, and the static type checker
//! - `examples`: the examples for applications, which check what they do
//! - `funcrefs`: functions that go into WebAssembly and come back, by proptest
//! - `guide`: the scripts of `docs/guide` print what it says
//! - `handles`: handles while wasm runs and is entered again
//! - `host`: functions and values that an application gives to its scripts
//! - `import`: Rust closures that WebAssembly code calls
//! - `layers`: the modules of `src/` import one way
//! - `limits`: README's table of limits
//! - `nesting`: text, loads and values of any depth end in an error, not in an overflow of the native stack
//! - `observe`: what an observer is told of the calls between scripts, guests and the host
//! - `progress`: a run's memories, and its cost while it goes on
//! - `properties`: what holds for any value, by proptest
//! - `readme`: README's first script prints what README says
//! - `serde`: passing an application's own types into a script and out of it
//! - `session`: calls of a script's functions, and the values that go into and out of them
//! - `stress`: many threads with many sessions, interrupted at any time
//! - `targets`: the transcripts that all targets must share
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod api;
#[cfg(feature = "wat")]
mod book;
mod check;
#[cfg(feature = "wat")]
mod common;
mod data;
mod definition;
#[cfg(feature = "wat")]
mod embed;
#[cfg(all(feature = "serde", feature = "wat"))]
mod examples;
#[cfg(feature = "wat")]
mod funcrefs;
#[cfg(feature = "wat")]
#[path = "../common/golden.rs"]
mod golden;
#[cfg(feature = "wat")]
mod guide;
#[cfg(feature = "wat")]
mod handles;
#[cfg(feature = "serde")]
mod host;
#[cfg(feature = "wat")]
mod import;
mod layers;
#[cfg(feature = "wat")]
mod limits;
mod nesting;
#[cfg(feature = "wat")]
mod observe;
#[cfg(all(feature = "serde", feature = "wat"))]
mod profile;
mod progress;
mod properties;
#[cfg(feature = "wat")]
mod readme;
mod reference;
#[cfg(feature = "serde")]
mod serde;
#[cfg(feature = "wat")]
mod session;
#[cfg(feature = "wat")]
mod stress;
#[cfg(feature = "wat")]
mod targets;
