//! `--out`: the files that a script wrote, onto the host.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::write_back::{Changes, is_plain_name};

/// Writes files below a folder, which is made if it is not there: all, or none where an operation fails. A file of the
/// same name is replaced, and its permissions are kept.
///
/// # Errors
///
/// If a name is one that the host cannot have; if something that is neither file nor folder, such as a link, is in the
/// place of one or on the way there; if a folder is in the place of a file or a file in that of a folder; or if the host
/// refuses an operation.
pub fn write(folder: &Path, files: BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    if files.is_empty() {
        return Ok(());
    }
    let mut changes = Changes::below(folder);
    for (name, content) in files {
        let place = place(folder, &name).map_err(|why| format!("no file is written to {}: {why}", folder.display()))?;
        changes.add_file(place, content);
    }
    fs::create_dir_all(folder).map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    changes.write_all()
}

/// Returns the path of a file on the host.
fn place(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let mut place = folder.to_owned();
    let mut parts = name.split('/').peekable();
    while let Some(part) = parts.next() {
        if !is_plain_name(part) {
            return Err(format!("{name:?} is not a name that the host can have"));
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
