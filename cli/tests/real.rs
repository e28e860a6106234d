//! The scripts of examples/real, which use third-party modules. The command runs each, and its output is compared with
//! the file NAME.out next to it.
//!
//! ```text
//! python3 examples/real/fetch.py                          # once: the modules are not in the repository
//! cargo test --release --test real [-- NAME …]            # all scripts, or the named ones
//! UPDATE=1 cargo test --release --test real               # writes NAME.out instead of comparing
//! ```
//!
//! Not part of `cargo test`, which needs no network.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../../tests/common/golden.rs"]
mod golden;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

const FETCH: &str = "python3 examples/real/fetch.py";

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/real");
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for script in scripts(&folder) {
        let name = script.file_stem().unwrap().to_str().unwrap();
        if !wanted.is_empty() && !wanted.iter().any(|w| w == name) {
            skipped += 1;
            continue;
        }
        let start = Instant::now();
        let golden = format!("../examples/real/{name}.out");
        let command = format!("cargo test --release --test real -- {name}");
        let outcome = run(&script).and_then(|output| golden::compare(&golden, &output, &command));
        let time = start.elapsed().as_millis();
        match outcome {
            Ok(()) => {
                passed += 1;
                println!("pass {name} ({time} ms)");
            }
            Err(why) => {
                failed += 1;
                println!("FAIL {name} ({time} ms)\n{}", indent(&why));
            }
        }
    }
    let missing = missing(&folder);
    if !missing.is_empty() {
        println!("missing modules: {}\nthis fetches them: {FETCH}", missing.join(", "));
    }
    if passed + failed == 0 {
        println!("no script is named {}", wanted.join(" or "));
        failed += 1;
    }
    println!("real: {passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn scripts(folder: &Path) -> Vec<PathBuf> {
    let mut scripts: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "star"))
        .collect();
    scripts.sort();
    scripts
}

/// Returns the output of a script, or its error.
fn run(script: &Path) -> Result<String, String> {
    let done = Command::new(env!("CARGO_BIN_EXE_wasmlark")).arg("run").arg(script).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|e| format!("output is not UTF-8: {e}"));
    if done.status.success() { text(done.stdout) } else { Err(format!("{}\n{}", done.status, text(done.stderr)?)) }
}

/// Returns the modules of the manifest that have not been fetched.
fn missing(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let ids = manifest["modules"].as_array().unwrap().iter().map(|module| module["id"].as_str().unwrap());
    ids.filter(|id| !folder.join(format!("modules/{id}.wasm")).exists()).map(str::to_owned).collect()
}

fn indent(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("    {line}\n")).collect()
}
