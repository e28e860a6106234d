//! The findings of `wasmlark check` in SARIF 2.1.0, the Static Analysis Results Interchange Format, which code hosting
//! sites read.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wasmlark::{Diagnostic, Severity};

/// Returns the log of one run.
pub fn log(found: &[Diagnostic]) -> Value {
    let rules: BTreeSet<&str> = found.iter().map(|diagnostic| diagnostic.rule.as_str()).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "wasmlark check",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| json!({ "id": rule })).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": found.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn result(diagnostic: &Diagnostic) -> Value {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        _ => "note",
    };
    let (begin, end) = (&diagnostic.location, &diagnostic.end);
    let region = json!({
        "startLine": begin.line, "startColumn": begin.column, "endLine": end.line, "endColumn": end.column,
    });
    json!({
        "ruleId": diagnostic.rule,
        "level": level,
        "message": { "text": diagnostic.message },
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(&begin.file) }, "region": region } }],
    })
}

/// Returns a path as a relative URI reference.
fn uri(path: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(byte);
    path.bytes()
        .map(|byte| if is_plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
