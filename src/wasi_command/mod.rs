//! Runs one command module on a machine of its own, without a script.

mod output;
mod start;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

pub use self::output::WasiOutput;
use self::start::{explain, start};
use crate::api::scope::StoreData;
use crate::budget::Limiter;
use crate::engine::Engine;
use crate::frames::{Framed, Frames, Told};
use crate::fuel::FuelLease;
use crate::interrupt::Interrupt;
use crate::limits::Limits;
use crate::observe::{Crossing, Observation, Observer};
use crate::profile::Teller;
use crate::slices::{self, SLICE, Slices};
use crate::wasi::{CLOCK_STEP, Content, Given, InputStream, Machine, OutputStream, Setup, Streams};

/// Runs a WebAssembly module that is built for WASI preview 1, on the in-memory machine that scripts get from `wasm.wasi`.
/// The guest sees the arguments, files and input given here, and nothing else of the host.
///
/// ```
/// use wasmlark::WasiCommand;
///
/// let module = wat::parse_str(r#"
///     (module
///         (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
///         (func (export "_start") (call $exit (i32.const 3))))
/// "#)?;
/// let output = WasiCommand::new().arg("prog").file("/in.txt", "text").run(&module);
/// assert_eq!(output.result?, 3);
/// assert_eq!(*output.files["/in.txt"], *b"text");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct WasiCommand {
    setup: Setup,
    streams: Streams,
    limits: Limits,
    is_interruptible: bool,
    told: Told,
    interrupt: Interrupt,
    observer: Option<Arc<Observer>>,
}

impl Default for WasiCommand {
    fn default() -> Self {
        Self::new()
    }
}

impl WasiCommand {
    /// Makes a command without arguments, environment, input or files. Its clock starts at 0, and the seed of its random
    /// bytes is 0.
    pub fn new() -> Self {
        let setup = Setup {
            args: Vec::new(),
            env: Vec::new(),
            files: Vec::new(),
            modified: BTreeMap::new(),
            content_times: false,
            preopens: Vec::new(),
            seed: 0,
            now: 0,
            clock_step: CLOCK_STEP,
        };
        let streams = Streams::kept(InputStream::bytes(Vec::new()));
        let (limits, interrupt) = Default::default();
        let told = Told::Nothing;
        Self { setup, streams, limits, is_interruptible: false, told, interrupt, observer: None }
    }

