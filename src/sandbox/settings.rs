//! How scripts run: interruptible, isolated, watched.

use std::sync::Arc;

use super::Sandbox;
use super::engine::MaxKeptCode;
use crate::coverage::Coverage;
use crate::frames::Told;
use crate::interrupt::Interrupt;
use crate::observe::Crossing;

impl Sandbox {
    /// Sets whether an [`Interrupt`](crate::Interrupt) reaches a guest that runs on without a call of a script; by default
    /// it does not, for such a guest runs faster. Where it does, wasmi pauses each guest after every 100,000 units of
    /// fuel, some hundred microseconds. Results, traps and the fuel that is spent are the same. A start function runs
    /// without a pause, until its fuel ends, and so does a guest in whose store is a module with the instruction `table.grow`.
    ///
    /// In an [isolated](Self::isolated) sandbox, guests pause in any case, also in a start function.
    pub fn interruptible(mut self, is_interruptible: bool) -> Self {
        self.is_interruptible = is_interruptible;
        self
    }

    /// Returns the means to end all that the sandbox runs, from another thread or at a time: scripts, their loads, and the
    /// calls of sessions. It exists before anything runs, so it reaches a script's own statements, too. What it ended goes
    /// on to be ended until [`Interrupt::reset`]; [`Session::interrupt`](crate::Session::interrupt) is for the calls of one session.
    ///
    /// It reaches Starlark code always; a guest that runs on without a call of a script, only where the sandbox is
    /// [`interruptible`](Self::interruptible) or [isolated](Self::isolated).
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

    /// Sets whether scripts run isolated: in an evaluator that is itself a WebAssembly module, in this process and without
    /// a JIT, with their guests beside it. By default they do not.
    ///
    /// Then no script can end, abort or overflow its host, whatever it does: what starlark or wasmi fails at becomes an
    /// error of the run. The limit `heap` bounds the evaluator's memory beside what files hold, and the limit `memory` the
    /// memories of guests. The limit `cost` bounds all that the evaluator and the guests do, and
    /// [`Stats::cost`](crate::Stats::cost) says how much that was, the same on every target. A session can be
    /// [saved](crate::Session::save) and [forked](crate::Session::fork).
    ///
    /// Scripts take fifteen to thirty times as long; guests that compute take no longer than elsewhere, and a crossing
    /// between the two takes about a microsecond. An isolated sandbox has no [`observer`](Self::observer) and counts no
    /// [`coverage`](Self::coverage), and backtraces have no lines of a guest's source. What
    /// [`check`](Self::check) and its like find out of a script is found outside.
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
    /// [`Error::frames`](crate::Error::frames) and a script's `trap.frames` have them; by default they do not. A guest that does spends
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

    /// Sets whether [`Report::profile`](crate::Report::profile) and [`Session::profile`](crate::Session::profile) have what the fuel was spent on, in place of a backtrace; by default
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
}
