//! `--trace`: each crossing between script, guest and host as a line of JSON.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use wasmlark::{Crossing, CrossingEvent, Error, ErrorKind, Value};

/// A trace that is being written. Clones write to the same file.
#[derive(Clone)]
pub struct Trace(Arc<Mutex<State>>);

struct State {
    path: PathBuf,
    file: File,
    /// What the run had spent when each of the open calls began.
    open: Vec<Option<u64>>,
    /// Why a line could not be written. None is written after that.
    failure: Option<io::Error>,
}

impl Trace {
    /// Begins a trace, in place of a file that is there.
    ///
    /// # Errors
    ///
    /// If the file cannot be made.
    pub fn create(path: &Path) -> Result<Self, String> {
        let file = File::create(path).map_err(|error| format!("--trace: cannot make {}: {error}", path.display()))?;
        let state = State { path: path.to_owned(), file, open: Vec::new(), failure: None };
        Ok(Self(Arc::new(Mutex::new(state))))
    }

    /// Writes a line at once, so that a run which is ended from outside leaves all that it came to.
    pub fn add(&self, crossing: &Crossing<'_>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let used = match crossing.event {
            CrossingEvent::Call { .. } => {
                state.open.push(crossing.fuel);
                None
            }
            _ => {
                let before = state.open.pop().flatten();
                crossing.fuel.zip(before).map(|(now, before)| now.saturating_sub(before))
            }
        };
        if state.failure.is_none() {
            state.failure = state.file.write_all(line(crossing, used).as_bytes()).err();
        }
    }

    /// Says what was wrong with the trace.
    ///
    /// # Errors
    ///
    /// If a line could not be written.
    pub fn finish(&self) -> Result<(), String> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &state.failure {
            Some(error) => Err(format!("--trace: cannot write {}: {error}", state.path.display())),
            None => Ok(()),
        }
    }
}

/// The line of a crossing. `used` is the fuel of a call that has ended. By hand, since the fields of a `json!` are sorted.
fn line(crossing: &Crossing<'_>, used: Option<u64>) -> String {
    let (event, field, value) = match crossing.event {
        CrossingEvent::Call { args } => ("call", "args", values(args)),
        CrossingEvent::Return { results } => ("return", "results", values(results)),
        CrossingEvent::Failure { error } => ("failure", "error", failure(error)),
        _ => ("other", "value", json!(null)),
    };
    let fields = [
        ("event", json!(event)),
        ("depth", json!(crossing.depth)),
        ("caller", json!(crossing.caller.as_str())),
        ("callee", json!(crossing.callee.as_str())),
        ("module", json!(crossing.module)),
        ("instance", json!(crossing.instance)),
        ("function", json!(crossing.function)),
        (field, value),
        ("fuel", json!(crossing.fuel)),
    ];
    let used = used.map(|used| ("used", json!(used)));
    let fields: Vec<String> =
        fields.into_iter().chain(used).map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{{}}}\n", fields.join(","))
}

fn failure(error: &Error) -> serde_json::Value {
    let code = match error.kind() {
        ErrorKind::Trap(code) => Some(code.as_str()),
        ErrorKind::Limit(limit) => Some(limit.as_str()),
        _ => None,
    };
    json!({ "kind": crate::exit::kind(error.kind()), "code": code, "message": error.message() })
}

fn values(values: &[Value]) -> serde_json::Value {
    values.iter().map(value).collect()
}

/// A value as JSON. What JSON has no number for is a string, and so is a vector, in the form that `wasmlark call` takes.
fn value(value: &Value) -> serde_json::Value {
    match value {
        Value::None => json!(null),
        Value::Int(_) => json!(value.as_i64()),
        Value::Float(float) if float.is_finite() => json!(float),
        Value::Bytes(lanes) => {
            json!(format!("0x{}", lanes.iter().rev().map(|byte| format!("{byte:02x}")).collect::<String>()))
        }
        Value::Opaque(text) => json!(text),
        other => json!(other.to_string()),
    }
}
