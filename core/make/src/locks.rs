//! The two lock files: that of the guest, which is a workspace of its own, and that of all else.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// Checks that the core is made of the versions that everything else is made of.
pub(crate) fn agree(root: &Path) -> Result<()> {
    let (ours, all) = (packages(&root.join("core/guest/Cargo.lock"))?, packages(&root.join("Cargo.lock"))?);
    let only_here = ["wasmlark-core-guest"];
    let other: Vec<String> = ours
        .difference(&all)
        .filter(|(name, _)| !only_here.contains(&name.as_str()))
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    ensure!(
        other.is_empty(),
        "core/guest/Cargo.lock has other versions than Cargo.lock: {}; `cargo update --manifest-path core/guest/Cargo.toml \
         --package NAME --precise VERSION` sets one",
        other.join(", ")
    );
    Ok(())
}

/// Returns the names and versions of a lock file, each of which has a line of its own.
fn packages(lock: &Path) -> Result<BTreeSet<(String, String)>> {
    let text = std::fs::read_to_string(lock).with_context(|| lock.display().to_string())?;
    let mut packages = BTreeSet::new();
    let mut name = None;
    for line in text.lines() {
        let value = |key: &str| line.strip_prefix(key).and_then(|rest| rest.strip_suffix('"')).map(str::to_owned);
        if let Some(found) = value("name = \"") {
            name = Some(found);
        } else if let (Some(version), Some(name)) = (value("version = \""), name.take()) {
            packages.insert((name, version));
        }
    }
    ensure!(!packages.is_empty(), "{} has no packages", lock.display());
    Ok(packages)
}
