//! `wasmlark inspect`.

use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::{Value, json};
use wasmlark::{Inspection, Item};

use crate::{args, exit, read};

/// Describes a module and returns the exit status.
pub fn run(options: args::InspectArguments) -> u8 {
    let bytes = match read::module(&options.file) {
        Ok((_, bytes)) => bytes,
        Err(message) => return exit::fail(&message),
    };
    match wasmlark::inspect(&bytes) {
        Ok(inspection) => {
            let text = if options.json { to_json(&inspection) } else { to_text(&inspection) };
            match std::io::stdout().write_all(text.as_bytes()) {
                // A pipe whose reader exited is not a failure.
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                    eprintln!("error: cannot write: {error}");
                    exit::FAILED
                }
                _ => exit::DONE,
            }
        }
        Err(error) => {
            eprintln!("error: {}: {error}", options.file);
            exit::FAILED
        }
    }
}

fn to_text(inspection: &Inspection) -> String {
    let mut out = String::new();
    if let Some(name) = &inspection.name {
        let _ = writeln!(out, "name: {}", name.escape_debug());
    }
    let signatures = |items: &[Item]| items.iter().map(Item::signature).collect::<Vec<_>>();
    let sections =
        inspection.custom_sections.iter().map(|(name, size)| format!("{}: {size} bytes", name.escape_debug()));
    let producers = inspection
        .producers
        .iter()
        .map(|(field, name, version)| format!("{field}: {name} {version}").escape_debug().to_string());
    for (title, lines) in [
        ("imports", signatures(&inspection.imports)),
        ("exports", signatures(&inspection.exports)),
        ("memories", inspection.memories.clone()),
        ("custom sections", sections.collect()),
        ("producers", producers.collect()),
    ] {
        if !lines.is_empty() {
            let _ = writeln!(out, "{title}:");
        }
        for line in lines {
            let _ = writeln!(out, "  {}", line.trim_end());
        }
    }
    out
}

fn to_json(inspection: &Inspection) -> String {
    let item = |item: &Item| {
        let mut value = json!({ "name": item.name, "kind": item.kind, "type": item.ty });
        if let (Some(module), Value::Object(fields)) = (&item.module, &mut value) {
            fields.insert("module".to_owned(), json!(module));
        }
        value
    };
    let value = json!({
        "name": inspection.name,
        "imports": inspection.imports.iter().map(item).collect::<Vec<_>>(),
        "exports": inspection.exports.iter().map(item).collect::<Vec<_>>(),
        "memories": inspection.memories,
        "custom_sections": inspection.custom_sections.iter()
            .map(|(name, size)| json!({ "name": name, "size": size })).collect::<Vec<_>>(),
        "producers": inspection.producers.iter()
            .map(|(field, name, version)| json!({ "field": field, "name": name, "version": version })).collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}
