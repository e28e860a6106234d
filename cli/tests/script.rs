//! The script API, tested in the language: `wasmlark test tests/script`.
//!
//! ```text
//! cargo test --test script                                       all chunks
//! cargo run -- test tests/script --filter memory                 those whose names contain that
//! cargo run -- test tests/script --filter memory_chunks.star:13: the one at that line
//! cargo run -- test tests/script --update                        writes the messages that marked lines fail with; read the diff
//! cargo test --test script -- --ignored                          all, in isolated sandboxes
//! ```

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

/// Runs the tests with these options. What the command prints is not captured: each chunk counts as a test.
fn run(options: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
    let status = command.args(["test", "tests/script"]).args(options).current_dir(root).status().unwrap();
    assert!(status.success(), "{status}");
}

#[test]
fn chunks() {
    run(&[]);
}

#[test]
#[ignore = "needs the evaluator's module"]
fn chunks_isolated() {
    run(&["--isolated"]);
}
