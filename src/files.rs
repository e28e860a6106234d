//! The files that scripts find by name.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::wording;

/// Returns the bytes of a module or script by its name; `None` if it does not exist.
pub(crate) type Loader = dyn Fn(&str) -> Result<Option<Vec<u8>>, String> + Send + Sync;

/// Lists the content of a folder: names of files, and of folders with a slash at their end. The root is `""`.
pub(crate) type Lister = dyn Fn(&str) -> Result<Vec<String>, String> + Send + Sync;

/// Where files are found by name.
pub(crate) trait FileSource: Send + Sync {
    /// Returns the content of a file; `None` if there is no such file.
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, String>;

    /// Returns whether there is a file of this name.
    fn is_file(&self, name: &str) -> Result<bool, String> {
        self.load(name).map(|content| content.is_some())
    }

    /// Lists a folder as a [`Lister`] does, in any order. It is empty if there is no such folder.
    fn folder(&self, name: &str) -> Result<Vec<String>, String>;

    /// Suggests the intended name for one that does not exist.
    fn suggest(&self, _name: &str) -> Option<String> {
        None
    }
}

const NO_LISTER: &str = "this application's loader does not say which files it has; `Sandbox::lister` lets it";

/// Files that come only from a loader.
pub(crate) struct Loaded<F>(pub(crate) F);

impl<F> FileSource for Loaded<F>
where
    F: Fn(&str) -> Result<Option<Vec<u8>>, String> + Send + Sync,
{
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        (self.0)(name)
    }

    fn folder(&self, _name: &str) -> Result<Vec<String>, String> {
        Err(NO_LISTER.to_owned())
    }
}

/// Files added to a sandbox and, if a name is not among them, those of a loader.
#[derive(Clone, Default)]
pub(crate) struct SandboxFiles {
    /// Shared by clones, so that a loader sees what is added later.
    own: Arc<RwLock<BTreeMap<String, Vec<u8>>>>,
    pub(crate) loader: Option<Arc<Loader>>,
    pub(crate) lister: Option<Arc<Lister>>,
}

impl SandboxFiles {
    fn own(&self) -> RwLockReadGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.own.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn insert(&self, name: String, content: Vec<u8>) {
        self.own.write().unwrap_or_else(PoisonError::into_inner).insert(name, content);
    }

    /// Removes a file. Returns whether it existed.
    pub(crate) fn remove(&self, name: &str) -> bool {
        self.own.write().unwrap_or_else(PoisonError::into_inner).remove(name).is_some()
    }
}

impl FileSource for SandboxFiles {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let file = self.own().get(name).cloned();
        match (file, &self.loader) {
            (None, Some(loader)) => loader(name),
            (file, _) => Ok(file),
        }
    }

    fn is_file(&self, name: &str) -> Result<bool, String> {
        if self.own().contains_key(name) {
            return Ok(true);
        }
        match (&self.lister, &self.loader) {
            (Some(lister), _) => {
                let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
                lister(folder).map(|entries| entries.iter().any(|entry| entry == file))
            }
            (None, Some(loader)) => loader(name).map(|content| content.is_some()),
            (None, None) => Ok(false),
        }
    }

    fn folder(&self, name: &str) -> Result<Vec<String>, String> {
        let mut entries = match (&self.lister, &self.loader) {
            (Some(lister), _) => lister(name)?,
            (None, Some(_)) => return Err(NO_LISTER.to_owned()),
            (None, None) => Vec::new(),
        };
        let prefix = if name.is_empty() { String::new() } else { format!("{name}/") };
        for file in self.own().range(prefix.clone()..).map_while(|(file, _)| file.strip_prefix(&prefix)) {
            let end = file.find('/').map_or(file.len(), |slash| slash.saturating_add(1));
            let entry = file.get(..end).unwrap_or_default();
            if entries.last().is_none_or(|last| last != entry) {
                entries.push(entry.to_owned());
            }
        }
        Ok(entries)
    }

    fn suggest(&self, name: &str) -> Option<String> {
        let mut names: Vec<String> = self.own().keys().cloned().collect();
        if let Some(lister) = &self.lister {
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
            let entries = lister(folder).unwrap_or_default();
            names.extend(entries.iter().filter(|entry| !entry.ends_with('/')).map(|entry| format!("{prefix}{entry}")));
        }
        // A file that exists but cannot be read has no other name.
        match names.iter().any(|known| known == name) {
            true => None,
            false => wording::did_you_mean(name, names.iter().map(String::as_str)),
        }
    }
}
