//! The front door for an application without an evaluator of its own: limits, files, a script.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::check::{self, Completion, Definition, Diagnostic};
use crate::coverage::Coverage;
use crate::data::{Channels, Output};
use crate::engine::Engine;
use crate::error::Error;
use crate::files::SandboxFiles;
use crate::frames::Told;
use crate::host::Grants;
use crate::host::caller::Caller;
use crate::host::dynamic_import::{Number, NumberType};
use crate::host::function::{Function, HostFunction};
use crate::host::import::Import;
use crate::interrupt::Interrupt;
#[cfg(feature = "isolated")]
use crate::isolated::remote::Remote;
#[cfg(feature = "isolated")]
use crate::isolated::terms::Terms;
use crate::limits::Limits;
use crate::observe::Crossing;
use crate::profile::Profile;
use crate::progress::Progress;
use crate::session::{self, Files, Program, Session, Source, Stats};
use crate::slices::SLICE;
use crate::value::Value;

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

/// Bytes of compiled code, counted as the limit `heap` counts them, up to which a sandbox keeps them for its next
/// run. A script may make modules of its own without end.
const MAX_KEPT_CODE: u64 = 256 << 20;

/// The bound that an application may set in place of that.
struct MaxKeptCode(u64);

impl Default for MaxKeptCode {
    fn default() -> Self {
        Self(MAX_KEPT_CODE)
    }
}

/// What a script did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Run {
    /// What it printed and wrote to standard output; empty where [`Sandbox::on_print`] or [`Sandbox::on_write`] takes it.
    /// What is not UTF-8 is replaced: [`output_bytes`](Self::output_bytes) has all.
    pub output: String,
    /// What it wrote to standard error; empty where [`Sandbox::on_write_error`] takes that.
    pub error_output: Vec<u8>,
    /// The files that it wrote, by their names; none unless the sandbox is [`writable`](Sandbox::writable).
    pub files: BTreeMap<String, Vec<u8>>,
    /// The value of its last statement; [`Value::None`] if that is not an expression. One that is nested deeper than 200
    /// levels, or too large, is a [`Value::Opaque`] that says so.
    pub value: Value,
    /// What it spent.
    pub stats: Stats,
    output_bytes: Option<Vec<u8>>,
}

impl Run {
    /// Returns the bytes of [`output`](Self::output) as they were written.
    pub fn output_bytes(&self) -> &[u8] {
        self.output_bytes.as_deref().unwrap_or(self.output.as_bytes())
    }
}

/// What a script did, whether or not it succeeded.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// What it printed and wrote to standard output before it ended, as [`Run::output`] has it.
    pub output: String,
    /// What it wrote to standard error, as [`Run::error_output`] has it.
    pub error_output: Vec<u8>,
    /// The files that it wrote before it ended, as [`Run::files`] has them.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The value of its last statement, or why it failed.
    pub result: Result<Value, Error>,
    /// What its fuel was spent on, where [`Sandbox::profile`] asks for it.
    pub profile: Option<Profile>,
    /// What it spent.
    pub stats: Stats,
    output_bytes: Option<Vec<u8>>,
}

impl Report {
    /// Returns the bytes of [`output`](Self::output) as they were written.
    pub fn output_bytes(&self) -> &[u8] {
        self.output_bytes.as_deref().unwrap_or(self.output.as_bytes())
    }
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

    /// Sets standard input, which each run gets from its beginning. Without it, a script that asks for it fails.
    ///
    /// ```
    /// use wasmlark::Sandbox;
    ///
    /// let sandbox = Sandbox::new().stdin("one two");
    /// assert_eq!(sandbox.run("main.star", "len(stdin())")?.value.as_i64(), Some(7));
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    pub fn stdin(self, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        self.stdin_from(move || Ok(bytes.clone()))
    }

    /// Sets where standard input comes from: `read` returns all of it, or a message. It is called when a script asks for it,
    /// once for a run.
    pub fn stdin_from(mut self, read: impl Fn() -> Result<Vec<u8>, String> + Send + Sync + 'static) -> Self {
        self.channels.stdin = Some(Arc::new(read));
        self
    }

