//! `wasmlark wasi`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use wasmlark::{WasiCommand, WasiOutput};

use crate::{args, exit};

/// Runs a command module; the exit status.
pub fn run(options: args::WasiArguments) -> u8 {
    match try_run(options) {
        Ok(status) => status,
        Err(message) => {
            eprintln!("error: {message}");
            exit::FAILED
        }
    }
}

fn try_run(options: args::WasiArguments) -> Result<u8, String> {
    let Some((file, arguments)) = options.command.split_first() else { return Err("no module is given".to_owned()) };
    let module = fs::read(file).map_err(|e| format!("cannot read {file}: {e}"))?;
    let folders = options.dir.iter().map(|dir| Folder::parse(dir)).collect::<Result<Vec<_>, _>>()?;
    let mut before = BTreeMap::new();
    for folder in &folders {
        folder.read(&mut before)?;
    }
    let program = Path::new(file).file_name().map_or(file.clone(), |n| n.to_string_lossy().into());
    let mut command = WasiCommand::new()
        .arg(program)
        .seed(options.seed)
        .now(options.now)
        .limits(options.limits.0)
        .stdin(std::io::stdin())
        .stdout(std::io::stdout())
        .stderr(std::io::stderr());
    for arg in arguments {
        command = command.arg(arg);
    }
    for (name, value) in &options.env {
        command = command.env(name, value);
    }
    for folder in &folders {
        command = command.file(&folder.guest, "");
    }
    for (path, content) in &before {
        command = command.file(path, content.as_slice());
    }
    let WasiOutput { result, files, stats, .. } = command.run(&module);
    if options.stats {
        exit::print_stats(&stats, false);
    }
    // A guest that failed may have written before; one that never ran has no files.
    if options.write_back && (result.is_ok() || !files.is_empty()) {
        for folder in &folders {
            folder.write_back(&before, &files, &folders)?;
        }
    }
    match result {
        // As systems do: the low eight bits.
        Ok(code) => Ok(code.to_le_bytes()[0]),
        Err(error) => {
            eprintln!("error: {file}: {error}");
            Ok(exit::status(&error))
        }
    }
}

/// A folder of the host, and where the guest has it.
struct Folder {
    host: PathBuf,
    /// Begins and ends in a slash.
    guest: String,
}

impl Folder {
    fn parse(text: &str) -> Result<Self, String> {
        // On Windows, a colon after one letter is that of a drive.
        let split = text.rsplit_once(':').filter(|(host, _)| !(cfg!(windows) && host.len() == 1));
        let (host, guest) = split.unwrap_or((text, text));
        let mut parts = Vec::new();
        for part in Path::new(guest).components() {
            match part {
                Component::Normal(part) => parts.push(part.to_str().ok_or("--dir: a path that is no UTF-8")?),
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
                Component::ParentDir => {
                    return Err(format!("--dir {text}: a path of the guest cannot have `..`; give one as HOST:GUEST"));
                }
            }
        }
        let guest = parts.iter().map(|part| format!("/{part}")).collect::<String>() + "/";
        match fs::metadata(host) {
            Ok(metadata) if metadata.is_dir() => Ok(Self { host: host.into(), guest }),
            Ok(_) => Err(format!("--dir {text}: {host} is no folder")),
            Err(error) => Err(format!("--dir {text}: cannot read {host}: {error}")),
        }
    }

    /// Reads all files, by their paths in the guest. Links are left out: they may lead anywhere.
    fn read(&self, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), String> {
        let mut pending = vec![(self.host.clone(), self.guest.clone())];
        while let Some((folder, path)) = pending.pop() {
            let failed = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
            let mut empty = true;
            for entry in fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let (host, kind) = (entry.path(), entry.file_type().map_err(failed)?);
                let Some(name) = entry.file_name().to_str().map(|name| format!("{path}{name}")) else {
                    return Err(format!("{}: the name is no UTF-8", host.display()));
                };
                empty = false;
                if kind.is_dir() {
                    pending.push((host, name + "/"));
                } else if kind.is_file() {
                    let content = fs::read(&host).map_err(|e| format!("cannot read {}: {e}", host.display()))?;
                    files.insert(name, content);
                } else {
                    eprintln!("note: {} is neither file nor folder, and is left out", host.display());
                }
            }
            if empty && path != "/" {
                files.insert(path, Vec::new());
            }
        }
        Ok(())
    }

    /// Writes files that are new or differ, removes those that are gone, and makes and removes folders.
    fn write_back(
        &self,
        before: &BTreeMap<String, Vec<u8>>,
        after: &BTreeMap<String, Arc<[u8]>>,
        all: &[Self],
    ) -> Result<(), String> {
        // Of folders within each other the innermost counts.
        let mine = |path: &str| {
            let inner = |other: &&Self| path.starts_with(&other.guest);
            all.iter().filter(inner).map(|other| other.guest.len()).max() == Some(self.guest.len())
                && path.starts_with(&self.guest)
        };
        let failed = |path: &Path, error: std::io::Error| format!("cannot write {}: {error}", path.display());
        for path in before.keys().filter(|path| mine(path) && !path.ends_with('/') && !after.contains_key(*path)) {
            let host = self.host_path(path)?;
            fs::remove_file(&host).map_err(|e| failed(&host, e))?;
        }
        let gone = folders(before).into_iter().rev().filter(|path| mine(path));
        let there = folders(after);
        for path in gone.filter(|path| !there.contains(path) && *path != self.guest) {
            let host = self.host_path(path)?;
            // Not empty where it has links in it, which the guest never saw.
            let _ = fs::remove_dir(&host);
        }
        for path in there.iter().filter(|path| mine(path)) {
            let host = self.host_path(path)?;
            fs::create_dir_all(&host).map_err(|e| failed(&host, e))?;
        }
        for (path, content) in after.iter().filter(|(path, _)| mine(path) && !path.ends_with('/')) {
            if before.get(path).map(Vec::as_slice) != Some(content) {
                let host = self.host_path(path)?;
                fs::write(&host, content).map_err(|e| failed(&host, e))?;
            }
        }
        Ok(())
    }

    /// The place of a guest's path in the folder. An error where a link is on the way, or where a name
    /// means something else to the host.
    fn host_path(&self, path: &str) -> Result<PathBuf, String> {
        let mut host = self.host.clone();
        let below = path.get(self.guest.len()..).unwrap_or_default();
        for part in below.split('/').filter(|part| !part.is_empty()) {
            let mut components = Path::new(part).components();
            if !matches!((components.next(), components.next()), (Some(Component::Normal(name)), None) if name == part)
            {
                return Err(format!("cannot write {path}: the host has no such names"));
            }
            host.push(part);
            if fs::symlink_metadata(&host).is_ok_and(|metadata| metadata.is_symlink()) {
                return Err(format!("cannot write {path}: {} is a link", host.display()));
            }
        }
        Ok(host)
    }
}

/// All folders that files lie in, with a slash at the end, outer ones first.
fn folders<T>(files: &BTreeMap<String, T>) -> BTreeSet<&str> {
    files.keys().flat_map(|path| path.match_indices('/').filter_map(|(at, _)| path.get(..=at))).collect()
}
