//! The module of isolated sandboxes: the evaluator behind four functions, for a host that is wasmlark itself.
//!
//! `room` makes room for a message, and `exchange` takes it and returns where the answer is; `warm` is called once, before
//! the image of the module is taken that all sandboxes begin with; `stop_flag` is where the host writes a 1 to end a
//! script. The module asks its host by the imports `ask` and `answer`, tells it why it panicked by `panicked`, and
//! that its memory is full by `full`.
#![cfg_attr(target_family = "wasm", allow(unsafe_code))] // Exported and imported functions; memory.

#[cfg(target_family = "wasm")]
mod allocator;
#[cfg(target_family = "wasm")]
mod edge;
