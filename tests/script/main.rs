//! The script API, tested in the language: runs the chunks of `tests/script/*.star`.
//!
//! ```text
//! cargo test --test script                      all chunks
//! cargo test --test script memory               those whose names contain that
//! cargo test --test script memory.star:13:      the one at that line
//! cargo test --test script -- --list            their names: FILE:LINE: TITLE
//! ISOLATED=1 cargo test --features isolated --test script    all, in isolated sandboxes
//! UPDATE=1 cargo test --test script             writes the messages that marked lines fail with; read the diff
//! ```
//!
//! - A line `---` ends a chunk. Each chunk is a script of its own, in a sandbox of its own, with the functions of
//!   `lib/assert.star`. Its first line is a comment, its title.
//! - `### message` at the end of a line: this line must fail, and `message` is the whole message, with `\n` for a
//!   line feed. A chunk with several such lines runs once for each of them, with `pass` in place of the others. A
//!   chunk without any must succeed.
//! - Directives set limits and add files: see `tests/common/directives.rs`. A chunk with `# skip: REASON` counts as
//!   ignored; `-- --include-ignored` runs it all the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod chunk;
#[path = "../common/directives.rs"]
mod directives;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::thread;

use chunk::Chunk;
use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// The native stack of a chunk's thread, which is what Rust gives a thread by default. No script may need more.
const STACK: usize = 2 << 20;

/// New messages by file and line.
type Updates = Arc<Mutex<BTreeMap<String, BTreeMap<usize, String>>>>;

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let updates = std::env::var_os("UPDATE").map(|_| Updates::default());
    let trials = match chunks() {
        Ok(chunks) => chunks.into_iter().map(|chunk| trial(chunk, &args, updates.clone())).collect(),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let conclusion = libtest_mimic::run(&args, trials);
    for (file, messages) in updates.iter().flat_map(|updates| updates.lock().unwrap().clone()) {
        let path = folder().join(&file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, chunk::rewrite(&text, messages.iter().map(|(line, text)| (*line, text.as_str())))).unwrap();
        println!("{} messages changed in tests/script/{file}", messages.len());
    }
    conclusion.exit_code()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/script")
}

fn chunks() -> Result<Vec<Chunk>, String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".star"))
        .collect();
    names.sort();
    if names.is_empty() {
        return Err("no scripts in tests/script".to_owned());
    }
    let mut chunks = Vec::new();
    for name in names {
        chunks.extend(Chunk::parse(&name, &fs::read_to_string(folder().join(&name)).unwrap())?);
    }
    Ok(chunks)
}

fn trial(chunk: Chunk, args: &Arguments, updates: Option<Updates>) -> Trial {
    let runs_skipped = args.ignored || args.include_ignored;
    let (name, is_skipped) = (chunk.name(), chunk.skip.is_some());
    let run = move || match &chunk.skip {
        Some(reason) if !runs_skipped => Ok(Completion::ignored_with(reason)),
        _ => run(&chunk, updates.as_ref()).map(|()| Completion::Completed),
    };
    // With the flag, the reason would not be printed.
    Trial::ignorable_test(name, run).with_ignored_flag(is_skipped && runs_skipped)
}

fn run(chunk: &Chunk, updates: Option<&Updates>) -> Result<(), Failed> {
    let failures = thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(STACK);
        worker.spawn_scoped(scope, || chunk.run()).unwrap().join()
    });
    let failures = failures.map_err(|_| report(chunk, "the chunk panicked\n"))?;
    let mut text = String::new();
    for failure in failures {
        match (failure.message, updates) {
            (Some(message), Some(updates)) => {
                updates.lock().unwrap().entry(chunk.file.clone()).or_default().insert(failure.line, message);
            }
            _ => text.push_str(&format!("tests/script/{}:{}: {}\n", chunk.file, failure.line, failure.text)),
        }
    }
    if text.is_empty() { Ok(()) } else { Err(report(chunk, &text)) }
}

/// Returns the failure: what went wrong, and the commands to run next.
fn report(chunk: &Chunk, text: &str) -> Failed {
    let command = format!("cargo test --test script {}:", chunk.filter());
    Failed::from(format!("{text}\nto run this chunk alone:  {command}\nto accept new messages:   UPDATE=1 {command}"))
}
