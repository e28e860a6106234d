//! `wasmlark inspect`.

use std::fmt::Write as _;

use serde_json::{Value, json};
use wasmlark::{Inspection, Item, Section};

use crate::{args, exit, read};

/// Describes a module and returns the exit status.
pub fn run(options: args::InspectArguments) -> u8 {
    let (file, bytes) = match read::module(&options.file) {
        Ok(read) => read,
        Err(message) => return exit::fail(&message),
    };
    if options.wat {
        return match wasmlark::inspect(&bytes).map(|_| print_text(&bytes)) {
            Ok(Ok(text)) => exit::printed(text.as_bytes()),
            Ok(Err(why)) => exit::fail(&format!("{file}: {why}")),
            Err(error) => exit::fail(&format!("{file}: {error}")),
        };
    }
    match wasmlark::inspect(&bytes) {
        Ok(inspection) => {
            let text = if options.json { to_json(&inspection) } else { to_text(&inspection) };
            exit::printed(text.as_bytes())
        }
        Err(error) => exit::fail(&format!("{file}: {error}")),
    }
}

/// Returns a module in the text format; one that is in it already, as it is.
fn print_text(module: &[u8]) -> Result<String, String> {
    match std::str::from_utf8(module) {
        Ok(text) if !module.starts_with(b"\0asm") => Ok(text.to_owned()),
        _ => wasmprinter::print_bytes(module).map_err(|error| error.to_string()),
    }
}

fn to_text(inspection: &Inspection) -> String {
    let mut out = String::new();
    if let Some(name) = &inspection.name {
        let _ = writeln!(out, "name: {}", name.escape_debug());
    }
    let signatures = |items: &[Item]| items.iter().map(Item::signature).collect::<Vec<_>>();
    let producers = inspection
        .producers
        .iter()
        .map(|(field, name, version)| format!("{field}: {name} {version}").escape_debug().to_string());
    for (title, lines) in [
        ("imports", signatures(&inspection.imports)),
        ("exports", signatures(&inspection.exports)),
        ("memories", inspection.memories.clone()),
        ("tables", inspection.tables.clone()),
        ("globals", inspection.globals.clone()),
        ("start", inspection.start.iter().map(|name| name.escape_debug().to_string()).collect()),
        ("sections", inspection.sections.iter().map(section).collect()),
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

/// A section in a line: `code: 1234 bytes at 0x5f, 12 entries`.
fn section(section: &Section) -> String {
    let Section { name, is_custom, offset, size, entries, .. } = section;
    let name = if *is_custom { format!("custom \"{}\"", name.escape_debug()) } else { name.clone() };
    let bytes = if *size == 1 { "byte" } else { "bytes" };
    let entries = match entries {
        None => String::new(),
        Some(1) => ", 1 entry".to_owned(),
        Some(count) => format!(", {count} entries"),
    };
    format!("{name}: {size} {bytes} at {offset:#x}{entries}")
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
        "tables": inspection.tables,
        "globals": inspection.globals,
        "functions": inspection.functions,
        "start": inspection.start,
        "sections": inspection.sections.iter().map(|section| json!({
            "name": section.name, "custom": section.is_custom, "offset": section.offset, "size": section.size,
            "entries": section.entries,
        })).collect::<Vec<_>>(),
        "custom_sections": inspection.custom_sections.iter()
            .map(|(name, size)| json!({ "name": name, "size": size })).collect::<Vec<_>>(),
        "producers": inspection.producers.iter()
            .map(|(field, name, version)| json!({ "field": field, "name": name, "version": version })).collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}
