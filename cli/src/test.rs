//! `wasmlark test`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use wasmlark::{CallLimits, Error, Limits, Profile, Program, Sandbox};

use crate::args::TestArguments;
use crate::root::Root;
use crate::run::{Source, granting_root};
use crate::terminal::{self, Colour, Stream, paint};
use crate::{ceiling, coverage, exit, interrupt, junit, profile, streams};

/// How the name of a file with tests ends.
pub const SUFFIX: &str = "_test.star";

/// How the name of a test begins.
const PREFIX: &str = "test_";

/// The outcome of a test, or of a file that could not be loaded.
#[derive(Clone)]
pub struct Outcome {
    pub file: String,
    /// `None` for the file itself.
    pub name: Option<String>,
    pub status: Status,
    /// What it printed and wrote.
    pub output: String,
    pub time: Duration,
    pub profile: Option<Profile>,
}

#[derive(Clone)]
pub enum Status {
    Passed,
    Failed { message: String, report: String },
}

impl Outcome {
    pub fn has_failed(&self) -> bool {
        matches!(self.status, Status::Failed { .. })
    }

    /// Makes the outcome of a file that could not be loaded.
    fn of_file(file: &Path, message: String, report: String) -> Self {
        let (file, status) = (file.display().to_string(), Status::Failed { message, report });
        Self { file, name: None, status, output: String::new(), time: Duration::ZERO, profile: None }
    }
}

/// A test to run, or an outcome that is already known.
enum Trial {
    Test { file: String, name: String, program: Program },
    Done(Outcome),
}

/// Runs tests and returns the exit status.
pub fn run(options: &TestArguments) -> u8 {
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    let jobs = options.jobs.map_or_else(processors, usize::from);
    ceiling::set(&options.limits.0, jobs);
    match try_run(options, jobs) {
        Ok(status) => status,
        Err(message) => exit::fail(&message),
    }
}

fn try_run(options: &TestArguments, jobs: usize) -> Result<u8, String> {
    let limits = &options.limits.0;
    let coverage = options.coverage.as_ref().map(|_| coverage::Report::default());
    let files = find(&options.paths)?;
    let mut trials = Vec::new();
    in_order(
        &files,
        jobs,
        limits,
        |file: &PathBuf| prepare(file, options, coverage.as_ref()),
        |found| {
            trials.extend(found);
            Ok(())
        },
    )?;
    if trials.is_empty() {
        let paths: Vec<String> = options.paths.iter().map(|path| path.display().to_string()).collect();
        let filter = options.filter.as_ref().map(|text| format!(" whose names contain `{text}`")).unwrap_or_default();
        return Err(format!(
            "no tests{filter} in {}: a test is a function `{PREFIX}*` in a file `*{SUFFIX}`",
            paths.join(", ")
        ));
    }
    let mut outcomes = Vec::new();
    let perform = |trial: &Trial| perform(trial, options.timeout);
    in_order(&trials, jobs, limits, perform, |outcome| {
        streams::print(line(&outcome).as_bytes()).map_err(|error| format!("cannot write: {error}"))?;
        outcomes.push(outcome);
        terminal::show_progress(&format!("{} of {}", outcomes.len(), trials.len()));
        Ok(())
    })?;
    let failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.has_failed()).collect();
    let mut end: String = failed.iter().map(|outcome| describe(outcome)).collect();
    end.push_str(&format!("\n{} passed, {} failed\n", outcomes.len().saturating_sub(failed.len()), failed.len()));
    streams::print(end.as_bytes()).map_err(|error| format!("cannot write: {error}"))?;
    if let Some(file) = &options.junit {
        let text = junit::render(&outcomes);
        fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    if let Some(file) = &options.profile {
        profile::write_all(file, outcomes.iter().filter_map(|outcome| outcome.profile.as_ref()))?;
    }
    if let (Some(file), Some(coverage)) = (&options.coverage, &coverage) {
        coverage.write(file)?;
    }
    Ok(if failed.is_empty() { exit::DONE } else { exit::FAILED })
}

/// Returns the files among `paths`, and the test files in the folders among them, at any depth. They are in the order of
/// `paths`, and within a folder by name. Skips folders whose names begin with a dot, and links to folders.
fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let (mut found, mut known) = (Vec::new(), BTreeSet::new());
    for path in paths {
        let mut below = BTreeSet::new();
        let metadata = fs::metadata(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        if metadata.is_dir() {
            search(path, &mut below)?;
        } else {
            below.insert(path.clone());
        }
        found.extend(below.into_iter().filter(|file| known.insert(file.clone())));
    }
    Ok(found)
}

fn search(folder: &Path, found: &mut BTreeSet<PathBuf>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (name, kind) = (entry.file_name(), entry.file_type().map_err(failed)?);
        let name = name.to_string_lossy();
        // A file in the current folder is shown as `x`, not `./x`.
        let path = if folder == Path::new(".") { PathBuf::from(entry.file_name()) } else { entry.path() };
        if kind.is_dir() && !name.starts_with('.') {
            search(&path, found)?;
        } else if kind.is_file() && name.ends_with(SUFFIX) {
            found.insert(path);
        }
    }
    Ok(())
}

