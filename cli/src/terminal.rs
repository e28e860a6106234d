//! Colour and progress, for a person at a terminal. Output to a pipe or a file has neither.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// A standard stream that a person may read.
#[derive(Clone, Copy)]
pub enum Stream {
    Output,
    Error,
}

impl Stream {
    fn is_terminal(self) -> bool {
        match self {
            Self::Output => io::stdout().is_terminal(),
            Self::Error => io::stderr().is_terminal(),
        }
    }

    /// Returns whether the stream takes colours: never with `NO_COLOR`, always with `CLICOLOR_FORCE`, otherwise on a terminal.
    fn has_colour(self) -> bool {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
        // Any value that is not empty turns colours off, even 0: https://no-color.org
        if env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            return false;
        }
        is_set("CLICOLOR_FORCE") || self.is_terminal() && is_smart()
    }
}

/// Returns whether the terminal supports the escape sequences for colours and for erasing a line.
fn is_smart() -> bool {
    env::var_os("TERM").is_some_and(|term| term != "dumb")
}

#[derive(Clone, Copy)]
pub enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

/// Returns a text in bold and in a colour, if the stream takes colours.
pub fn paint(text: &str, colour: Colour, stream: Stream) -> String {
    match stream.has_colour() {
        true => format!("\x1b[1;{}m{text}\x1b[0m", colour as u8),
        false => text.to_owned(),
    }
}

/// Returns the report of an error for stderr, with the word `error` at the beginning of its message in colour.
pub fn paint_report(report: &str) -> String {
    let word = "error:";
    let at = if report.starts_with(word) { Some(0) } else { report.find("\nerror:").map(|at| at.saturating_add(1)) };
    match at.and_then(|at| report.split_at_checked(at)) {
        Some((frames, message)) => {
            let rest = message.strip_prefix(word).unwrap_or_default();
            format!("{frames}{}{rest}", paint(word, Colour::Red, Stream::Error))
        }
        None => report.to_owned(),
    }
}

/// Whether the terminal shows a line of progress.
static IS_SHOWN: AtomicBool = AtomicBool::new(false);

/// Shows a line of progress in place of the previous one, if stderr is a terminal.
pub fn show_progress(text: &str) {
    if Stream::Error.is_terminal() && is_smart() {
        IS_SHOWN.store(true, Ordering::Relaxed);
        let _ = write!(io::stderr(), "\r\x1b[K{text}");
    }
}

/// Erases the line of progress, before anything else is written.
pub fn clear_progress() {
    if IS_SHOWN.load(Ordering::Relaxed) && IS_SHOWN.swap(false, Ordering::Relaxed) {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}
