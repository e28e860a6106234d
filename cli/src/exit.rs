//! What the commands have in common at their end: the exit status, and what was spent.

use wasmlark::{Error, ErrorKind, Stats};

use crate::streams;
use crate::terminal::{self, Colour, Stream, paint};
use crate::trace::Trace;

/// The command did what it was asked to do.
pub const DONE: u8 = 0;
/// The script or guest failed, or could not run.
pub const FAILED: u8 = 1;
/// The command line makes no sense. clap uses the same number.
pub const USAGE: u8 = 2;
/// A limit or the timeout ended the run.
pub const LIMIT: u8 = 3;
/// Ctrl-C ended the run: what a shell reports of a program that its signal ended.
pub const INTERRUPTED: u8 = 130;

/// Returns the exit status for the error that ended a run.
pub fn status(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Exit => error.exit_code().and_then(|code| code.try_into().ok()).unwrap_or(FAILED),
        ErrorKind::Limit(_) | ErrorKind::Deadline => LIMIT,
        ErrorKind::Interrupted => INTERRUPTED,
        _ => FAILED,
    }
}

/// Returns the name of an error's kind, for programs.
pub fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Script => "script",
        ErrorKind::Value => "value",
        ErrorKind::Module => "module",
        ErrorKind::Link => "link",
        ErrorKind::Handle => "handle",
        ErrorKind::Load => "load",
        ErrorKind::Trap(_) => "trap",
        ErrorKind::Limit(_) => "limit",
        ErrorKind::Host => "host",
        ErrorKind::Exit => "exit",
        ErrorKind::Interrupted => "interrupted",
        ErrorKind::Deadline => "deadline",
        ErrorKind::Internal => "internal",
        _ => "other",
    }
}

/// Prints why the command cannot do what it was asked to do, and returns the exit status.
pub fn fail(message: &str) -> u8 {
    tell("error", message);
    FAILED
}

/// Prints a line of a kind, such as `error`, to stderr. A guest may have chosen part of it, such as the name of a file: what
/// would drive a terminal is escaped, as in any error of the library.
pub fn tell(kind: &str, message: &str) {
    terminal::clear_progress();
    let colour = if kind == "error" { Colour::Red } else { Colour::Yellow };
    eprintln!("{} {}", paint(&format!("{kind}:"), colour, Stream::Error), Error::host(message).message());
}

/// Prints what the command was asked for, and returns the exit status.
pub fn printed(text: &[u8]) -> u8 {
    match streams::print(text) {
        Ok(()) => DONE,
        Err(error) => fail(&format!("cannot write: {error}")),
    }
}

/// Returns the exit status of a run, which is that of a failure if its trace could not be written.
pub fn traced(trace: Option<&Trace>, status: u8) -> u8 {
    match trace.map_or(Ok(()), Trace::finish) {
        Ok(()) => status,
        Err(message) if status == DONE => fail(&message),
        Err(message) => {
            fail(&message);
            status
        }
    }
}

/// Prints what was spent to stderr, as one line of JSON. A guest without a script has no ticks.
pub fn print_stats(stats: &Stats, has_script: bool) {
    let fuel = stats.fuel.map_or_else(|| "null".to_owned(), |fuel| fuel.to_string());
    let ticks = if has_script { format!(r#","ticks":{}"#, stats.ticks) } else { String::new() };
    let cost = stats.cost.map_or_else(String::new, |cost| format!(r#","cost":{cost}"#));
    eprintln!(r#"{{"fuel":{fuel}{ticks},"memory_peak":{}{cost}}}"#, stats.memory_peak);
}
