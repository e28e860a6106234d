//! WASI preview 1.
//!
//! The scripts in this folder compare functions with memory bytes and error numbers, family by family, with guests in
//! the text format: see `lib.star`. What a script cannot see is tested here in Rust:
//!
//! * `anything`: calls with invalid arguments
//! * `errors`: the texts of errors, and limits
//! * `command`: `wasmlark::WasiCommand`
//! * `guests`: programs in C and Rust, of `fixtures/wasi`
//! * `model`: any sequence of calls, compared with a simple model of files

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod anything;
mod command;
mod errors;
mod guests;
mod model;

use wasmlark::{Error, Limits, Run, Sandbox};

/// Runs a script that can load `lib.star`.
fn run(script: &str, limits: Limits) -> Result<Run, Error> {
    let mut sandbox = Sandbox::new().limits(limits);
    sandbox.file("lib.star", include_str!("lib.star"));
    sandbox.run("test.star", script)
}

/// Runs a script of this folder, twice: it must cost the same both times.
fn passes(script: &str) {
    let run = || run(script, Limits::new()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(run(), run());
}

macro_rules! scripts {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            passes(include_str!(concat!(stringify!($name), ".star")));
        })*
    };
}

scripts!(args, clock, fd, machine, path, proc, random, unstable);
