//! `wasmlark test --coverage`: which lines ran, in the format of lcov.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use wasmlark::{Coverage, Sandbox};

use crate::root::Root;

/// The coverage of tests whose files have several roots.
#[derive(Default)]
pub struct Report(Mutex<Vec<Watched>>);

struct Watched {
    root: PathBuf,
    coverage: Coverage,
    /// Names of files that the root does not have, or has with another content.
    made: Vec<String>,
}

impl Report {
    /// Lets a sandbox with this root count, but not in the files `made`, which are not the root's.
    pub fn watch(&self, sandbox: Sandbox, root: &Root, made: Vec<String>) -> Sandbox {
        let coverage = Coverage::new();
        let sandbox = sandbox.coverage(&coverage);
        let watched = Watched { root: root.path().to_owned(), coverage, made };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(watched);
        sandbox
    }

    /// Writes what was counted.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        let mut files: BTreeMap<PathBuf, BTreeMap<usize, u64>> = BTreeMap::new();
        for Watched { root, coverage, made } in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (name, lines) in coverage.files().into_iter().filter(|(name, _)| !made.contains(name)) {
                let counts = files.entry(root.join(name)).or_default();
                for (line, hits) in lines {
                    let count = counts.entry(line).or_default();
                    *count = count.saturating_add(hits);
                }
            }
        }
        let here = std::env::current_dir().unwrap_or_default();
        let text: String =
            files.iter().map(|(file, lines)| section(file.strip_prefix(&here).unwrap_or(file), lines)).collect();
        fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }
}

/// The part of the report for one file.
fn section(file: &Path, lines: &BTreeMap<usize, u64>) -> String {
    let counts: String = lines.iter().map(|(line, hits)| format!("DA:{line},{hits}\n")).collect();
    let hit = lines.values().filter(|hits| **hits > 0).count();
    format!("SF:{}\n{counts}LF:{}\nLH:{hit}\nend_of_record\n", file.display(), lines.len())
}
