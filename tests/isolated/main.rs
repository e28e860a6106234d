//! What isolated sandboxes promise: `cargo test --features isolated --test isolated`.
//!
//! A clone has to make the evaluator's module first: `cargo run -p wasmlark-make-core`. Without it, these tests fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod cost;
mod grants;
mod hostile;
mod moved;
mod moved_guests;
mod sessions;

use wasmlark::Sandbox;

/// An isolated sandbox.
fn sandbox() -> Sandbox {
    Sandbox::new().isolated(true)
}
