//! What became of a test, and how it is told.

use std::path::Path;
use std::time::Duration;

use wasmlark::Profile;

use crate::terminal::{Colour, Stream, paint};

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
    pub profiles: Vec<Profile>,
    /// The messages that `--update` writes.
    pub updates: Vec<Update>,
}

#[derive(Clone)]
pub enum Status {
    Passed,
    Skipped { reason: String },
    Failed { message: String, report: String },
}

/// A message that replaces the one of a mark.
#[derive(Clone)]
pub struct Update {
    /// The line from 1.
    pub line: usize,
    pub old: String,
    pub new: String,
}

impl Outcome {
    /// Makes the outcome of what was not run.
    pub fn new(file: &str, name: Option<String>, status: Status) -> Self {
        let (file, output, time) = (file.to_owned(), String::new(), Duration::ZERO);
        Self { file, name, status, output, time, profiles: Vec::new(), updates: Vec::new() }
    }

    /// Makes the outcome of a file that could not be loaded.
    pub fn of_file(file: &Path, message: String, report: String) -> Box<Self> {
        Box::new(Self::new(&file.display().to_string(), None, Status::Failed { message, report }))
    }

    pub fn has_failed(&self) -> bool {
        matches!(self.status, Status::Failed { .. })
    }

    pub fn is_skipped(&self) -> bool {
        matches!(self.status, Status::Skipped { .. })
    }

    /// Returns the line that is printed when the test is over.
    pub fn line(&self) -> String {
        let (word, colour, end) = match &self.status {
            Status::Passed => ("ok  ", Colour::Green, String::new()),
            Status::Skipped { reason } => ("skip", Colour::Yellow, format!(" ({reason})")),
            Status::Failed { .. } => ("FAIL", Colour::Red, String::new()),
        };
        format!("{} {}{end}\n", paint(word, colour, Stream::Output), self.title())
    }

    /// Says why the test failed, and what it printed.
    pub fn describe(&self) -> String {
        let Status::Failed { report, .. } = &self.status else { return String::new() };
        let mut text = format!("\n---- {}\n", self.title());
        if !self.output.is_empty() {
            text.push_str(&format!("{}\n\n", self.output.trim_end()));
        }
        text + report.trim_end() + "\n"
    }

    fn title(&self) -> String {
        match &self.name {
            Some(name) => format!("{}:{name}", self.file),
            None => self.file.clone(),
        }
    }
}

/// Returns the last line.
pub fn summary(outcomes: &[Outcome]) -> String {
    let failed = outcomes.iter().filter(|outcome| outcome.has_failed()).count();
    let skipped = outcomes.iter().filter(|outcome| outcome.is_skipped()).count();
    let passed = outcomes.len().saturating_sub(failed).saturating_sub(skipped);
    format!("\n{passed} passed, {failed} failed, {skipped} skipped\n")
}
