//! Runs `tests/script/*.star`: the script API, tested in the language itself.
//!
//! - A line `---` ends a chunk. Each chunk is a script of its own, in a sandbox of its own, with the
//!   functions of `assert.star`.
//! - `### text` at the end of a line: this line must fail, and `text` is the whole message, with `\n`
//!   for a line feed. A chunk with several of these is run once for each, with `pass` in place of the
//!   others. A chunk without must succeed.
//! - `# limits: fuel=1000 ticks=5000` sets limits of the sandbox for the chunk, `fuel=none` among them.
//! - `# file: name` gives the sandbox a file for the chunk: the lines below it that begin with `#|`. One
//!   whose name ends in `.wasm` is written in the text format.
//!
//! `UPDATE=1 cargo test --test suite` writes what the lines fail with into the `###`s; read the diff.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use wasmlark::{Error, Limits, Sandbox};

/// What the files had when this line was last touched, roughly: a suite that finds no files fails.
const AT_LEAST: usize = 750;

/// The native stack of a chunk's thread: what a thread of Rust's has by default. No script may need more.
const STACK: usize = 2 << 20;

const ASSERT: &str = include_str!("../script/lib/assert.star");
const PRELUDE: &str = "load(\"assert.star\", \"eq\", \"true\")";
const MARK: &str = "### ";

#[test]
fn scripts() {
    let files = files();
    let next = AtomicUsize::new(0);
    let results: Mutex<BTreeMap<PathBuf, (usize, String)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let worker = thread::Builder::new().stack_size(STACK);
            let work = || {
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = run_file(path);
                    results.lock().unwrap().insert(path.clone(), result);
                }
            };
            worker.spawn_scoped(scope, work).unwrap();
        }
    });
    let results = results.into_inner().unwrap();
    let count: usize = results.values().map(|(cases, _)| cases).sum();
    let failures: String = results.values().map(|(_, failures)| failures.as_str()).collect();
    println!("{count} cases in {} files", files.len());
    assert!(failures.is_empty(), "\n{failures}\nUPDATE=1 rewrites the expected messages\n");
    assert!(count >= AT_LEAST, "only {count} cases found, of at least {AT_LEAST}");
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/script");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "star")).collect();
    files.sort();
    files
}

/// The number of cases of a file, and what is wrong with them.
fn run_file(path: &Path) -> (usize, String) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let text = fs::read_to_string(path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert!(lines[0].starts_with('#'), "{name}:1: the first line must be a comment: the prelude takes its place");
    let update = std::env::var_os("UPDATE").is_some();
    let (mut cases, mut failures) = (0, String::new());
    for chunk in chunks(&lines) {
        for case in chunk.cases() {
            cases += 1;
            let Ok(result) = catch_unwind(|| case.run(name)) else {
                let line = case.expected.as_ref().map_or(case.first, |(line, _)| *line);
                writeln!(failures, "tests/script/{name}:{line}: panicked").unwrap();
                continue;
            };
            match case.judge(name, &result) {
                Ok(()) => {}
                Err(Wrong::Text { line, message }) if update => {
                    let (code, _) = lines[line - 1].rsplit_once(MARK.trim_end()).unwrap();
                    lines[line - 1] = format!("{code}{MARK}{message}");
                }
                Err(wrong) => writeln!(failures, "{}", wrong.show(name, &case)).unwrap(),
            }
        }
    }
    if update {
        fs::write(path, lines.join("\n") + "\n").unwrap();
    }
    (cases, failures)
}

struct Chunk {
    /// The lines of the whole file up to the chunk's end, those before it blank: lines keep their numbers.
    lines: Vec<String>,
    first: usize,
    marks: Vec<(usize, String)>,
}

fn chunks(lines: &[String]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut first = 0;
    for end in (1..=lines.len()).filter(|end| lines.get(*end).is_none_or(|line| line == "---")) {
        let mut chunk = vec![String::new(); first];
        chunk.push(PRELUDE.to_owned());
        chunk.extend_from_slice(&lines[first + 1..end]);
        let marks = chunk
            .iter()
            .enumerate()
            .filter(|(_, line)| !line.starts_with("#|"))
            .filter_map(|(at, line)| Some((at, line.split_once(MARK.trim_end())?.1.trim().to_owned())))
            .collect();
        chunks.push(Chunk { lines: chunk, first: first + 1, marks });
        first = end;
    }
    chunks
}

/// A script to run.
struct Case {
    script: String,
    limits: Limits,
    files: Vec<(String, Vec<u8>)>,
    first: usize,
    /// The line, from 1, and the message that it must fail with.
    expected: Option<(usize, String)>,
}

