//! The replies to the page's requests.

use serde_json::{Value as Json, json};
use wasmlark::{Diagnostic, Error, ErrorKind, Location, Stats};

/// The answer to a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The head, which is JSON.
    pub head: Vec<u8>,
    /// Bytes that the head describes.
    pub body: Vec<u8>,
}

impl Reply {
    pub(crate) fn new(head: &Json, body: Vec<u8>) -> Self {
        Self { head: head.to_string().into_bytes(), body }
    }

    /// Makes the reply to a request that makes no sense.
    pub(crate) fn refused(why: impl ToString) -> Self {
        Self::new(&json!({ "refused": why.to_string() }), Vec::new())
    }
}

impl From<Json> for Reply {
    fn from(head: Json) -> Self {
        Self::new(&head, Vec::new())
    }
}

pub fn stats(stats: &Stats) -> Json {
    json!({ "fuel": stats.fuel, "ticks": stats.ticks, "memory": stats.memory_peak })
}

pub fn error(error: &Error) -> Json {
    let kind = match error.kind() {
        ErrorKind::Trap(_) => "trap",
        ErrorKind::Limit(_) => "limit",
        ErrorKind::Exit => "exit",
        _ => "error",
    };
    json!({
        "kind": kind,
        "message": error.message(),
        "report": error.text().trim_end(),
        "exitCode": error.exit_code(),
        "place": error.location().map(place),
    })
}

pub fn place(place: &Location) -> Json {
    json!({ "file": place.file, "line": place.line, "column": place.column })
}

pub fn diagnostic(found: &Diagnostic) -> Json {
    json!({
        "severity": found.severity.as_str(),
        "rule": found.rule,
        "message": found.message,
        "place": place(&found.location),
        "end": place(&found.end),
    })
}
