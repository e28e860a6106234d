//! The module of isolated sandboxes: the evaluator behind five functions, for a host that is wasmlark itself.
//!
//! `room` makes room for a message, and `exchange` takes it and returns where the answer is; `warm` is called once, before
//! the image of the module is taken that all sandboxes begin with; `stop_flag` is where the host writes a 1 to end a
//! script, and `told_flag` where it writes a 1 if it has told a guest of the script to end. The module asks its host by the
//! imports `ask` and `answer`, tells it why it panicked by `panicked`, and that its memory is full by `full`.
//!
//! The guests of a script run outside. The crate that stands in for wasmi (`core/guest/wasmi`) reaches them by imports and
//! exports of its own.
#![cfg_attr(target_family = "wasm", allow(unsafe_code))] // Exported and imported functions; memory.

#[cfg(target_family = "wasm")]
mod allocator;
#[cfg(target_family = "wasm")]
mod edge;
