//! Test results in JUnit's XML format.

use std::fmt::Write as _;

use super::outcome::{Outcome, Status};

/// Renders the results, with one suite for each file. The outcomes of a file must be next to each other.
pub fn render(outcomes: &[Outcome]) -> String {
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let _ = writeln!(out, "<testsuites {}>", counts(outcomes));
    for suite in outcomes.chunk_by(|a, b| a.file == b.file) {
        let Some(first) = suite.first() else { continue };
        let _ = writeln!(out, "  <testsuite name=\"{}\" {}>", escape(&first.file), counts(suite));
        for outcome in suite {
            let (file, name) = (escape(&outcome.file), escape(outcome.name.as_deref().unwrap_or("(file)")));
            let seconds = outcome.time.as_secs_f64();
            let _ = write!(out, "    <testcase classname=\"{file}\" name=\"{name}\" time=\"{seconds:.3}\"");
            let (message, report) = match &outcome.status {
                Status::Passed => {
                    out.push_str("/>\n");
                    continue;
                }
                Status::Skipped { reason } => {
                    let reason = escape(reason);
                    let _ = writeln!(out, ">\n      <skipped message=\"{reason}\"/>\n    </testcase>");
                    continue;
                }
                Status::Failed { message, report } => (message, report),
            };
            let (message, report) = (escape(message), escape(report));
            let _ = writeln!(out, ">\n      <failure message=\"{message}\">{report}</failure>");
            if !outcome.output.is_empty() {
                let _ = writeln!(out, "      <system-out>{}</system-out>", escape(&outcome.output));
            }
            out.push_str("    </testcase>\n");
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn counts(outcomes: &[Outcome]) -> String {
    let failures = outcomes.iter().filter(|outcome| outcome.has_failed()).count();
    let skipped = outcomes.iter().filter(|outcome| outcome.is_skipped()).count();
    let time: f64 = outcomes.iter().map(|outcome| outcome.time.as_secs_f64()).sum();
    let tests = outcomes.len();
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{time:.3}\"")
}

/// Escapes a text for an attribute or an element, and replaces the characters that XML forbids.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
