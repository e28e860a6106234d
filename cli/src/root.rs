//! The directory that names in `load` and `wasm.Module` are relative to.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::read;

/// A directory, below which all names are.
#[derive(Clone)]
pub struct Root(PathBuf);

impl Root {
    pub fn of(folder: &Path) -> Result<Self, String> {
        let refuse = |why: &str| Err(format!("cannot use the root {}: {why}", folder.display()));
        match folder.canonicalize() {
            Ok(root) if root.is_dir() => Ok(Self(root)),
            Ok(_) => refuse("not a directory"),
            Err(error) => refuse(&error.to_string()),
        }
    }

    /// Returns the directory's canonical path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns a script's path relative to the root, with `/`, if it is inside; outside, its absolute path, which says so
    /// to whatever resolves names that are relative to it. However the path was typed, the name is the same.
    ///
    /// What is not a file, such as stdin, keeps its name, and stands in the root itself.
    pub fn name_of(&self, script: &str) -> String {
        let Ok(path) = Path::new(script).canonicalize() else { return script.to_owned() };
        let name = path.strip_prefix(&self.0).ok().and_then(|below| {
            let parts: Option<Vec<&str>> = below.components().map(|c| c.as_os_str().to_str()).collect();
            parts.map(|parts| parts.join("/"))
        });
        name.unwrap_or_else(|| path.to_string_lossy().into_owned())
    }

    /// Returns the canonical path of a file inside the root.
    pub fn path_of(&self, name: &str) -> Option<PathBuf> {
        self.0.join(name).canonicalize().ok().filter(|path| path.starts_with(&self.0))
    }

    /// Reads a file inside the root. A link that leads out of it is an error.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        self.find(name)?
            .map(Some)
            .ok_or_else(|| format!("no such file in {}, which is the root; `--root` sets another", self.0.display()))
    }

    /// Does the same, but returns `None` if there is no such file.
    pub fn find(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let root = &self.0;
        let real = match root.join(name).canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        if !real.starts_with(root) {
            return Err(format!("a link leads out of the root {}; `--root` sets another", root.display()));
        }
        read::bytes(&real).map(Some).map_err(|e| e.to_string())
    }

    /// Lists the files in a folder, and the folders with a slash at their end; none where there is no such folder. Left out
    /// is what `read` refuses, links to folders, which may form a circle, and what has a name that no script can write.
    pub fn list(&self, name: &str) -> Result<Vec<String>, String> {
        let root = &self.0;
        let folder = match root.join(name).canonicalize() {
            Ok(folder) if folder.is_dir() && folder.starts_with(root) => folder,
            _ => return Ok(Vec::new()),
        };
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(|e| e.to_string())? {
            let entry = entry.map_err(|e| e.to_string())?;
            let kind = entry.file_type().map_err(|e| e.to_string())?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if kind.is_dir() {
                names.push(name + "/");
            } else if kind.is_file() || entry.path().canonicalize().is_ok_and(|to| to.is_file() && to.starts_with(root))
            {
                names.push(name);
            }
        }
        Ok(names)
    }
}
