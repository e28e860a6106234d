//! `wasmlark test`.

mod chunk;
mod chunk_test;
mod coverage;
mod directives;
mod file;
mod find;
mod function;
mod junit;
mod outcome;
pub mod parts;
mod update;
mod workers;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use wasmlark::{Limit, Limits};

use self::chunk_test::ChunkTest;
use self::file::Manner;
use self::function::FunctionTest;
use self::outcome::Outcome;
use self::workers::in_order;
use crate::args::TestArguments;
use crate::{ceiling, exit, profile, streams, terminal};

use self::find::has_chunks;
pub use self::find::is_test;

/// A test to run, or an outcome that is already known.
enum Trial {
    Function(FunctionTest),
    Chunk(Box<ChunkTest>),
    Done(Box<Outcome>),
}

/// Runs tests and returns the exit status.
pub fn run(options: &TestArguments) -> u8 {
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    let jobs = options.jobs.map_or_else(processors, usize::from);
    match try_run(options, jobs) {
        Ok(status) => status,
        Err(message) => exit::fail(&message),
    }
}

fn try_run(options: &TestArguments, jobs: usize) -> Result<u8, String> {
    let manner = Manner { options, coverage: options.coverage.as_ref().map(|_| coverage::Report::default()) };
    let trials = prepare(&manner, jobs)?;
    if trials.is_empty() {
        return Err(nothing_found(options));
    }
    let limits = trials.iter().filter_map(Trial::limits).fold(options.limits.0.clone(), widest);
    guard(options, &limits, jobs);
    let mut outcomes = Vec::new();
    let perform = |trial: &Trial| trial.run(&manner);
    in_order(&trials, jobs, stack(&limits), perform, |outcome| {
        print(&outcome.line())?;
        outcomes.push(outcome);
        terminal::show_progress(&format!("{} of {}", outcomes.len(), trials.len()));
        Ok(())
    })?;
    print(&outcomes.iter().map(Outcome::describe).collect::<String>())?;
    print(&update::write(&outcomes)?)?;
    print(&outcome::summary(&outcomes))?;
    if let Some(file) = &options.junit {
        let text = junit::render(&outcomes);
        fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    if let Some(file) = &options.guests.profile {
        profile::write_all(file, outcomes.iter().flat_map(|outcome| &outcome.profiles))?;
    }
    if let (Some(file), Some(coverage)) = (&options.coverage, &manner.coverage) {
        coverage.write(file)?;
    }
    Ok(if outcomes.iter().any(Outcome::has_failed) { exit::FAILED } else { exit::DONE })
}

/// Finds the tests.
fn prepare(manner: &Manner<'_>, jobs: usize) -> Result<Vec<Trial>, String> {
    let options = manner.options;
    let files = find::files(&options.paths)?;
    let mut trials = Vec::new();
    guard(options, &options.limits.0, jobs);
    let prepare = |file: &PathBuf| of_file(file, manner).unwrap_or_else(|outcome| vec![Trial::Done(outcome)]);
    in_order(&files, jobs, stack(&options.limits.0), prepare, |found| {
        trials.extend(found.into_iter().filter(|trial| trial.is_wanted(options.filter.as_deref())));
        Ok(())
    })?;
    Ok(trials)
}

fn of_file(file: &Path, manner: &Manner<'_>) -> Result<Vec<Trial>, Box<Outcome>> {
    match has_chunks(&file.to_string_lossy()) {
        true => Ok(ChunkTest::all(file, manner)?.into_iter().map(|test| Trial::Chunk(Box::new(test))).collect()),
        false => Ok(FunctionTest::all(file, manner)?.into_iter().map(Trial::Function).collect()),
    }
}

fn nothing_found(options: &TestArguments) -> String {
    let paths: Vec<String> = options.paths.iter().map(|path| path.display().to_string()).collect();
    let filter = options.filter.as_ref().map(|text| format!(" whose names contain `{text}`")).unwrap_or_default();
    format!(
        "no tests{filter} in {}: a test is a function `{}*` in a file `*{}`, or a chunk of a file `*{}`",
        paths.join(", "),
        function::PREFIX,
        find::FUNCTIONS,
        find::CHUNKS
    )
}

impl Trial {
    /// Returns whether `--filter` lets it through. A file that cannot be loaded always fails.
    fn is_wanted(&self, filter: Option<&str>) -> bool {
        let title = match self {
            Self::Function(test) => test.title(),
            Self::Chunk(test) => test.title(),
            Self::Done(_) => return true,
        };
        filter.is_none_or(|text| title.contains(text))
    }

    /// Returns the limits that it has for itself.
    fn limits(&self) -> Option<&Limits> {
        match self {
            Self::Chunk(test) => test.limits(),
            Self::Function(_) | Self::Done(_) => None,
        }
    }

    fn run(&self, manner: &Manner<'_>) -> Outcome {
        match self {
            Self::Function(test) => test.run(manner.options.timeout),
            Self::Chunk(test) => test.run(manner),
            Self::Done(outcome) => Outcome::clone(outcome),
        }
    }
}

/// Returns limits that allow what either of two allows.
fn widest(mut one: Limits, other: &Limits) -> Limits {
    for limit in Limit::ALL {
        let values = one.get(*limit).zip(other.get(*limit));
        // Each of the values is one that the limit can have.
        let _ = one.put(*limit, values.map(|(a, b)| a.max(b)));
    }
    one
}

/// Sets the ceiling of the process. What runs isolated needs none: its memory cannot pass a limit.
fn guard(options: &TestArguments, limits: &Limits, jobs: usize) {
    if !options.isolated {
        ceiling::set(limits, jobs);
    }
}

/// Returns the size of a stack that is large enough for the limits.
fn stack(limits: &Limits) -> usize {
    limits.native_stack().saturating_mul(2)
}

fn print(text: &str) -> Result<(), String> {
    streams::print(text.as_bytes()).map_err(|error| format!("cannot write: {error}"))
}
