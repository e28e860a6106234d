//! The transcripts of `tests/targets/scripts` equal the golden file, with which `.ci/run targets` compares those of
//! other targets. `cargo run --example report -- tests/targets/scripts` shows them.

use std::path::Path;
use std::thread;

use crate::golden;

#[path = "../targets/transcript.rs"]
mod transcript;

/// The native stack that Rust gives a thread by default. No script may need more.
const STACK: usize = 2 << 20;

#[test]
fn transcripts() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets/scripts");
    let run = move || {
        let names = transcript::scripts(&scripts).unwrap();
        let text = |name: String| {
            (name.clone(), transcript::transcript(&scripts, &name, transcript::Manner::default()).unwrap())
        };
        names.into_iter().map(text).collect::<Vec<_>>()
    };
    let transcripts = thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap();
    let made = transcript::golden(&transcripts);
    let path = "tests/targets/scripts.golden";
    let known = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_default();
    if let Err(error) = golden::compare(path, &made, "cargo test --test suite transcripts") {
        let differ: Vec<&str> = made.lines().filter(|line| known.lines().all(|known| known != *line)).collect();
        panic!(
            "{error}\nthese differ:\n{}\nthis shows one: cargo run --example report -- tests/targets/scripts NAME",
            differ.join("\n")
        );
    }
}
