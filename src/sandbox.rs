//! The front door for an application without an evaluator of its own: limits, files, a script.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::check::{self, Diagnostic};
use crate::engine::{Engine, Loader};
use crate::error::Error;
use crate::limits::Limits;
use crate::session::{Print, Session, Stats};
use crate::value::Value;
use crate::wording;

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
/// Scripts see Starlark with types, records, sets, f-strings and `json`, the `wasm` namespace, and
/// `argv`. No clock, no randomness, no files of the host: what a script computes depends on its
/// arguments, and on the files given here, alone.
///
/// It may run many scripts, also at a time: what one run compiled, the next ones find compiled, up to some amount.
#[derive(Default)]
pub struct Sandbox {
    limits: Limits,
    /// Shared with the loader of `engine`, which thus sees what is added later.
    files: Arc<RwLock<BTreeMap<String, Vec<u8>>>>,
    loader: Option<Arc<Loader>>,
    args: Vec<String>,
    print: Option<Arc<Print>>,
    /// That of the last run, with what it compiled.
    engine: Mutex<Option<Engine>>,
}

/// Bytes of compiled code, counted as the limit `heap` counts them, up to which a sandbox keeps them for its next
/// run. A script may make modules of its own without end.
const MAX_KEPT_CODE: u64 = 256 << 20;

/// What a script did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What it printed; empty where [`Sandbox::on_print`] takes that.
    pub output: String,
    /// The value of its last statement; [`Value::None`] if that is not an expression. One that is nested deeper than 200
    /// levels, or too large, is a [`Value::Opaque`] that says so.
    pub value: Value,
    /// What it spent.
    pub stats: Stats,
}

/// What a script did, whether or not it succeeded.
#[derive(Debug)]
pub struct Report {
    /// What it printed before it ended; empty where [`Sandbox::on_print`] takes that.
    pub output: String,
    /// The value of its last statement, or why it failed.
    pub result: Result<Value, Error>,
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

    /// The limits, to be changed in place.
    pub fn limits_mut(&mut self) -> &mut Limits {
        &mut self.limits
    }

    /// Gives names that are not files of the sandbox to `loader`: it returns the bytes of a script or
    /// module, `Ok(None)` for a name that it does not know, or a message.
    pub fn loader(mut self, loader: impl Fn(&str) -> Result<Option<Vec<u8>>, String> + Send + Sync + 'static) -> Self {
        self.loader = Some(Arc::new(loader));
        self.engine = Mutex::default();
        self
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

    /// Takes each printed line, with its line feed, at once. The limit `output` holds all the same.
    pub fn on_print(mut self, print: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.print = Some(Arc::new(print));
        self
    }

    /// Adds a file, a script or a module, for `load` and `wasm.Module`. A name is a path with `/`.
    pub fn file(&mut self, name: impl Into<String>, content: impl Into<Vec<u8>>) -> &mut Self {
        self.files.write().unwrap_or_else(PoisonError::into_inner).insert(name.into(), content.into());
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
        let (mut session, result) = self.start(name, script);
        Report { output: session.take_output(), result, stats: session.stats() }
    }

    /// Runs a script, and keeps it: its functions can be called.
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run).
    pub fn load(&self, name: &str, script: &str) -> Result<Session, Error> {
        let (session, result) = self.start(name, script);
        result.map(|_| session)
    }

    /// Checks a script without running it: syntax, names, types, and lints. Empty for a script that has no fault.
    ///
    /// Types of the `wasm` namespace are known; the exports of a module are not. Files that the script loads are read, and
    /// must be there.
    ///
    /// ```
    /// use wasmlark::{Sandbox, Severity};
    ///
    /// let script = "memory = wasm.Memory(1)\nmemory.raed(0, 4)";
    /// let [problem] = &Sandbox::new().check("main.star", script)[..] else { panic!() };
    /// assert_eq!(problem.severity, Severity::Error);
    /// assert_eq!((problem.location.line, problem.location.column), (2, 8));
    /// ```
    pub fn check(&self, name: &str, script: &str) -> Vec<Diagnostic> {
        check::check(&self.engine(), name, script)
    }

    fn start(&self, name: &str, script: &str) -> (Session, Result<Value, Error>) {
        Session::start(self.engine(), &self.args, self.print.clone(), name, script)
    }

