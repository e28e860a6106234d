//! `--out`: writes the files of a script to the host.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::write_back::{Changes, is_plain_name};

/// Writes files to a folder, which is created if it does not exist. If an operation fails, no file is written. A file of
/// the same name is replaced, and its permissions are kept.
///
/// # Errors
///
/// If the host does not allow a name; if a file would replace a folder, a link or anything else that is not a file; if a
/// part of its path exists and is not a folder; or if the host refuses an operation.
pub fn write(folder: &Path, files: BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    if files.is_empty() {
        return Ok(());
    }
    let mut changes = Changes::below(folder);
    for (name, content) in files {
        let place = place(folder, &name).map_err(|why| format!("no file is written to {}: {why}", folder.display()))?;
        changes.add_file(place, content);
    }
    fs::create_dir_all(folder).map_err(|error| format!("cannot create the folder {}: {error}", folder.display()))?;
    changes.write_all()
}

/// Returns the path of a file on the host.
fn place(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let mut place = folder.to_owned();
    let mut parts = name.split('/').peekable();
    while let Some(part) = parts.next() {
        if !is_plain_name(part) {
            return Err(format!("the host does not allow the name {name:?}"));
        }
        place.push(part);
        let found = match fs::symlink_metadata(&place) {
            Ok(metadata) => metadata.file_type(),
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("cannot look at {}: {error}", place.display())),
        };
        let wanted = if parts.peek().is_some() { "folder" } else { "file" };
        if !(if parts.peek().is_some() { found.is_dir() } else { found.is_file() }) {
            let what = match () {
                () if found.is_symlink() => "a link",
                () if found.is_dir() => "a folder",
                () if found.is_file() => "a file",
                () => "neither file nor folder",
            };
            return Err(format!("{} is {what}, and {name:?} needs a {wanted} there", place.display()));
        }
    }
    Ok(place)
}
