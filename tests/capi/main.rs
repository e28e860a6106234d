//! The C interface: the header says what the library has, and a program in C uses it.
//! `cargo test --features capi --test capi`.
//!
//! - `header`: `include/wasmlark.h` is made from `src/ffi`.
//! - `calls`: what no program in C can try safely.
//! - `program`: `program.c`, compiled with the C compiler that Rust itself links with, and run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod calls;
mod header;
mod program;
