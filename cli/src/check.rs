//! `wasmlark check`.

use serde_json::json;
use wasmlark::{Diagnostic, Location, Sandbox, Severity};

use crate::args::{CheckArguments, CheckFormat};
use crate::root::Root;
use crate::run::Source;
use crate::terminal::{Colour, Stream, paint};
use crate::{exit, sarif, test};

/// Checks scripts and returns the exit status: a failure if any has an error.
pub fn run(options: CheckArguments) -> u8 {
    let mut found = Vec::new();
    for script in &options.scripts {
        match check(script, &options) {
            Ok(diagnostics) => found.extend(diagnostics),
            Err(message) => return exit::fail(&message),
        }
    }
    let text = match options.format {
        CheckFormat::Text => found.iter().map(|diagnostic| to_text(diagnostic) + "\n").collect::<String>(),
        CheckFormat::Json => found.iter().map(|diagnostic| to_json(diagnostic).to_string() + "\n").collect(),
        CheckFormat::Sarif => format!("{:#}\n", sarif::log(&found)),
    };
    let status = exit::printed(text.as_bytes());
    if found.iter().any(|diagnostic| diagnostic.severity == Severity::Error) { exit::FAILED } else { status }
}

fn check(script: &str, options: &CheckArguments) -> Result<Vec<Diagnostic>, String> {
    let source = Source::read(script, Vec::new())?;
    let root = Root::of(options.root.as_deref().unwrap_or(&source.folder))?;
    let name = root.name_of(&source.name);
    let mut sandbox = Sandbox::new().asserts(test::is_test(&name)).loader(move |name| root.read(name));
    let (found, mistakes) = test::parts::check(&mut sandbox, &name, &source.text);
    match mistakes.first() {
        Some((line, text)) => Err(format!("{script}:{line}: {text}")),
        None => Ok(found),
    }
}

/// As compilers write it, so that editors find the place.
fn to_text(diagnostic: &Diagnostic) -> String {
    let Location { file, line, column, .. } = &diagnostic.location;
    let colour = if diagnostic.severity == Severity::Error { Colour::Red } else { Colour::Yellow };
    let severity = paint(diagnostic.severity.as_str(), colour, Stream::Output);
    format!("{file}:{line}:{column}: {severity}: {} [{}]", diagnostic.message, diagnostic.rule)
}

fn to_json(diagnostic: &Diagnostic) -> serde_json::Value {
    let Diagnostic { severity, rule, message, location, end, .. } = diagnostic;
    json!({
        "file": location.file,
        "line": location.line,
        "column": location.column,
        "end_line": end.line,
        "end_column": end.column,
        "severity": severity.as_str(),
        "rule": rule,
        "message": message,
    })
}