    /// Sets whether scripts may write files, which [`Run::files`] then has; by default they may not. The limit `files`
    /// says how much.
    ///
    /// ```
    /// use wasmlark::Sandbox;
    ///
    /// let sandbox = Sandbox::new().writable(true);
    /// let run = sandbox.run("main.star", "write_file('out/a.bin', b'\\x00\\xff')")?;
    /// assert_eq!(run.files["out/a.bin"], [0, 255]);
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    pub fn writable(mut self, is_writable: bool) -> Self {
        self.channels.is_writable = is_writable;
        self
    }

    /// Sets whether an [`Interrupt`](crate::Interrupt) reaches a guest that runs on without a call of a script; by default
    /// it does not, for such a guest runs faster. Where it does, wasmi pauses each guest after every 100,000 units of
    /// fuel, some hundred microseconds. Results, traps and the fuel that is spent are the same. A start function runs
    /// without a pause, until its fuel ends, and so does a guest in whose store is a module with the instruction `table.grow`.
    pub fn interruptible(mut self, is_interruptible: bool) -> Self {
        self.is_interruptible = is_interruptible;
        self
    }

    /// Sets whether scripts run isolated: in an evaluator that is itself a WebAssembly module, in this process and without
    /// a JIT. By default they do not.
    ///
    /// Then no script can end, abort or overflow its host, whatever it does: what starlark or wasmi fails at becomes an
    /// error of the run. The limits `heap`, `memory` and `files` together bound the evaluator's memory, the limit `cost`
    /// all that it does, and [`Stats::cost`] says how much that was, the same on every target. A session can be
    /// [saved](Session::save) and [forked](Session::fork).
    ///
    /// Scripts take ten to twenty times as long, and guests that compute fifty to a hundred times. An isolated sandbox has no
    /// [`observer`](Self::observer) and counts no [`coverage`](Self::coverage), and backtraces have no lines of a guest's
    /// source. What [`check`](Self::check) and its like find out of a script is found outside.
    ///
    /// ```ignore (needs the evaluator's module)
    /// use wasmlark::Sandbox;
    ///
    /// let sandbox = Sandbox::new().isolated(true);
    /// let run = sandbox.run("main.star", "6 * 7")?;
    /// assert_eq!(run.value.as_i64(), Some(42));
    /// assert!(run.stats.cost > Some(1000));
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    #[cfg(feature = "isolated")]
    pub fn isolated(mut self, is_isolated: bool) -> Self {
        self.is_isolated = is_isolated;
        self
    }

    /// Sets whether guests keep frames, so that the report of a trap names the functions that were running, and
    /// [`Error::frames`] and a script's `trap.frames` have them; by default they do not. A guest that does spends
    /// about a third more fuel, where it calls and loads much nearly twice as much, and takes up to twice the time.
    ///
    /// ```
    /// use wasmlark::Sandbox;
    ///
    /// let script = r#"
    /// guest = wasm.wat('''(module
    ///     (func $half (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
    ///     (func (export "run") (result i32) (call $half (i32.const 0))))''')
    /// wasm.instantiate(guest).exports.run()
    /// "#;
    /// let error = Sandbox::new().backtrace(true).run("main.star", script).unwrap_err();
    /// let names: Vec<_> = error.frames().iter().map(|frame| frame.name().map(str::to_owned)).collect();
    /// assert_eq!(names, [Some("half".to_owned()), Some("run".to_owned())]);
    /// assert!(error.to_string().ends_with("guest: half (0x2b) < exported run (0x31)\n"), "{error}");
    /// ```
    pub fn backtrace(mut self, has_backtrace: bool) -> Self {
        self.told.set(Told::Frames, has_backtrace);
        self
    }

    /// Sets whether [`Report::profile`] and [`Session::profile`] have what the fuel was spent on, in place of a backtrace; by default
    /// they have not. A guest spends the fuel that it spends without, and each of its calls takes longer.
    ///
    /// ```
    /// use wasmlark::Sandbox;
    ///
    /// let script = r#"
    /// guest = wasm.instantiate(wasm.wat('''(module
    ///     (func $add (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    ///     (func (export "run") (result i32) (call $add (call $add (i32.const 0)))))''')).exports
    /// def work():
    ///     return guest.run()
    /// work()
    /// "#;
    /// let report = Sandbox::new().profile(true).report("main.star", script);
    /// let profile = report.profile.unwrap();
    /// assert_eq!(
    ///     profile.folded(),
    ///     "main.star:<module>;main.star:work;run 4\n\
    ///      main.star:<module>;main.star:work;run;add 8\n"
    /// );
    /// assert_eq!(Some(profile.fuel()), report.stats.fuel);
    /// ```
    pub fn profile(mut self, has_profile: bool) -> Self {
        self.told.set(Told::Fuel, has_profile);
        self
    }

