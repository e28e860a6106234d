//! A file of tests, and the sandboxes that they run in.

use std::path::Path;
use std::sync::Arc;

use wasmlark::{Interrupt, Limits, Sandbox};

use super::coverage;
use crate::args::TestArguments;
use crate::interrupt;
use crate::root::Root;
use crate::run::{Source, granting_root};

pub struct TestFile {
    /// The path as it was given or found.
    pub shown: String,
    /// What its scripts are named.
    pub name: String,
    pub text: String,
    root: Root,
}

/// What applies to all tests.
pub struct Manner<'a> {
    pub options: &'a TestArguments,
    pub coverage: Option<coverage::Report>,
}

impl TestFile {
    /// Reads a file.
    pub fn read(path: &Path, options: &TestArguments) -> Result<Self, String> {
        let source = Source::read(&path.to_string_lossy(), Vec::new())?;
        let root = Root::of(options.root.as_ref().unwrap_or(&source.folder))?;
        let name = root.name_of(&source.name);
        Ok(Self { shown: path.display().to_string(), name, text: source.text, root })
    }

    /// Makes a sandbox that has the files of the root.
    pub fn sandbox(&self, limits: &Limits, manner: &Manner<'_>) -> Sandbox {
        let sandbox = self.bare_sandbox(limits, manner, Vec::new());
        granting_root(sandbox, self.root.clone())
    }

    /// Makes a sandbox that has these files besides those of the root. Where a file is missing, no message says which folder
    /// was searched: that is another on each machine.
    pub fn sandbox_with(&self, files: &[(String, Vec<u8>)], limits: &Limits, manner: &Manner<'_>) -> Sandbox {
        let made = files.iter().map(|(name, _)| name.clone()).collect();
        let (root, lister) = (Arc::new(self.root.clone()), Arc::new(self.root.clone()));
        let sandbox = self.bare_sandbox(limits, manner, made);
        let mut sandbox = sandbox.loader(move |name| root.find(name)).lister(move |name| lister.list(name));
        for (name, content) in files {
            sandbox.file(name.as_str(), content.as_slice());
        }
        sandbox
    }

    fn bare_sandbox(&self, limits: &Limits, manner: &Manner<'_>, made: Vec<String>) -> Sandbox {
        let options = manner.options;
        let sandbox = Sandbox::new()
            .limits(limits.clone())
            .asserts(true)
            .writable(true)
            .interruptible(interrupt::should_pause(limits, options.timeout))
            .backtrace(options.guests.backtrace)
            .profile(options.guests.profile.is_some())
            .isolated(options.isolated);
        match &manner.coverage {
            Some(coverage) => coverage.watch(sandbox, &self.root, made),
            None => sandbox,
        }
    }
}

impl Manner<'_> {
    /// Does work that the timeout ends.
    pub fn timed<R>(&self, interrupt: &Interrupt, work: impl FnOnce() -> R) -> R {
        self.options.timeout.inspect(|timeout| interrupt.after(*timeout));
        let result = work();
        interrupt.reset();
        result
    }
}
