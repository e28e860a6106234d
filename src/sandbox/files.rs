//! The files that a script finds by name.

use std::sync::{Arc, Mutex};

use super::Sandbox;

impl Sandbox {
    /// Adds a file: a script for `load`, a module for `wasm.Module`, or data for `read_file`. A name is a path with `/`.
    pub fn file(&mut self, name: impl Into<String>, content: impl Into<Vec<u8>>) -> &mut Self {
        self.files.insert(name.into(), content.into());
        self
    }

    /// Removes a file. Returns whether it was there. What a session has loaded of it stays.
    pub fn remove_file(&mut self, name: &str) -> bool {
        self.files.remove(name)
    }

    /// Gives names that are not files of the sandbox to `loader`: it returns the bytes of a script or
    /// module, `Ok(None)` for a name that it does not know, or a message.
    pub fn loader(mut self, loader: impl Fn(&str) -> Result<Option<Vec<u8>>, String> + Send + Sync + 'static) -> Self {
        self.files.loader = Some(Arc::new(loader));
        self.engine = Mutex::default();
        self
    }

    /// Lets scripts list the files that the [`loader`](Self::loader) has. `lister` gets a path of a folder, `""` for the
    /// root, and returns the names in it, those of folders with a slash at the end, in any order; none if there is no
    /// such folder. Or it returns a message.
    ///
    /// ```
    /// use wasmlark::Sandbox;
    ///
    /// let sandbox = Sandbox::new()
    ///     .loader(|name| Ok(name.strip_prefix("data/").map(|name| name.as_bytes().to_vec())))
    ///     .lister(|folder| Ok(match folder {
    ///         "" => vec!["data/".to_owned()],
    ///         "data" => vec!["b".to_owned(), "a".to_owned()],
    ///         _ => Vec::new(),
    ///     }));
    /// let run = sandbox.run("main.star", "[(name, read_file(name)) for name in list_files()]")?;
    /// assert_eq!(run.value.to_string(), r#"[("data/a", b"a"), ("data/b", b"b")]"#);
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    pub fn lister(mut self, lister: impl Fn(&str) -> Result<Vec<String>, String> + Send + Sync + 'static) -> Self {
        self.files.lister = Some(Arc::new(lister));
        self.engine = Mutex::default();
        self
    }
}