    /// Sets whether scripts have what tests assert with, `assert_eq`, `assert_fails` and more, as in `wasmlark test`.
    ///
    /// ```
    /// use wasmlark::Sandbox;
    ///
    /// let sandbox = Sandbox::new().asserts(true);
    /// assert!(sandbox.run("main.star", "assert_fails(lambda: 1 // 0, 'zero')").is_ok());
    /// let error = sandbox.run("main.star", "assert_eq(2 + 2, 5)").unwrap_err();
    /// assert_eq!(error.message(), "assert_eq: got 4, want 5");
    /// ```
    pub fn asserts(mut self, has_asserts: bool) -> Self {
        Arc::make_mut(&mut self.grants).set_asserts(has_asserts);
        self
    }

    /// Sets how many bytes of compiled code the sandbox keeps for its next run, about eight times those of the modules, by
    /// default 256 MiB. When a run begins and it holds more, it begins with none. What running sessions and programs use
    /// of it stays theirs, and is freed when the last of them is dropped: 0 keeps nothing beyond that.
    ///
    /// wasmi frees the code of an engine's modules all at once, so modules that are used often are compiled again with the
    /// rest.
    pub fn max_kept_code(mut self, bytes: u64) -> Self {
        self.max_kept_code = MaxKeptCode(bytes);
        self
    }