    /// The engine of the last run, unless it was made for other limits or holds too much.
    fn engine(&self) -> Engine {
        let mut kept = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(engine) if *engine.limits() == self.limits && engine.code() <= MAX_KEPT_CODE => engine.clone(),
            _ => kept.insert(self.new_engine()).clone(),
        }
    }

    fn new_engine(&self) -> Engine {
        let files = self.files.clone();
        let loader = self.loader.clone();
        let known = files.clone();
        let load = move |name: &str| {
            let file = files.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
            match (file, &loader) {
                (None, Some(loader)) => loader(name),
                (file, _) => Ok(file),
            }
        };
        let suggest = move |name: &str| {
            let files = known.read().unwrap_or_else(PoisonError::into_inner);
            wording::did_you_mean(name, files.keys().map(String::as_str))
        };
        Engine::with_suggestions(self.limits.clone(), Box::new(load), Box::new(suggest))
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("limits", &self.limits).field("args", &self.args).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Runs a script that compiles `module.wasm`; whether the sandbox has, after that, the engine it had before.
    fn keeps_its_engine(sandbox: &Sandbox) -> bool {
        let engine = sandbox.engine().wasmi().clone();
        sandbox.run("main.star", "wasm.Module('module.wasm')").unwrap();
        wasmi::Engine::same(&engine, sandbox.engine().wasmi())
    }

    /// A module of a custom section, `size` bytes in all but for some.
    fn module(size: u32) -> Vec<u8> {
        // The number takes five bytes, whatever it is.
        let length = [0, 7, 14, 21, 28].map(|shift| (size >> shift) as u8 & 0x7f | if shift < 28 { 0x80 } else { 0 });
        [b"\0asm\x01\0\0\0\0", length.as_slice(), &vec![0; size as usize]].concat()
    }

    #[test]
    fn what_was_compiled_serves_the_next_run() {
        let mut sandbox = Sandbox::new();
        sandbox.file("module.wasm", module(1000));
        assert!(keeps_its_engine(&sandbox));
        let code = sandbox.engine().code();
        let again = sandbox.report("main.star", "wasm.Module('module.wasm')");
        assert_eq!(sandbox.engine().code(), code, "compiled once");
        assert_eq!(again.result.unwrap().to_string(), "<wasm.Module>");
    }

    #[test]
    fn other_limits_are_another_engine() {
        let mut sandbox = Sandbox::new();
        sandbox.file("module.wasm", module(1000));
        let engine = sandbox.engine().wasmi().clone();
        let sandbox = sandbox.limits(Limits::new().fuel(None));
        assert!(!wasmi::Engine::same(&engine, sandbox.engine().wasmi()));
        assert!(keeps_its_engine(&sandbox));
    }

    #[test]
    fn too_much_code_is_not_kept() {
        let mut sandbox = Sandbox::new();
        sandbox.file("module.wasm", module(33 << 20));
        assert!(!keeps_its_engine(&sandbox));
    }

    #[test]
    fn invalid_modules_count_too() {
        let mut sandbox = Sandbox::new();
        sandbox.file("module.wasm", [module(1000), vec![0xff]].concat());
        sandbox.run("main.star", "wasm.Module('module.wasm')").unwrap_err();
        assert!(sandbox.engine().code() > 8000);
    }

    #[test]
    fn a_file_is_what_it_was_last_set_to() {
        let mut sandbox = Sandbox::new();
        for value in ["1", "2"] {
            sandbox.file("value.star", format!("value = {value}"));
            let run = sandbox.run("main.star", "load('value.star', 'value')\nvalue").unwrap();
            assert_eq!(run.value.to_string(), value);
        }
    }

    #[test]
    fn a_run_costs_what_it_cost_before() {
        let mut sandbox = Sandbox::new();
        sandbox.file("module.wasm", module(1000));
        let script = "wasm.Module('module.wasm')\nwasm.instantiate('module.wasm')\nwasm.Memory(1).grow(1)";
        let runs = [(); 3].map(|()| sandbox.run("main.star", script).unwrap());
        assert_eq!(runs[0], runs[1]);
        assert_eq!(runs[0], runs[2]);
    }
}