impl Chunk {
    fn cases(&self) -> Vec<Case> {
        match self.marks.as_slice() {
            [] => vec![self.case(None)],
            marks => (0..marks.len()).map(|mark| self.case(Some(mark))).collect(),
        }
    }

    fn case(&self, mark: Option<usize>) -> Case {
        let mut lines = self.lines.clone();
        for (index, (at, _)) in self.marks.iter().enumerate() {
            if Some(index) != mark {
                let code = &lines[*at];
                let indent = code.len() - code.trim_start().len();
                lines[*at] = format!("{}pass", &code[..indent]);
            }
        }
        let mut limits = Limits::new();
        let mut files = vec![("assert.star".to_owned(), ASSERT.as_bytes().to_vec())];
        let mut rest = self.lines.iter().peekable();
        while let Some(line) = rest.next() {
            if let Some(settings) = line.strip_prefix("# limits:") {
                limits = settings.split_whitespace().fold(limits, set_limit);
            } else if let Some(name) = line.strip_prefix("# file:") {
                let mut text = String::new();
                while let Some(line) = rest.next_if(|line| line.starts_with("#|")) {
                    text.push_str(line.strip_prefix("#| ").unwrap_or(&line[2..]));
                    text.push('\n');
                }
                let name = name.trim();
                let content = if name.ends_with(".wasm") { wat::parse_str(&text).unwrap() } else { text.into_bytes() };
                files.push((name.to_owned(), content));
            }
        }
        let expected = mark.map(|mark| (self.marks[mark].0 + 1, self.marks[mark].1.clone()));
        Case { script: lines.join("\n") + "\n", limits, files, first: self.first, expected }
    }
}

fn set_limit(limits: Limits, setting: &str) -> Limits {
    let (name, value) = setting.split_once('=').unwrap();
    let number = || value.parse::<u64>().unwrap();
    let count = || value.parse::<usize>().unwrap();
    match name {
        "fuel" => limits.fuel((value != "none").then(number)),
        "memory" => limits.memory(number()),
        "table_elements" => limits.table_elements(number()),
        "instances" => limits.instances(count()),
        "stack_depth" => limits.stack_depth(count()),
        "ticks" => limits.ticks(number()),
        "heap" => limits.heap(count()),
        "call_depth" => limits.call_depth(count()),
        "output" => limits.output(count()),
        "nesting" => limits.nesting(count()),
        _ => panic!("no limit `{name}`"),
    }
}

/// How a case went wrong.
enum Wrong {
    /// It failed at the right line, with another message.
    Text { line: usize, message: String },
    /// It succeeded.
    Succeeded { line: usize },
    /// It failed at another line, or where it should not fail at all.
    Elsewhere { error: String },
}

impl Case {
    fn run(&self, name: &str) -> Result<String, Error> {
        let mut sandbox = Sandbox::new().limits(self.limits.clone());
        for (name, content) in &self.files {
            sandbox.file(name.as_str(), content.as_slice());
        }
        sandbox.run(name, &self.script).map(|run| run.value)
    }

    fn judge(&self, name: &str, result: &Result<String, Error>) -> Result<(), Wrong> {
        match (result, &self.expected) {
            (Ok(_), None) => Ok(()),
            (Ok(_), Some((line, _))) => Err(Wrong::Succeeded { line: *line }),
            (Err(error), None) => Err(Wrong::Elsewhere { error: error.to_string() }),
            (Err(error), Some((line, text))) => {
                let message = error.message().replace('\n', "\\n");
                let at = error.location().map(|at| if at.file == name { at.line } else { 0 });
                match at {
                    Some(at) if at != *line => Err(Wrong::Elsewhere { error: error.to_string() }),
                    // Some limits end a run at no line in particular.
                    _ if message == *text => Ok(()),
                    _ => Err(Wrong::Text { line: *line, message }),
                }
            }
        }
    }
}

impl Wrong {
    fn show(&self, name: &str, case: &Case) -> String {
        let first = case.first;
        match (self, &case.expected) {
            (Self::Text { line, message }, Some((_, text))) => {
                format!("tests/script/{name}:{line}: another message\n  expected: {text}\n  got:      {message}\n")
            }
            (Self::Succeeded { line }, _) => format!("tests/script/{name}:{line}: should have failed\n"),
            (Self::Elsewhere { error }, Some((line, _))) => {
                format!("tests/script/{name}:{line}: failed at another place\n{error}\n")
            }
            (Self::Elsewhere { error } | Self::Text { message: error, .. }, None) => {
                format!("tests/script/{name}:{first}: the chunk failed\n{error}\n")
            }
        }
    }
}