    /// Returns the means to end all that the sandbox runs, from another thread or at a time: scripts, their loads, and the
    /// calls of sessions. It exists before anything runs, so it reaches a script's own statements, too. What it ended goes
    /// on to be ended until [`Interrupt::reset`]; [`Session::interrupt`] is for the calls of one session.
    ///
    /// It reaches Starlark code always; a guest that runs on without a call of a script, only where the sandbox is
    /// [`interruptible`](Self::interruptible).
    ///
    /// ```
    /// use std::thread;
    /// use std::time::Duration;
    /// use wasmlark::{ErrorKind, Sandbox};
    ///
    /// let mut sandbox = Sandbox::new().interruptible(true);
    /// sandbox.file("loop.wat", r#"(module (func (export "spin") (loop $l (br $l))))"#);
    /// let stop = sandbox.interrupt();
    /// let error = thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         thread::sleep(Duration::from_millis(20));
    ///         stop.now();
    ///     });
    ///     sandbox.run("main.star", "loop = wasm.instantiate('loop.wat').exports\nloop.spin()").unwrap_err()
    /// });
    /// assert_eq!(error.kind(), ErrorKind::Interrupted);
    /// assert_eq!(error.location().map(|place| place.line), Some(2));
    /// ```
    pub fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// Tells `observer` of each call into WebAssembly and out of it, when it begins and when it ends: calls of exports and
    /// instantiations by scripts; calls by guests, of functions of scripts, of [imports](Self::import) and of WASI. Calls
    /// from guest to guest, without a script between, are not told.
    ///
    /// What it is told of a run is the same each time. A sandbox that runs scripts in several threads calls it from all of
    /// them. What an observer of its own does costs no fuel. Without one, a call does nothing for it; with one, it takes some times
    /// longer.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use wasmlark::{Crossing, CrossingEvent, Sandbox};
    ///
    /// let seen = Arc::new(Mutex::new(Vec::new()));
    /// let lines = seen.clone();
    /// let mut sandbox = Sandbox::new().observer(move |crossing: &Crossing<'_>| {
    ///     let Crossing { depth, caller, callee, function, .. } = crossing;
    ///     let line = match crossing.event {
    ///         CrossingEvent::Call { args } => format!("{depth} {caller} calls {callee}: {function}{args:?}"),
    ///         CrossingEvent::Return { results } => format!("{depth} {function} returns {results:?}"),
    ///         CrossingEvent::Failure { error } => format!("{depth} {function} fails: {}", error.message()),
    ///         _ => return,
    ///     };
    ///     lines.lock().unwrap().push(line);
    /// });
    /// sandbox.file("guest.wat", r#"(module
    ///     (import "env" "twice" (func $twice (param i32) (result i32)))
    ///     (func (export "run") (result i32) (call $twice (i32.const 21))))"#);
    /// let twice = "{'env': {'twice': lambda caller, n: 2 * n}}";
    /// sandbox.run("main.star", &format!("wasm.instantiate('guest.wat', imports = {twice}).exports.run()"))?;
    /// assert_eq!(*seen.lock().unwrap(), [
    ///     "0 script calls guest: (instantiate)[]",
    ///     "0 (instantiate) returns []",
    ///     "0 script calls guest: run[]",
    ///     "1 guest calls script: env.twice[Int(21)]",
    ///     "1 env.twice returns [Int(42)]",
    ///     "0 run returns [Int(42)]",
    /// ]);
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    pub fn observer(mut self, observer: impl Fn(&Crossing<'_>) + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.grants).set_observer(Arc::new(observer));
        self
    }

    /// Counts which lines of scripts run, of all that is run from now on, and of the files that they load. What a script
    /// computes and spends stays the same; it takes longer.
    pub fn coverage(mut self, coverage: &Coverage) -> Self {
        Arc::make_mut(&mut self.grants).set_coverage(coverage.clone());
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

    /// Takes what scripts print and write to standard output, at once, as text: each printed line with its line feed; of what
    /// `write` writes, what is not UTF-8 is replaced. The limit `output` holds all the same.
    pub fn on_print(self, print: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_write(move |bytes| print(&String::from_utf8_lossy(bytes)))
    }

    /// Takes what scripts print and write to standard output, at once, as bytes, in place of a function that was set
    /// before. The limit `output` holds all the same.
    pub fn on_write(mut self, write: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        self.channels.output = Some(Arc::new(write));
        self
    }

    /// Takes what scripts write to standard error, at once. It counts against the limit `output` as well.
    pub fn on_write_error(mut self, write: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        self.channels.error_output = Some(Arc::new(write));
        self
    }

    /// Takes what a run has spent, while it runs: about every 1000 ticks, and, where the sandbox is
    /// [`interruptible`](Self::interruptible), every 100,000 units of a guest's fuel. The numbers never fall within a
    /// session, and may be behind what is spent; [`Run::stats`] is exact.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use std::sync::Arc;
    /// use wasmlark::Sandbox;
    ///
    /// let seen = Arc::new(AtomicU64::new(0));
    /// let ticks = seen.clone();
    /// let sandbox = Sandbox::new().on_progress(move |spent| ticks.store(spent.ticks, Ordering::Relaxed));
    /// let run = sandbox.run("main.star", "def f():\n    for _ in range(10000): pass\nf()")?;
    /// let seen = seen.load(Ordering::Relaxed);
    /// assert!(seen > 8000 && seen <= run.stats.ticks);
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    pub fn on_progress(mut self, progress: impl Fn(&Stats) + Send + Sync + 'static) -> Self {
        self.channels.progress =
            Progress::new(move |fuel, ticks, memory_peak| progress(&Stats { fuel, ticks, memory_peak, cost: None }));
        self
    }

    /// Adds a file: a script for `load`, a module for `wasm.Module`, or data for `read_file`. A name is a path with `/`.
    pub fn file(&mut self, name: impl Into<String>, content: impl Into<Vec<u8>>) -> &mut Self {
        self.files.insert(name.into(), content.into());
        self
    }

    /// Removes a file. Returns whether it was there. What a session has loaded of it stays.
    pub fn remove_file(&mut self, name: &str) -> bool {
        self.files.remove(name)
    }

    /// Gives scripts, and the files that they load, a global: anything that serde serialises, as
    /// [`Value::from_serialize`] makes it. It is frozen: no script can change it. A name is what it was last set to, and a
    /// session keeps what it was loaded with.
    ///
    /// ```
    /// use wasmlark::Sandbox;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Config { name: String, sizes: Vec<u32> }
    ///
    /// let mut sandbox = Sandbox::new();
    /// sandbox.value("config", &Config { name: "main".into(), sizes: vec![1, 2] })?;
    /// let run = sandbox.run("main.star", "config['name'] + str(config['sizes'][1])")?;
    /// assert_eq!(run.value.as_str(), Some("main2"));
    /// assert!(sandbox.run("main.star", "config['sizes'].append(3)").is_err());
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the name is no identifier, a keyword, or that of a builtin; if the value is nested deeper than 200 levels,
    /// contains a [`Value::Opaque`], has a key that cannot be hashed, or its `Serialize` fails.
    #[cfg(feature = "serde")]
    pub fn value<T: serde::Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<&mut Self, Error> {
        let value =
            Value::from_serialize(value).map_err(|error| error.within(&format!("cannot give scripts `{name}`")))?;
        self.set_value(name, value)
    }

    /// Does what [`value`](Self::value) does, without serde.
    ///
    /// # Errors
    ///
    /// Those of [`value`](Self::value).
    pub fn set_value(&mut self, name: &str, value: impl Into<Value>) -> Result<&mut Self, Error> {
        let value = value.into();
        let frozen = session::grant(name, &value)?;
        Arc::make_mut(&mut self.grants).set_value(name, frozen, value);
        Ok(self)
    }

    /// Gives scripts, and the files that they load, a function of the application: a closure of up to eight arguments,
    /// each an [`Argument`](crate::Argument), that returns a `Result`.
    ///
    /// Its error comes back from the run as [`source`](std::error::Error::source) of an error of the kind
    /// [`Host`](crate::ErrorKind::Host), with the script's frames in the message. A panic is such an error too, where panics unwind.
    ///
    /// What it reads of the world is no longer the same on every run: a script is as deterministic as its functions.
    ///
    /// ```
    /// use wasmlark::{Error, Sandbox, Value};
    ///
    /// let mut sandbox = Sandbox::new();
    /// sandbox
    ///     .function("lookup", |key: &str, default: Option<u64>| -> Result<Option<u64>, Error> {
    ///         Ok(if key == "ann" { Some(7) } else { default })
    ///     })
    ///     .params(["key", "default"])
    ///     .doc("Returns the number of a user.");
    /// let run = sandbox.run("main.star", "[lookup('ann'), lookup('bob'), lookup('bob', default = 1)]")?;
    /// assert_eq!(run.value.to_string(), "[7, None, 1]");
    ///
    /// let error = sandbox.run("main.star", "lookup(3)").unwrap_err();
    /// assert_eq!(error.message(), "lookup: argument `key` must be str, not int");
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// A name that is no identifier, a keyword, or that of a builtin is an error of each run.
    pub fn function<Args>(&mut self, name: impl Into<String>, function: impl Function<Args>) -> &mut HostFunction {
        let name = name.into();
        let function = HostFunction::new(name.clone(), function);
        Arc::make_mut(&mut self.grants).set_function(name, function)
    }

    /// Gives what modules import from `module` under `name`: a closure of a [`Caller`](crate::Caller) and up to twelve numbers, that
    /// returns a `Result` of none, one or several. No script stands between. What a script gives itself in `imports`, and
    /// what it gives as `wasi`, go first.
    ///
    /// Errors and panics are those of [`function`](Self::function). Its own work costs no fuel.
    ///
    /// ```
    /// use wasmlark::{Caller, Error, Sandbox, Value};
    ///
    /// let mut sandbox = Sandbox::new();
    /// sandbox.import("env", "now", |_caller: &mut Caller<'_>, zone: i32| -> Result<i64, Error> {
    ///     Ok(1_700_000_000 + i64::from(zone) * 3600)
    /// });
    /// let script = r#"
    /// guest = wasm.wat('(module (import "env" "now" (func (param i32) (result i64))) (export "now" (func 0)))')
    /// wasm.instantiate(guest).exports.now(-1)
    /// "#;
    /// assert_eq!(sandbox.run("main.star", script)?.value, Value::from(1_699_996_400));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn import<Args: 'static>(
        &mut self,
        module: impl Into<String>,
        name: impl Into<String>,
        function: impl Import<Args>,
    ) -> &mut Self {
        Arc::make_mut(&mut self.grants).set_import(module.into(), name.into(), function);
        self
    }

    /// Gives an import as [`import`](Self::import) does, of a type that is known only when the program runs: the types of its
    /// parameters and of its results. The closure gets the arguments, and the results as zeros of their types, to be set.
    ///
    /// A result of another type is an error of the run, of the kind [`Host`](crate::ErrorKind::Host).
    ///
    /// # Errors
    ///
    /// If there are more than a thousand parameters or results: no module can have such a function.
    ///
    /// ```
    /// use wasmlark::{Caller, Error, Number, NumberType, Sandbox};
    ///
    /// let mut sandbox = Sandbox::new();
    /// let types = (&[NumberType::I32; 3][..], &[NumberType::I64][..]);
    /// sandbox.import_dynamic("env", "sum", types, |_: &mut Caller<'_>, arguments, results| {
    ///     let numbers = arguments.iter().map(|number| if let Number::I32(n) = number { i64::from(*n) } else { 0 });
    ///     results[0] = Number::I64(numbers.sum());
    ///     Ok::<(), Error>(())
    /// })?;
    /// let script = r#"
    /// guest = wasm.wat('(module (import "env" "sum" (func (param i32 i32 i32) (result i64))) (export "sum" (func 0)))')
    /// wasm.instantiate(guest).exports.sum(1, 2, 3)
    /// "#;
    /// assert_eq!(sandbox.run("main.star", script)?.value, 6.into());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn import_dynamic<Fault>(
        &mut self,
        module: impl Into<String>,
        name: impl Into<String>,
        types: (&[NumberType], &[NumberType]),
        function: impl Fn(&mut Caller<'_>, &[Number], &mut [Number]) -> Result<(), Fault> + Send + Sync + 'static,
    ) -> Result<&mut Self, Error>
    where
        Fault: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let imports = Arc::make_mut(&mut self.grants).imports_mut();
        imports.set_dynamic(module.into(), name.into(), types, function)?;
        Ok(self)
    }

