//! Renders an error that leaves a script: frames, message, place and an excerpt of the source.
//!
//! Everything is made once, at the end, from the error's data and the source as the script's author wrote it.

mod excerpt;
mod frames;
mod signature;

use std::cell::RefCell;
use std::sync::Arc;

use starlark::codemap::{FileSpan, ResolvedPos};

use crate::error::{Error, ErrorKind, Location};
use crate::frame::Frame;
use crate::lang::compat::shift_assign::SourceEdits;
use crate::lang::compat::{messages, places};
use crate::wording::visible;

/// Renders the reports of one session.
#[derive(Default)]
pub(crate) struct Reporter {
    /// The edits of all files that did not run as they were written.
    edits: RefCell<Vec<Arc<SourceEdits>>>,
}

impl Reporter {
    /// Keeps the edits of a file, so that reports show its original text.
    pub(crate) fn add_edits(&self, edits: Arc<SourceEdits>) {
        self.edits.borrow_mut().push(edits);
    }

    /// Returns the edits that were kept.
    pub(crate) fn edits(&self) -> Vec<Arc<SourceEdits>> {
        self.edits.borrow().clone()
    }

    /// Converts an error that left the evaluator to an error of this crate, with its place and its report. `stray` are the
    /// frames of guests that one of starlark's own errors has passed.
    pub(crate) fn explain(&self, error: &starlark::Error, stray: Option<Vec<Frame>>) -> Error {
        let place = error.span().map(|span| excerpt::visible(&self.original(span)));
        let ours = match Error::find_in(error) {
            Some(ours) => ours.copy(),
            None => {
                let ours = Error::new(ErrorKind::Script, self.message(error));
                ours.add_frames(stray);
                ours
            }
        };
        let report = visible(self.render(error, place.as_ref(), ours.guest_note()));
        ours.with_report(place.as_ref().map(location), report).with_call_sites(self.call_sites(error))
    }

    /// Returns the places of the calls that led to an error, outermost first.
    fn call_sites(&self, error: &starlark::Error) -> Vec<Location> {
        let frames = &error.call_stack().frames;
        frames.iter().filter_map(|frame| frame.location.as_ref()).map(|span| location(&self.original(span))).collect()
    }

    /// Returns an error's message, with advice where starlark's has none.
    fn message(&self, error: &starlark::Error) -> String {
        let message = error.without_diagnostic().to_string();
        // What a script says with `fail` is its own.
        let is_ours = Error::find_in(error).is_some() || matches!(error.kind(), starlark::ErrorKind::Fail(_));
        if is_ours {
            return message;
        }
        if let Some(reworded) = messages::reworded(&message) {
            return reworded;
        }
        let place = error.span().map(|span| self.original(span));
        let advice = place.and_then(|place| {
            messages::advice(&message, &place).or_else(|| signature::advice(&message, place.source_span()))
        });
        match advice {
            Some(advice) => format!("{message}; {advice}"),
            None => message,
        }
    }

    fn render(&self, error: &starlark::Error, place: Option<&FileSpan>, note: Option<String>) -> String {
        let message = self.message(error);
        if !error.has_diagnostic() {
            return message;
        }
        let mut report = frames::render(&error.call_stack().frames, |span| self.original(span));
        report.push_str(&format!("error: {message}\n"));
        if let Some(place) = place {
            report.push_str(&excerpt::render(place));
        }
        if let Some(note) = note {
            report.push_str(&format!("{note}\n"));
        }
        let mut cause = error.kind().source();
        let mut last = message.to_string();
        while let Some(inner) = cause {
            // The error of a host function stands inside one of ours with the same message.
            let text = inner.to_string();
            if text != last {
                report.push_str(&format!("caused by: {text}\n"));
            }
            last = text;
            cause = inner.source();
        }
        report
    }

    /// Returns the place in the original text that corresponds to a place in the text that ran.
    pub(crate) fn original(&self, span: &FileSpan) -> FileSpan {
        let original = self.edits.borrow().iter().find_map(|edits| edits.original(span));
        places::whole(original.as_ref().unwrap_or(span))
    }
}

fn location(place: &FileSpan) -> Location {
    begin_and_end(place).0
}

/// Returns where a place begins and where it ends.
pub(crate) fn begin_and_end(place: &FileSpan) -> (Location, Location) {
    let span = place.resolve_span();
    let location = |position: ResolvedPos| Location {
        file: place.filename().to_owned(),
        line: position.line.saturating_add(1),
        column: position.column.saturating_add(1),
    };
    (location(span.begin), location(span.end))
}
