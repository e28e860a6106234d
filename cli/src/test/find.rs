//! Which files are tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How the name of a file with test functions ends.
pub const FUNCTIONS: &str = "_test.star";

/// How the name of a file of chunks ends. The name says it, not the content: a text in a script may have the line that
/// ends a chunk.
pub const CHUNKS: &str = "_chunks.star";

/// Returns whether a file with this name has chunks.
pub fn has_chunks(name: &str) -> bool {
    name.ends_with(CHUNKS)
}

/// Returns whether a file with this name is a test.
pub fn is_test(name: &str) -> bool {
    name.ends_with(FUNCTIONS) || has_chunks(name)
}

/// Returns the files among `paths`, and the test files in the folders among them, at any depth. They are in the order of
/// `paths`, and within a folder by name. Skips folders whose names begin with a dot, and links to folders.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let (mut found, mut known) = (Vec::new(), BTreeSet::new());
    for path in paths {
        let mut below = BTreeSet::new();
        let metadata = fs::metadata(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        if metadata.is_dir() {
            search(path, &mut below)?;
        } else {
            below.insert(path.clone());
        }
        found.extend(below.into_iter().filter(|file| known.insert(file.clone())));
    }
    Ok(found)
}

fn search(folder: &Path, found: &mut BTreeSet<PathBuf>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (name, kind) = (entry.file_name(), entry.file_type().map_err(failed)?);
        let name = name.to_string_lossy();
        // A file in the current folder is shown as `x`, not `./x`.
        let path = if folder == Path::new(".") { PathBuf::from(entry.file_name()) } else { entry.path() };
        if kind.is_dir() && !name.starts_with('.') {
            search(&path, found)?;
        } else if kind.is_file() && is_test(&name) {
            found.insert(path);
        }
    }
    Ok(())
}
