//! The transcripts of `tests/targets/scripts` are the golden ones: `.ci/run targets` compares other targets with
//! the same file.
//!
//! `UPDATE=1 cargo test --test suite transcripts` writes them; `cargo run --example report -- tests/targets/scripts`
//! shows them.

use std::fs;
use std::path::Path;
use std::thread;

#[path = "../targets/transcript.rs"]
mod transcript;

/// The native stack of a thread of Rust's. No script may need more.
const STACK: usize = 2 << 20;

#[test]
fn transcripts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets");
    let scripts = root.join("scripts");
    let run = move || {
        let names = transcript::scripts(&scripts).unwrap();
        let text = |name: String| (name.clone(), transcript::transcript(&scripts, &name).unwrap());
        names.into_iter().map(text).collect::<Vec<_>>()
    };
    let transcripts = thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap();
    let golden = transcript::golden(&transcripts);
    let path = root.join("scripts.golden");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &golden).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    let differ: Vec<&str> = golden.lines().filter(|line| !expected.lines().any(|known| known == *line)).collect();
    assert!(
        golden == expected,
        "these transcripts are not the golden ones:\n{}\n\
         `cargo run --example report -- tests/targets/scripts NAME` shows one; if it is right on all targets,\n\
         UPDATE=1 cargo test --test suite transcripts",
        differ.join("\n")
    );
}