    /// Adds an argument. The first one is the program's name.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.setup.args.push(arg.into());
        self
    }

    /// Sets an environment variable. If a name is set twice, the last value counts.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        match self.setup.env.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.setup.env.push((name, value)),
        }
        self
    }

    /// Adds a file by its path from the root, such as `/in/a.txt`. A path that ends in a slash is a directory, and must have
    /// no content. If no path is given, not even `/`, and no [`preopen`](Self::preopen), the guest can neither open nor
    /// create files.
    ///
    /// The file's time of modification is the start of the guest's clock, unless [`modified`](Self::modified) or
    /// [`content_times`](Self::content_times) sets it.
    pub fn file(mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        self.setup.files.push((path.into(), Content::Bytes(content.into())));
        self
    }

    /// Adds a file of `size` bytes whose content is read when the guest reads it, so that it may be larger than the limit
    /// `files`. `read` gets an offset and a buffer, which ends at or before the end of the file, and fills the buffer. When the
    /// guest changes the file for the first time, all of it is read, and counts against the limit from then on.
    ///
    /// The content must stay the same while the guest runs. If `read` fails, the run ends with its message. With
    /// [`content_times`](Self::content_times), the whole file is read when the guest asks for its time.
    ///
    /// ```
    /// use wasmlark::WasiCommand;
    ///
    /// let module = wat::parse_str(r#"(module (func (export "_start")))"#)?;
    /// let zeros = |_offset: u64, buffer: &mut [u8]| Ok(buffer.fill(0));
    /// let output = WasiCommand::new().file_from("/large", 1 << 40, zeros).run(&module);
    /// assert_eq!(output.untouched["/large"], "/large");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn file_from(
        mut self,
        path: impl Into<String>,
        size: u64,
        read: impl Fn(u64, &mut [u8]) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        let path = path.into();
        let given = Given { path: path.as_str().into(), size, read: Arc::new(read) };
        self.setup.files.push((path, Content::Given(given)));
        self
    }

    /// Derives files' times of modification from their content. Such a time is an even number of seconds between 1980 and
    /// 2000. It changes when the content does, and depends on nothing else. It is for files that outlive the guest: a program
    /// that caches something about a file then notices in a later run that the file has changed.
    pub fn content_times(mut self) -> Self {
        self.setup.content_times = true;
        self
    }

    /// Sets the time of modification of the file at this path, in nanoseconds since 1970.
    pub fn modified(mut self, path: impl Into<String>, time: u64) -> Self {
        self.setup.modified.insert(path.into(), time);
        self
    }

    /// Opens the directory at a path from the root for the guest, under any name, such as `/`, `.` or `data`. If no file is
    /// in the directory, it is created. The guest can reach the contents of these directories and nothing else.
    ///
    /// If files are given and no directory is opened, the root directory is open under the name `/`. C libraries from before
    /// 2021 resolve a relative path only if a directory has a relative name.
    pub fn preopen(mut self, name: impl Into<String>, path: impl Into<String>) -> Self {
        self.setup.preopens.push((name.into(), path.into()));
        self
    }

    /// Sets standard input. It is read only when the guest reads.
    pub fn stdin(mut self, reader: impl Read + Send + 'static) -> Self {
        self.streams.stdin = InputStream::Reader(Box::new(reader));
        self
    }

    /// Passes standard output on when the guest writes. The limit `output` applies only to output that is kept.
    pub fn stdout(mut self, writer: impl Write + Send + 'static) -> Self {
        self.streams.stdout = OutputStream::Passed(Box::new(writer));
        self
    }

    /// Passes standard error on when the guest writes.
    pub fn stderr(mut self, writer: impl Write + Send + 'static) -> Self {
        self.streams.stderr = OutputStream::Passed(Box::new(writer));
        self
    }

    /// Sets the seed of the random bytes. The same seed gives the same bytes.
    pub fn seed(mut self, seed: u64) -> Self {
        self.setup.seed = seed;
        self
    }

    /// Sets the time at which the clock starts, in nanoseconds since 1970.
    pub fn now(mut self, nanoseconds: u64) -> Self {
        self.setup.now = nanoseconds;
        self
    }

    /// Sets the number of nanoseconds by which each reading advances the clock. The default is a millisecond.
    pub fn clock_step(mut self, nanoseconds: u64) -> Self {
        self.setup.clock_step = nanoseconds;
        self
    }

    /// Sets what the guest may spend.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets whether [`interrupt`](Self::interrupt) can end the guest; by default it cannot. If it can, wasmi counts fuel.
    /// That costs next to nothing if there is a limit on fuel, and a third of the speed otherwise. A start function, or a
    /// module with the instruction `table.grow`, cannot be interrupted: it runs until its fuel ends.
    pub fn interruptible(mut self, is_interruptible: bool) -> Self {
        self.is_interruptible = is_interruptible;
        self
    }

    /// Returns the means to end the guest from another thread or at a given time, if it is
    /// [`interruptible`](Self::interruptible).
    ///
    /// ```
    /// use std::time::Duration;
    /// use wasmlark::{ErrorKind, WasiCommand};
    ///
    /// let module = wat::parse_str(r#"(module (func (export "_start") (loop $l (br $l))))"#)?;
    /// let command = WasiCommand::new().interruptible(true);
    /// command.interrupt().after(Duration::from_millis(20));
    /// assert_eq!(command.run(&module).result.unwrap_err().kind(), ErrorKind::Deadline);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// Sets whether the guest keeps frames, so that the error of a trap has them; by default it does not. See
    /// [`Sandbox::backtrace`](crate::Sandbox::backtrace).
    pub fn backtrace(mut self, has_backtrace: bool) -> Self {
        self.told.set(Told::Frames, has_backtrace);
        self
    }

    /// Sets whether there is a [`WasiOutput::profile`] of the fuel; by default there is not. It turns
    /// [`backtrace`](Self::backtrace) off. See [`Sandbox::profile`](crate::Sandbox::profile).
    pub fn profile(mut self, has_profile: bool) -> Self {
        self.told.set(Told::Fuel, has_profile);
        self
    }

    /// Sets a function that is told of each call of the guest by the host, and of WASI by the guest. See
    /// [`Sandbox::observer`](crate::Sandbox::observer).
    pub fn observer(mut self, observer: impl Fn(&Crossing<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Runs the function `_start` of a module. With the feature `wat`, the module may be in the text format.
    pub fn run(self, module: &[u8]) -> WasiOutput {
        let Self { mut setup, streams, limits, is_interruptible, told, interrupt, observer } = self;
        if setup.preopens.is_empty() && !setup.files.is_empty() {
            setup.preopens.push(("/".to_owned(), "/".to_owned()));
        }
        let slice = is_interruptible.then_some(SLICE);
        let engine = Engine::for_command(limits.clone(), slice, told);
        let budget = engine.budget();
        let machine = match Machine::new(setup, streams, budget.clone()) {
            Ok(machine) => machine,
            Err(error) => return WasiOutput::failed(error),
        };
        let limiter = Limiter::new(budget.clone(), limits.clone(), None);
        let mut store =
            wasmi::Store::new(engine.wasmi(), StoreData::new(limiter, slice.map(|size| Slices::new(size, interrupt))));
        store.limiter(|data| &mut data.limiter);
        if let Some(profile) = budget.profile() {
            store.data_mut().tell_fuel(Teller::new(profile.clone()));
        }
        if told == Told::Frames {
            let frames = Frames::new(&mut store, limits.stack_depth);
            store.data_mut().keep_frames(frames);
        }
        let fuel = FuelLease::new(None);
        if limits.fuel.is_some() || is_interruptible || told == Told::Fuel {
            // Cannot fail: the engine meters fuel.
            slices::lease_fuel(&mut store, fuel.grant(budget.fuel_left()));
        }
        let observation = observer.map(|observer| Arc::new(Observation::new(observer)));
        let result = start(&engine, &budget, &mut store, &machine, observation.as_ref(), module).map_err(|error| {
            let error = explain(error, &limits, store.data_mut().limiter.take_refused());
            error.add_frames(store.data_mut().frames_mut().map(Frames::take_failed));
            match error.guest_note() {
                Some(note) => {
                    let report = format!("{}\n{note}", error.message());
                    error.with_report(None, report)
                }
                None => error,
            }
        });
        if let Some(left) = slices::fuel(&store) {
            budget.spend_fuel(fuel.settle(left));
        }
        drop(store);
        WasiOutput::of(&machine.lock(), &budget, result)
    }
}

impl fmt::Debug for WasiCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setup { args, env, seed, now, .. } = &self.setup;
        let mut fields = f.debug_struct("WasiCommand");
        fields.field("args", args).field("env", env).field("seed", seed).field("now", now);
        fields.field("limits", &self.limits).finish_non_exhaustive()
    }
}
