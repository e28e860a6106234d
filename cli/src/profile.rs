//! `--profile`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use wasmlark::Profile;

use crate::flame;

/// Writes a profile to a file: as a picture if its name ends in `.svg`, else as folded stacks. An error is a message.
pub fn write(file: &Path, profile: Option<&Profile>) -> Result<(), String> {
    write_all(file, profile)
}

/// Writes several profiles as one.
pub fn write_all<'a>(file: &Path, profiles: impl IntoIterator<Item = &'a Profile>) -> Result<(), String> {
    let mut stacks: BTreeMap<String, u64> = BTreeMap::new();
    for folded in profiles.into_iter().map(Profile::folded) {
        for (stack, fuel) in folded.lines().filter_map(|line| line.rsplit_once(' ')) {
            let sum = stacks.entry(stack.to_owned()).or_default();
            *sum = sum.saturating_add(fuel.parse().unwrap_or_default());
        }
    }
    let mut lines: Vec<String> = stacks.iter().map(|(stack, fuel)| format!("{stack} {fuel}\n")).collect();
    // As a profile sorts its own.
    lines.sort();
    let folded = lines.concat();
    let is_picture = file.extension().is_some_and(|extension| extension == "svg");
    let text = if is_picture { flame::draw(&folded) } else { folded };
    fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))
}
