//! The front door for an application without an evaluator of its own: limits, files, a script.

mod channels;
mod check;
mod engine;
mod files;
mod grants;
mod run;
mod sessions;
mod settings;

use std::fmt;
use std::sync::{Arc, Mutex};

use self::engine::MaxKeptCode;
pub use self::run::{Report, Run};
use crate::data::Channels;
use crate::engine::Engine;
use crate::files::SandboxFiles;
use crate::frames::Told;
use crate::host::Grants;
use crate::interrupt::Interrupt;
use crate::limits::Limits;

/// Runs scripts with nothing of the host in reach but what is given here.
///
/// ```
/// use wasmlark::{Sandbox, Value};
///
/// let mut sandbox = Sandbox::new();
/// sandbox.file("double.star", "def double(x): return 2 * x");
/// let run = sandbox.run("main.star", "load('double.star', 'double')\nprint('hello')\ndouble(21)")?;
/// assert_eq!(run.output, "hello\n");
/// assert_eq!(run.value, Value::from(42));
/// # Ok::<(), wasmlark::Error>(())
/// ```
///
/// Scripts see Starlark with types, records, sets, f-strings and `json`, the `wasm` namespace, functions for files and
/// standard streams, and `argv`. No clock, no randomness, no files of the host: what a script computes depends on its
/// arguments, and on the files and the input given here, alone.
///
/// It may run many scripts, also at a time: what one run compiled, the next ones find compiled, up to some amount.
#[derive(Default)]
pub struct Sandbox {
    limits: Limits,
    /// A clone of them is in `engine`.
    files: SandboxFiles,
    args: Vec<String>,
    channels: Channels,
    grants: Arc<Grants>,
    is_interruptible: bool,
    #[cfg(feature = "isolated")]
    is_isolated: bool,
    told: Told,
    max_kept_code: MaxKeptCode,
    interrupt: Interrupt,
    /// That of the last run, with what it compiled.
    engine: Mutex<Option<Engine>>,
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

    /// The limits.
    pub fn limits_ref(&self) -> &Limits {
        &self.limits
    }

    /// The limits, to be changed in place.
    pub fn limits_mut(&mut self) -> &mut Limits {
        &mut self.limits
    }

    /// Sets `argv`.
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// Adds an element to `argv`.
    pub fn arg(&mut self, arg: impl Into<String>) -> &mut Self {
        self.args.push(arg.into());
        self
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("limits", &self.limits).field("args", &self.args).finish_non_exhaustive()
    }
}