/// Parses a file, evaluates what it loads, and returns its tests.
fn prepare(file: &Path, options: &TestArguments, coverage: Option<&coverage::Report>) -> Vec<Trial> {
    let shown = file.display().to_string();
    let is_wanted = |name: &str| options.filter.as_ref().is_none_or(|text| format!("{shown}:{name}").contains(text));
    let program = match program(file, options, coverage) {
        Ok(program) => program,
        Err(outcome) => return vec![Trial::Done(*outcome)],
    };
    let names = program.functions().into_iter().filter(|name| name.starts_with(PREFIX) && is_wanted(name));
    names.map(|name| Trial::Test { file: shown.clone(), name, program: program.clone() }).collect()
}

fn program(file: &Path, options: &TestArguments, coverage: Option<&coverage::Report>) -> Result<Program, Box<Outcome>> {
    let failed = |message: String| Box::new(Outcome::of_file(file, message.clone(), format!("error: {message}")));
    let source = Source::read(&file.to_string_lossy(), Vec::new()).map_err(failed)?;
    let root = Root::of(options.root.as_ref().unwrap_or(&source.folder)).map_err(failed)?;
    let name = root.name_of(&source.name);
    let mut sandbox = Sandbox::new().limits(options.limits.0.clone()).asserts(true).writable(true);
    sandbox = sandbox.interruptible(interrupt::should_pause(&options.limits.0, options.timeout));
    sandbox = sandbox.backtrace(options.backtrace).profile(options.profile.is_some());
    if let Some(coverage) = coverage {
        sandbox = coverage.watch(sandbox, &root);
    }
    let sandbox = granting_root(sandbox, root);
    // The timeout ends the evaluation of the files that it loads. Each test then gets the whole timeout.
    options.timeout.inspect(|timeout| sandbox.interrupt().after(*timeout));
    let program = sandbox.program(&name, &source.text);
    sandbox.interrupt().reset();
    program.map_err(|error| Box::new(Outcome::of_file(file, error.message().to_owned(), error.to_string())))
}

/// Runs one test, in a session of its own.
fn perform(trial: &Trial, timeout: Option<Duration>) -> Outcome {
    let (file, name, program) = match trial {
        Trial::Test { file, name, program } => (file.clone(), name, program),
        Trial::Done(outcome) => return outcome.clone(),
    };
    let start = Instant::now();
    let (output, profile, result) = call(program, name, timeout);
    let status = match result {
        Ok(()) => Status::Passed,
        Err(error) => Status::Failed { message: error.message().to_owned(), report: error.to_string() },
    };
    Outcome { file, name: Some(name.clone()), status, output, time: start.elapsed(), profile }
}

fn call(program: &Program, name: &str, timeout: Option<Duration>) -> (String, Option<Profile>, Result<(), Error>) {
    let limits = timeout.map_or(CallLimits::new(), |timeout| CallLimits::new().deadline(timeout));
    let mut session = match program.session_with(limits) {
        Ok(session) => session,
        Err(error) => return (String::new(), None, Err(error)),
    };
    let result = session.call_values_with(name, &[], &[], limits);
    let output = session.take_output() + &String::from_utf8_lossy(&session.take_error_output());
    (output, session.profile(), result.map(|_| ()))
}

fn line(outcome: &Outcome) -> String {
    let (word, colour) = if outcome.has_failed() { ("FAIL", Colour::Red) } else { ("ok  ", Colour::Green) };
    format!("{} {}\n", paint(word, colour, Stream::Output), title(outcome))
}

fn title(outcome: &Outcome) -> String {
    match &outcome.name {
        Some(name) => format!("{}:{name}", outcome.file),
        None => outcome.file.clone(),
    }
}

/// Says why a test failed, and what it printed.
fn describe(outcome: &Outcome) -> String {
    let Status::Failed { report, .. } = &outcome.status else { return String::new() };
    let mut text = format!("\n---- {}\n", title(outcome));
    if !outcome.output.is_empty() {
        text.push_str(&format!("{}\n\n", outcome.output.trim_end()));
    }
    text + report.trim_end() + "\n"
}

/// Does `work` on the items, `jobs` at a time, on stacks that are large enough for the limits. Passes the results to `deliver`
/// in the order of the items, each as soon as all before it were passed.
fn in_order<T: Sync, R: Send>(
    items: &[T],
    jobs: usize,
    limits: &Limits,
    work: impl Fn(&T) -> R + Sync,
    mut deliver: impl FnMut(R) -> Result<(), String>,
) -> Result<(), String> {
    let next = AtomicUsize::new(0);
    let stack = limits.native_stack().saturating_mul(2);
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for _ in 0..jobs.min(items.len()) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            let worker = move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    if sender.send((index, work(item))).is_err() {
                        return;
                    }
                }
            };
            let thread = thread::Builder::new().stack_size(stack).spawn_scoped(scope, worker);
            thread.map_err(|error| format!("cannot make a thread with a stack of {stack} bytes: {error}"))?;
        }
        drop(sender);
        let (mut waiting, mut wanted) = (BTreeMap::new(), 0_usize);
        for (index, result) in results {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&wanted) {
                deliver(result)?;
                wanted = wanted.saturating_add(1);
            }
        }
        Ok(())
    })
}
