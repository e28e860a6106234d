//! Folders of `--dir`.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::exit;
use crate::host_file::HostFile;
use crate::write_back::Before;

/// A folder of the host, and where the guest has it.
pub struct Folder {
    pub host: PathBuf,
    /// Begins and ends in a slash.
    pub guest: String,
    /// The names that the guest knows directories by, and their paths.
    pub preopens: Vec<(String, String)>,
}

impl Folder {
    pub fn parse(text: &str) -> Result<Self, String> {
        // On Windows, a colon after one letter is that of a drive.
        let split = text.rsplit_once(':').filter(|(host, _)| !(cfg!(windows) && host.len() == 1));
        let (host, guest) = split.unwrap_or((text, text));
        let mut parts = Vec::new();
        for part in Path::new(guest).components() {
            match part {
                Component::Normal(part) => parts.push(part.to_str().ok_or("--dir: a path that is not UTF-8")?),
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
                Component::ParentDir => {
                    return Err(format!("--dir {text}: a path of the guest cannot have `..`; give one as HOST:GUEST"));
                }
            }
        }
        let path = parts.iter().map(|part| format!("/{part}")).collect::<String>() + "/";
        match fs::metadata(host) {
            Ok(metadata) if metadata.is_dir() => {
                // Without a GUEST, both kinds of guests find it: those that make paths absolute, and those that
                // compare names.
                let name = if split.is_some() { guest_name(guest) } else { relative_name(&path) };
                let mut preopens = vec![(name, path.clone())];
                if split.is_none() {
                    preopens.insert(0, ("/".to_owned(), "/".to_owned()));
                }
                Ok(Self { host: host.into(), guest: path, preopens })
            }
            Ok(_) => Err(format!("--dir {text}: {host} is not a folder")),
            Err(error) => Err(format!("--dir {text}: cannot read {host}: {error}")),
        }
    }

    /// Lists all files, by their paths in the guest. Links, which may lead anywhere, are left out with a note, as is what has a
    /// name that is not UTF-8.
    pub fn list(&self, files: &mut Before) -> Result<(), String> {
        let mut pending = vec![(self.host.clone(), self.guest.clone())];
        while let Some((folder, path)) = pending.pop() {
            let failed = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
            let mut empty = true;
            for entry in fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let (host, kind) = (entry.path(), entry.file_type().map_err(failed)?);
                let Some(name) = entry.file_name().to_str().map(|name| format!("{path}{name}")) else {
                    exit::tell("note", &format!("{} has a name that is not UTF-8, and is left out", host.display()));
                    empty = false;
                    continue;
                };
                empty = false;
                if kind.is_dir() {
                    pending.push((host, name + "/"));
                } else if kind.is_file() {
                    let metadata = entry.metadata();
                    let metadata = metadata.map_err(|error| format!("cannot read {}: {error}", host.display()))?;
                    files.insert(name, Some(Arc::new(HostFile::new(host, &metadata))));
                } else {
                    exit::tell("note", &format!("{} is neither file nor folder, and is left out", host.display()));
                }
            }
            if empty && path != "/" {
                files.insert(path, None);
            }
        }
        Ok(())
    }
}

/// Refuses folders that overlap, as the guest or the host sees them.
///
/// # Errors
///
/// If two have one path in the guest; or, where they are written back, if one lies in the other.
pub fn check_overlap(folders: &[Folder], write_back: bool) -> Result<(), String> {
    for (index, one) in folders.iter().enumerate() {
        for other in folders.iter().skip(index + 1) {
            if one.guest == other.guest {
                return Err(format!("two --dir have the path {} in the guest", one.guest));
            }
            let real = |folder: &Folder| folder.host.canonicalize().unwrap_or_else(|_| folder.host.clone());
            let (a, b) = (real(one), real(other));
            let nested = one.guest.starts_with(&other.guest) || other.guest.starts_with(&one.guest);
            if write_back && (nested || a.starts_with(&b) || b.starts_with(&a)) {
                return Err(format!(
                    "--write-back: {} and {} overlap, so a change has no one place to go to",
                    one.host.display(),
                    other.host.display()
                ));
            }
        }
    }
    Ok(())
}

/// The name of a preopened directory as it was given, without slashes at its end.
fn guest_name(text: &str) -> String {
    match text.trim_end_matches('/') {
        "" => "/".to_owned(),
        name => name.to_owned(),
    }
}

/// A path from the root as one that is relative to it.
fn relative_name(path: &str) -> String {
    match path.trim_matches('/') {
        "" => ".".to_owned(),
        name => name.to_owned(),
    }
}
