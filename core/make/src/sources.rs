//! The hash of all that the core is made from.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Returns the hash, in hexadecimal digits: of the names and the contents of the files.
pub(crate) fn hash(root: &Path) -> Result<String> {
    let mut files = vec![root.join("Cargo.toml")];
    for file in ["Cargo.toml", "Cargo.lock", "build.rs", "wasmi/Cargo.toml"] {
        files.push(root.join("core/guest").join(file));
    }
    for folder in ["src", "core/guest/src", "core/guest/wasmi/src"] {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut hasher = blake3::Hasher::new();
    for file in files {
        let name = file.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        let content = std::fs::read(&file).with_context(|| file.display().to_string())?;
        hasher.update(format!("{name} {}\n", content.len()).as_bytes()).update(&content);
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        match path.is_dir() {
            true => collect(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}
