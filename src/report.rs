//! What a person reads of an error that left a script: the message with an excerpt of the source and frames.

use std::cell::RefCell;

use crate::error::{Error, ErrorKind, Limit, Location};
use crate::lang::compat::shift_assign::SourceEdits;
use crate::limits::Limits;

/// Makes the reports of one run.
#[derive(Default)]
pub(crate) struct Reporter {
    /// What was rewritten of the files before they ran.
    edits: RefCell<Vec<SourceEdits>>,
}

impl Reporter {
    /// Keeps what was rewritten of a file: reports show the text as it was written.
    pub(crate) fn add_edits(&self, edits: SourceEdits) {
        self.edits.borrow_mut().push(edits);
    }

    /// One of starlark's own limits, as one of ours. Its error type is private: the texts are all there
    /// is to know it by, and tests hold on to them.
    pub(crate) fn limit_reached(&self, error: starlark::Error, limits: &Limits) -> starlark::Error {
        let (limit, value) = match error.kind() {
            starlark::ErrorKind::StackOverflow(_) => (Limit::CallDepth, limits.call_depth as u64),
            starlark::ErrorKind::Other(e) if e.downcast_ref::<Error>().is_none() => match e.to_string() {
                text if text.starts_with("Execution duration limit of ") => (Limit::Ticks, limits.ticks),
                text if text.starts_with("Heap memory limit of ") => (Limit::Heap, limits.heap as u64),
                _ => return error,
            },
            _ => return error,
        };
        let location = self.location(&error);
        let report = format!("{}\nThe sandbox's limit `{limit}` is {value}.", self.render(&error));
        let message = format!("the sandbox's limit `{limit}` is reached: {value}");
        Error::limit(limit, message).with_report(location, report).into()
    }

    /// What left the evaluator, as an error of this crate.
    pub(crate) fn explain(&self, error: starlark::Error) -> Error {
        let ours = match Error::find_in(&error) {
            Some(ours) if ours.has_report() => return ours.copy(),
            Some(ours) => ours.copy(),
            None => Error::new(ErrorKind::Script, error.without_diagnostic().to_string()),
        };
        ours.with_report(self.location(&error), self.render(&error))
    }

    /// The error with its excerpt and frames, without those that starlark makes for a call from Rust.
    fn render(&self, error: &starlark::Error) -> String {
        let text = without_backtrace(format!("{error:#}").replace("  File <builtin>, in None\n", ""));
        self.edits.borrow().iter().fold(text, |text, rewritten| rewritten.report(&text))
    }

    fn location(&self, error: &starlark::Error) -> Option<Location> {
        let span = error.span()?;
        let begin = span.resolve_span().begin;
        let mut location = Location {
            file: span.filename().to_owned(),
            line: begin.line.saturating_add(1),
            column: begin.column.saturating_add(1),
        };
        self.edits.borrow().iter().for_each(|rewritten| rewritten.location(&mut location));
        Some(location)
    }
}

/// Some of starlark's errors print a backtrace of Rust's, where the environment of the process asks for one:
/// that is no business of the script's.
fn without_backtrace(mut text: String) -> String {
    const TITLE: &str = "\n\nStack backtrace:\n";
    if std::backtrace::Backtrace::capture().status() == std::backtrace::BacktraceStatus::Captured
        && let Some(at) = text.rfind(TITLE)
    {
        text.truncate(at.saturating_add(1));
    }
    text
}