    /// Runs a script. `name` is for messages, and for names in the script that begin with `./`.
    ///
    /// # Errors
    ///
    /// If the script fails, or a limit ends it; [`Error::kind`] tells which.
    pub fn run(&self, name: &str, script: &str) -> Result<Run, Error> {
        self.run_with(name, script, self.args.iter())
    }

    /// Runs a script with an `argv` of its own, in place of the sandbox's.
    ///
    /// ```
    /// use wasmlark::Sandbox;
    ///
    /// let sandbox = Sandbox::new();
    /// for name in ["ann", "bob"] {
    ///     assert_eq!(sandbox.run_with("main.star", "argv[0]", [name])?.value.as_str(), Some(name));
    /// }
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run).
    pub fn run_with(
        &self,
        name: &str,
        script: &str,
        args: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Run, Error> {
        let (mut session, result) = self.start(name, script, args);
        result.map(|value| {
            let Output { text, bytes } = session.take_all_output();
            let (error_output, files) = (session.take_error_output(), session.take_files());
            Run { output: text, output_bytes: bytes, error_output, files, value, stats: session.stats() }
        })
    }

    /// Runs a script, and tells what it printed and spent also where it fails.
    pub fn report(&self, name: &str, script: &str) -> Report {
        let (mut session, result) = self.start(name, script, self.args.iter());
        let Output { text, bytes } = session.take_all_output();
        let (error_output, files) = (session.take_error_output(), session.take_files());
        let (stats, profile) = (session.stats(), session.profile());
        Report { output: text, output_bytes: bytes, error_output, files, result, stats, profile }
    }

    /// Runs a script, and keeps it: its functions can be called.
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run).
    pub fn load(&self, name: &str, script: &str) -> Result<Session, Error> {
        self.load_with(name, script, self.args.iter())
    }

    /// Runs a script with an `argv` of its own, in place of the sandbox's, and keeps it.
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run).
    pub fn load_with(
        &self,
        name: &str,
        script: &str,
        args: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Session, Error> {
        let (session, result) = self.start(name, script, args);
        result.map(|_| session)
    }

    /// Runs a script, and keeps it whether or not it succeeded. Of a script that failed, what it defined and changed before
    /// is there: its memories can be looked at, its output and its cost are known.
    ///
    /// ```
    /// let script = "memory = wasm.Memory(1)\nmemory.write_u8(0, 7)\nfail('no more')";
    /// let (mut session, result) = wasmlark::Sandbox::new().open("main.star", script);
    /// assert!(result.is_err());
    /// assert_eq!(session.read_memory("memory", 0, 1)?, [7]);
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    pub fn open(&self, name: &str, script: &str) -> (Session, Result<Value, Error>) {
        self.start(name, script, self.args.iter())
    }

    /// Parses a script and evaluates the files that it loads, for many sessions. Of the sandbox, the limits, the
    /// arguments and the files are those of now.
    ///
    /// # Errors
    ///
    /// If the script cannot be parsed, or a file that it loads fails.
    pub fn program(&self, name: &str, script: &str) -> Result<Program, Error> {
        #[cfg(feature = "isolated")]
        if self.is_isolated {
            return Remote::prepare(&self.terms(), name, script, self.args.clone()).map(Program::isolated);
        }
        Program::new(self.granting_engine(), &self.args, self.channels.clone(), self.interrupt.clone(), name, script)
    }

    /// Checks a script without running it: syntax, names, types, and lints. Empty for a script that has no fault.
    ///
    /// Types of the `wasm` namespace are known; the exports of a module are not. Imports that `wasm.instantiate` is given are
    /// held against those of the module, where both stand in the text. Files that the script loads are read, and must be
    /// there.
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
        check::check(&self.granting_engine(), name, script)
    }

    /// Returns where the name at a place of a script is defined, without running it: in the script, or in a file that it
    /// loads. Line and column are in characters, from 1; the place right after a name belongs to it. `None` where no name
    /// is, for one that the script does not bind itself, such as `wasm`, and for a script that does not parse.
    ///
    /// ```
    /// let script = "memory = wasm.Memory(1)\nmemory.write(0, b'')";
    /// let found = wasmlark::Sandbox::new().definition("main.star", script, 2, 3).unwrap();
    /// assert_eq!((found.location.line, found.location.column, found.end.column), (1, 1, 7));
    /// assert_eq!(found.made_by.as_deref(), Some("wasm.Memory"));
    /// ```
    pub fn definition(&self, name: &str, script: &str, line: usize, column: usize) -> Option<Definition> {
        check::definition(&self.granting_engine(), name, script, line, column)
    }

    /// Returns the names that a script itself binds and that are visible at a place, sorted: those of the file, and of the
    /// functions and comprehensions around the place. None for a script that does not parse. Line and column are in
    /// characters, from 1.
    ///
    /// ```
    /// let script = "def f(x):\n    return x\ny = f(1)";
    /// let sandbox = wasmlark::Sandbox::new();
    /// assert_eq!(sandbox.visible_names("main.star", script, 2, 12), ["f", "x", "y"]);
    /// assert_eq!(sandbox.visible_names("main.star", script, 3, 5), ["f", "y"]);
    /// ```
    pub fn visible_names(&self, name: &str, script: &str, line: usize, column: usize) -> Vec<String> {
        check::visible(&self.granting_engine(), name, script, line, column)
    }

    /// Returns the names that may stand at a place of a script, sorted: what begins as the name before the place does. They
    /// are names of the script and of the language, or behind a dot the attributes of what stands before it, as far as its
    /// type is known. Line and column are in characters, from 1. The line itself need not parse.
    ///
    /// ```
    /// let script = "memory = wasm.Memory(1)\nmemory.gr";
    /// let [found] = &wasmlark::Sandbox::new().completions("main.star", script, 2, 10)[..] else { panic!() };
    /// assert_eq!((found.name.as_str(), found.is_member), ("grow", true));
    /// ```
    pub fn completions(&self, name: &str, script: &str, line: usize, column: usize) -> Vec<Completion> {
        check::completions(&self.granting_engine(), name, script, line, column)
    }

    /// Returns what is to be read of the name at a place of a script, as Markdown: from the reference, or the signature and
    /// the docstring of a function of the script. `None` where nothing is known. Line and column are in characters, from 1.
    ///
    /// ```
    /// let script = "memory = wasm.Memory(1)\nmemory.grow(1)";
    /// let found = wasmlark::Sandbox::new().description("main.star", script, 2, 9).unwrap();
    /// assert!(found.contains("wasm.Memory.grow"));
    /// ```
    pub fn description(&self, name: &str, script: &str, line: usize, column: usize) -> Option<String> {
        check::description(&self.granting_engine(), name, script, line, column)
    }

    fn start(
        &self,
        name: &str,
        script: &str,
        args: impl IntoIterator<Item = impl Into<String>>,
    ) -> (Session, Result<Value, Error>) {
        let args: Vec<String> = args.into_iter().map(Into::into).collect();
        #[cfg(feature = "isolated")]
        if self.is_isolated {
            let (remote, result) = Remote::start(&self.terms(), name, script, args);
            return (Session::isolated(remote), result);
        }
        let files = Files::new(self.granting_engine(), args, self.channels.clone(), &self.interrupt);
        Session::start(files, name, Source::Text(script.to_owned()))
    }

    /// Goes on with a session that [`Session::save`] returned, in this process or another, on this target or another.
    /// The sandbox must give the functions and imports that the one had in which the session began; files, output and
    /// limits on memory and cost are this sandbox's.
    ///
    /// ```ignore (needs the evaluator's module)
    /// use wasmlark::{Sandbox, Value};
    ///
    /// let sandbox = Sandbox::new().isolated(true);
    /// let script = "seen = []\ndef see(name):\n    seen.append(name)\n    return len(seen)";
    /// let mut session = sandbox.load("main.star", script)?;
    /// session.call_values("see", &[Value::from("ann")])?;
    /// let bytes = session.save()?;
    /// drop(session);
    ///
    /// let mut session = sandbox.restore(&bytes)?;
    /// assert_eq!(session.call_values("see", &[Value::from("bob")])?, Value::from(2));
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the bytes are no saved session, were damaged, or come from another version of wasmlark; if the sandbox gives
    /// other functions or imports, or its limits leave no room.
    #[cfg(feature = "isolated")]
    pub fn restore(&self, bytes: &[u8]) -> Result<Session, Error> {
        Remote::restore(&self.terms(), bytes).map(Session::isolated)
    }

    #[cfg(feature = "isolated")]
    fn terms(&self) -> Terms<'_> {
        Terms {
            limits: &self.limits,
            files: &self.files,
            channels: &self.channels,
            grants: &self.grants,
            is_interruptible: self.is_interruptible,
            told: self.told,
            interrupt: &self.interrupt,
        }
    }

    fn granting_engine(&self) -> Engine {
        self.engine().with_grants(self.grants.clone())
    }

    /// The engine of the last run, unless it was made for other limits or holds too much.
    fn engine(&self) -> Engine {
        let mut kept = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        let slice = self.slice();
        match &*kept {
            Some(engine)
                if *engine.limits() == self.limits
                    && engine.slice() == slice
                    && engine.told() == self.told
                    && engine.code() <= self.max_kept_code.0 =>
            {
                engine.clone()
            }
            _ => kept.insert(self.new_engine()).clone(),
        }
    }

    fn slice(&self) -> Option<u64> {
        self.is_interruptible.then_some(SLICE)
    }

    fn new_engine(&self) -> Engine {
        Engine::for_sandbox(self.limits.clone(), self.slice(), self.told, self.files.clone())
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
    fn the_bound_on_kept_code_can_be_set() {
        for (bound, keeps) in [(0, false), (1 << 20, true)] {
            let mut sandbox = Sandbox::new().max_kept_code(bound);
            sandbox.file("module.wasm", module(1000));
            assert_eq!(keeps_its_engine(&sandbox), keeps, "{bound}");
        }
    }

    /// No more code than the bound and one run's is alive at a time, and none once the sandbox and its sessions are gone.
    #[test]
    fn code_is_freed_with_the_last_session_that_uses_it() {
        let mut sandbox = Sandbox::new().max_kept_code(40_000);
        let mut engines = Vec::new();
        let alive = |engines: &[crate::engine::Watch]| engines.iter().filter(|engine| engine.is_alive()).count();
        let mut kept = Vec::new();
        for n in 0..100 {
            sandbox.file("module.wasm", module(1000 + n));
            let session = sandbox.load("main.star", "module = wasm.Module('module.wasm')").unwrap();
            engines.push(sandbox.engine().watch());
            if n == 10 {
                kept.push(session);
            }
        }
        // Those of one engine are the same: the last, and the kept session's.
        engines.dedup_by(|a, b| a.is_same(b));
        assert!(engines.len() > 15, "{}", engines.len());
        assert_eq!(alive(&engines), 2);
        drop(kept);
        assert_eq!(alive(&engines), 1);
        drop(sandbox);
        assert_eq!(alive(&engines), 0);
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
