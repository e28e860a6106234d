//! The front door for an application without an evaluator of its own: limits, files, a script.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::host::{Host, Loader};
use crate::limits::Limits;
use crate::session::{Print, Session, Stats};

/// Runs scripts with nothing of the host in reach but what is given here.
///
/// ```
/// use wasmlark::Sandbox;
///
/// let mut sandbox = Sandbox::new();
/// sandbox.file("double.star", "def double(x): return 2 * x");
/// let run = sandbox.run("main.star", "load('double.star', 'double')\nprint('hello')\ndouble(21)")?;
/// assert_eq!(run.output, "hello\n");
/// assert_eq!(run.value, "42");
/// # Ok::<(), wasmlark::Error>(())
/// ```
///
/// Scripts see Starlark with types, records, sets, f-strings and `json`, the `wasm` namespace, and
/// `argv`. No clock, no randomness, no files of the host: what a script computes depends on its
/// arguments, and on the files given here, alone.
#[derive(Default)]
pub struct Sandbox {
    pub(crate) limits: Limits,
    files: BTreeMap<String, Vec<u8>>,
    loader: Option<Arc<Loader>>,
    pub(crate) args: Vec<String>,
    print: Option<Box<Print>>,
}

/// What a script did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What it printed; empty where [`Sandbox::on_print`] takes that.
    pub output: String,
    /// The value of its last statement as Starlark source, `None` where that is no expression.
    pub value: String,
    /// What it spent.
    pub stats: Stats,
}

/// What a script did, whether or not it succeeded.
#[derive(Debug)]
pub struct Report {
    /// What it printed before it ended; empty where [`Sandbox::on_print`] takes that.
    pub output: String,
    /// The value of its last statement as Starlark source, or why it failed.
    pub result: Result<String, Error>,
    /// What it spent.
    pub stats: Stats,
}

impl Sandbox {
    /// A sandbox with default limits and no files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what a script may spend.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Gives names that are not files of the sandbox to `loader`: it returns the bytes of a script or
    /// module, `Ok(None)` for a name that it does not know, or a message.
    pub fn loader(mut self, loader: impl Fn(&str) -> Result<Option<Vec<u8>>, String> + Send + Sync + 'static) -> Self {
        self.loader = Some(Arc::new(loader));
        self
    }

    /// Sets `argv`.
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// Takes each printed line, with its line feed, at once. The limit `output` holds all the same.
    pub fn on_print(mut self, print: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.print = Some(Box::new(print));
        self
    }

    /// Adds a file, a script or a module, for `load` and `wasm.Module`. A name is a path with `/`.
    pub fn file(&mut self, name: impl Into<String>, content: impl Into<Vec<u8>>) -> &mut Self {
        self.files.insert(name.into(), content.into());
        self
    }

    /// Runs a script. `name` is for messages, and for names in the script that begin with `./`.
    ///
    /// # Errors
    ///
    /// If the script fails, or a limit ends it; [`Error::kind`] tells which.
    pub fn run(&self, name: &str, script: &str) -> Result<Run, Error> {
        let Report { output, result, stats } = self.report(name, script);
        result.map(|value| Run { output, value, stats })
    }

    /// Runs a script, and tells what it printed and spent also where it fails.
    pub fn report(&self, name: &str, script: &str) -> Report {
        let session = Session::new(self.host(), &self.args, self.print.as_deref());
        let result = session.run(name, script);
        let (output, stats) = session.end();
        Report { output, result, stats }
    }

    fn host(&self) -> Host {
        let files = self.files.clone();
        let loader = self.loader.clone();
        Host::with_loader(self.limits.clone(), move |name| match (files.get(name), &loader) {
            (Some(file), _) => Ok(Some(file.clone())),
            (None, Some(loader)) => loader(name),
            (None, None) => Ok(None),
        })
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("limits", &self.limits).field("args", &self.args).finish_non_exhaustive()
    }
}
