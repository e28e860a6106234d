//! The texts that are open in the editor, and the sandbox that looks at each.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmlark::Sandbox;

use super::uri;
use crate::root::Root;
use crate::test::{self, parts};

/// What is open, as the editor has it: saved or not.
#[derive(Default)]
pub struct Documents {
    /// `--root`.
    root: Option<PathBuf>,
    texts: BTreeMap<String, String>,
    /// The texts of those that are files, by canonical paths.
    files: Arc<BTreeMap<PathBuf, String>>,
}

/// A text, and where it stands.
pub struct Document<'a> {
    pub text: Cow<'a, str>,
    /// The name that messages have for it.
    pub name: String,
    pub sandbox: Sandbox,
    root: Arc<Root>,
    files: Arc<BTreeMap<PathBuf, String>>,
}

impl Documents {
    pub fn new(root: Option<PathBuf>) -> Self {
        Self { root, ..Self::default() }
    }

    pub fn set(&mut self, uri: &str, text: String) {
        if let Some(path) = uri::to_path(uri).and_then(|path| path.canonicalize().ok()) {
            Arc::make_mut(&mut self.files).insert(path, text.clone());
        }
        self.texts.insert(uri.to_owned(), text);
    }

    pub fn close(&mut self, uri: &str) {
        self.texts.remove(uri);
        // Paths may have changed since: what is still open is told by the names.
        let files = self.texts.iter().filter_map(|(uri, text)| Some((canonical(uri)?, text.clone()))).collect();
        self.files = Arc::new(files);
    }

    pub fn uris(&self) -> Vec<String> {
        self.texts.keys().cloned().collect()
    }

    /// Returns a document that is open. It is an error if its root cannot be used.
    pub fn get(&self, uri: &str) -> Result<Option<Document<'_>>, String> {
        let Some(text) = self.texts.get(uri) else { return Ok(None) };
        let path = uri::to_path(uri);
        let folder = path.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
        let root = Arc::new(Root::of(self.root.as_deref().unwrap_or(folder))?);
        let name = match &path {
            Some(path) => root.name_of(&path.to_string_lossy()),
            None => uri.to_owned(),
        };
        let (files, loader) = (self.files.clone(), root.clone());
        let sandbox = Sandbox::new().asserts(is_test(&name)).loader(move |name| {
            match loader.path_of(name).and_then(|path| files.get(&path)) {
                Some(text) => Ok(Some(text.clone().into_bytes())),
                None => loader.read(name),
            }
        });
        Ok(Some(Document { text: Cow::Borrowed(text), name, sandbox, root, files: self.files.clone() }))
    }
}

fn canonical(uri: &str) -> Option<PathBuf> {
    uri::to_path(uri)?.canonicalize().ok()
}

fn is_test(name: &str) -> bool {
    test::is_test(name)
}

impl<'a> Document<'a> {
    /// Leaves only the chunk that the line belongs to, if the document has chunks.
    pub fn at(mut self, line: usize) -> Self {
        if let Cow::Borrowed(text) = self.text {
            self.text = parts::around(&mut self.sandbox, &self.name, text, line);
        }
        self
    }

    /// Returns the path and the text of another file inside the root.
    pub fn file(&self, name: &str) -> Option<(PathBuf, String)> {
        let path = self.root.path_of(name)?;
        let text = match self.files.get(&path) {
            Some(text) => text.clone(),
            None => String::from_utf8(self.root.read(name).ok()??).unwrap_or_default(),
        };
        Some((path, text))
    }
}
