//! `--update`: new messages behind the marks of chunks.

use std::fs;

use super::chunk;
use super::outcome::Outcome;

/// Writes the new messages to their files. Returns a text that says what changed.
pub fn write(outcomes: &[Outcome]) -> Result<String, String> {
    let mut told = String::new();
    for of_file in outcomes.chunk_by(|a, b| a.file == b.file) {
        let updates: Vec<_> = of_file.iter().flat_map(|outcome| &outcome.updates).collect();
        let Some(file) = of_file.first().map(|outcome| &outcome.file).filter(|_| !updates.is_empty()) else { continue };
        let text = fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))?;
        let new = chunk::rewrite(&text, updates.iter().map(|update| (update.line, update.new.as_str())));
        fs::write(file, new).map_err(|error| format!("cannot write {file}: {error}"))?;
        for update in updates {
            told.push_str(&format!("\n{file}:{}: updated\n- {}\n+ {}\n", update.line, update.old, update.new));
        }
    }
    Ok(told)
}
