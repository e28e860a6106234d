//! What the server says of a document.

use serde_json::{Value, json};
use wasmlark::{Completion, Definition, Location, Severity};

use super::documents::Document;
use super::text::{self, Place};
use super::uri;
use crate::test::parts;

fn begin(location: &Location) -> Place {
    Place { line: location.line, column: location.column }
}

/// Returns what `wasmlark check` finds, as the protocol has it.
pub fn diagnostics(document: &mut Document<'_>) -> Value {
    let Document { text, name, sandbox, .. } = document;
    let (text, name) = (text.as_ref(), name.as_str());
    let (found, mistakes) = parts::check(sandbox, name, text);
    let mistakes = mistakes.into_iter().map(|(line, message)| {
        let begin = Place { line, column: 1 };
        let range = text::range(text, begin, Place { line: line.saturating_add(1), column: 1 });
        json!({ "range": range, "severity": 1, "code": "chunk", "source": "wasmlark", "message": message })
    });
    let found = found.into_iter().map(|diagnostic| {
        let Location { file, line, column, .. } = &diagnostic.location;
        let is_here = file == name;
        // What is wrong in a file that this one loads has no place here.
        let range = match is_here {
            true => text::range(text, begin(&diagnostic.location), begin(&diagnostic.end)),
            false => {
                let first = Place { line: 1, column: 1 };
                text::range(text, first, first)
            }
        };
        let message = match is_here {
            true => diagnostic.message.clone(),
            false => format!("{file}:{line}:{column}: {}", diagnostic.message),
        };
        let severity = match diagnostic.severity {
            Severity::Error => 1,
            Severity::Warning => 2,
            _ => 3,
        };
        json!({ "range": range, "severity": severity, "code": diagnostic.rule, "source": "wasmlark", "message": message })
    });
    Value::Array(found.chain(mistakes).collect())
}

/// Returns the description of the name at a place, or null.
pub fn hover(document: &Document<'_>, place: Place) -> Value {
    match document.sandbox.description(&document.name, &document.text, place.line, place.column) {
        Some(markdown) => json!({ "contents": { "kind": "markdown", "value": markdown } }),
        None => Value::Null,
    }
}

/// Returns the names that may stand at a place.
pub fn completion(document: &Document<'_>, place: Place) -> Value {
    let found = document.sandbox.completions(&document.name, &document.text, place.line, place.column);
    // 5: a field. 6: a variable.
    let item = |found: Completion| json!({ "label": found.name, "kind": if found.is_member { 5 } else { 6 } });
    found.into_iter().map(item).collect()
}

/// Returns the place at which the name at a place is defined, or null.
pub fn definition(document: &Document<'_>, place: Place, own_uri: &str) -> Value {
    let found = document.sandbox.definition(&document.name, &document.text, place.line, place.column);
    let Some(Definition { location, end, .. }) = found else { return Value::Null };
    let range = |text: &str| text::range(text, begin(&location), begin(&end));
    if location.file == document.name {
        return json!({ "uri": own_uri, "range": range(&document.text) });
    }
    match document.file(&location.file) {
        Some((path, text)) => json!({ "uri": uri::of_path(&path), "range": range(&text) }),
        None => Value::Null,
    }
}
