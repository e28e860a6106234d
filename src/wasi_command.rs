//! Runs one command module on a machine of its own, without a script.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use wasmi::AsContextMut;

use crate::api::absent::full_name;
use crate::api::crossing::{GuestName, Watch};
use crate::api::host_module::{CallWatch, HostModule, MemorySlot};
use crate::api::link::link_error;
use crate::api::resolve::host_mismatch;
use crate::api::scope::StoreData;
use crate::api::store::gives_up;
use crate::api::wasi_module::WasiModule;
use crate::budget::{Budget, Limiter, denied};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Limit};
use crate::frames::{Framed, Frames, Told};
use crate::fuel::FuelLease;
use crate::interrupt::Interrupt;
use crate::limits::Limits;
use crate::module::Compiled;
use crate::module::inspect::binary_form;
use crate::module::types::named;
use crate::observe::{Crossing, Observation, Observer, Side};
use crate::profile::{Profile, Teller};
use crate::session::Stats;
use crate::slices::{self, SLICE, Slices, Stopped};
use crate::wasi::{
    CLOCK_STEP, Content, Given, InputStream, Machine, MachineParts, OutputStream, Setup, Streams, System,
};

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

/// The outcome of a [`WasiCommand`].
#[derive(Debug)]
#[non_exhaustive]
pub struct WasiOutput {
    /// The exit code, which is 0 if the guest just returns; or the error that ended it.
    pub result: Result<i32, Error>,
    /// What the guest wrote to standard output; empty if [`WasiCommand::stdout`] passed it on.
    pub stdout: Vec<u8>,
    /// What the guest wrote to standard error; empty if [`WasiCommand::stderr`] passed it on.
    pub stderr: Vec<u8>,
    /// All files by their paths from the root, even if the guest failed, except for those in `untouched`. A path that ends in
    /// a slash is an empty directory.
    pub files: BTreeMap<String, Arc<[u8]>>,
    /// The files from [`WasiCommand::file_from`] that the guest did not change: the paths under which they were given, by
    /// their paths now. The two differ if the guest has renamed or linked a file.
    pub untouched: BTreeMap<String, String>,
    /// The targets of all symbolic links, by the links' paths.
    pub links: BTreeMap<String, String>,
    /// The paths under which files were given, by their paths in `files`, if these differ: the guest has renamed or linked
    /// these files.
    pub origins: BTreeMap<String, String>,
    /// What the fuel was spent on, if [`WasiCommand::profile`] asks for it.
    pub profile: Option<Profile>,
    /// What the guest spent. The ticks are 0.
    pub stats: Stats,
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
        let machine = machine.lock();
        let MachineParts { system, streams } = &*machine;
        let (result, files) = match system.files() {
            Ok(files) => (result, files),
            Err(error) => (result.and(Err(error)), Vec::new()),
        };
        let links =
            files.iter().filter_map(|(path, ino)| Some((path.clone(), system.fs.link(*ino)?.to_owned()))).collect();
        let origin = |path: &String, ino: &u64| system.origins.get(ino).filter(|origin| *origin != path).cloned();
        let is_given = |ino| matches!(system.fs.file(ino), Ok(Content::Given(_)));
        let (given, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|(_, ino)| is_given(*ino));
        let given_as = |ino: u64| system.origins.get(&ino).cloned().unwrap_or_default();
        let untouched = given.into_iter().map(|(path, ino)| (path, given_as(ino))).collect();
        let origins = files.iter().filter_map(|(path, ino)| Some((path.clone(), origin(path, ino)?))).collect();
        WasiOutput {
            result,
            links,
            untouched,
            origins,
            stdout: streams.stdout.kept().to_owned(),
            stderr: streams.stderr.kept().to_owned(),
            files: contents(system, files),
            profile: budget.profile().map(|profile| profile.finished(budget.fuel_used())),
            stats: Stats { fuel: budget.fuel_used(), ticks: 0, memory_peak: budget.memory_peak(), cost: None },
        }
    }
}

/// Returns the contents of the files. If a file has several names, they share its bytes.
fn contents(system: &System, files: Vec<(String, u64)>) -> BTreeMap<String, Arc<[u8]>> {
    let mut known: BTreeMap<u64, Arc<[u8]>> = BTreeMap::new();
    let mut content = |ino| {
        let read = || Arc::from(system.fs.bytes(ino).unwrap_or_default());
        Arc::clone(known.entry(ino).or_insert_with(read))
    };
    let files = files.into_iter().filter(|(_, ino)| system.fs.link(*ino).is_none());
    files.map(|(path, ino)| (path, content(ino))).collect()
}

impl WasiOutput {
    /// Makes the outcome of a command that did not run.
    fn failed(error: Error) -> Self {
        let (stdout, stderr, files, untouched, links, origins) = Default::default();
        let stats = Stats::default();
        Self { result: Err(error), stdout, stderr, files, untouched, links, origins, profile: None, stats }
    }
}

fn start(
    engine: &Engine,
    budget: &Budget,
    store: &mut wasmi::Store<StoreData>,
    machine: &Machine,
    observation: Option<&Arc<Observation>>,
    bytes: &[u8],
) -> Result<i32, Failure> {
    let compiled = engine.compile(&binary_form(bytes)?, |hash, code| budget.add_code(hash, code))?;
    let memory = MemorySlot::default();
    let guest = observation.map(|observation| GuestName::of_new(compiled.name.as_deref(), observation));
    let watched = observation.zip(guest.as_ref());
    let externs = link(&compiled, store, &WasiModule(machine.clone()), &memory, watched)?;
    if compiled.grows_tables {
        slices::give_up(&mut store.as_context_mut());
    }
    let make = |store: &mut wasmi::Store<StoreData>| {
        slices::whole(&mut store.as_context_mut(), |context| compiled.instantiate(context, &externs))
    };
    let made = match watched {
        None => make(store),
        Some((observation, guest)) => Watch::of_instantiation(observation, guest, Side::Host).run(store, make),
    };
    let instance = match made {
        Ok(instance) => instance,
        // The start function may exit too.
        Err(error) => return error.i32_exit_status().ok_or(Failure::Wasm(error)),
    };
    let exported = compiled.exports.keys().find_map(|name| instance.get_memory(&*store, name));
    exported.inspect(|exported| memory.set(*exported));
    let Some(start) = instance.get_func(&*store, "_start") else {
        return Err(Failure::Ours(Error::new(
            ErrorKind::Link,
            "this module is not a command: it exports no function `_start`; a script can call what it exports",
        )));
    };
    start.typed::<(), ()>(&*store)?;
    let call = |store: &mut wasmi::Store<StoreData>| slices::call(&start, store.as_context_mut(), &[], &mut []);
    let outcome = match watched {
        None => call(store),
        Some((observation, guest)) => Watch::of_export(observation, guest, Side::Host, "_start").run(store, call),
    };
    match outcome {
        Ok(()) => Ok(0),
        Err(error) => error.i32_exit_status().ok_or(Failure::Wasm(error)),
    }
}

fn link(
    compiled: &Compiled,
    store: &mut wasmi::Store<StoreData>,
    host: &dyn HostModule,
    memory: &MemorySlot,
    watched: Option<(&Arc<Observation>, &GuestName)>,
) -> Result<Vec<wasmi::Extern>, Error> {
    let mut problems = Vec::new();
    let mut externs = Vec::new();
    for import in &compiled.imports {
        let Some(function) = host.find(&import.module, &import.name) else {
            let ty = named(&import.ty);
            problems.push(format!("`{}` ({ty}) is missing: WASI does not have it", full_name(import)));
            continue;
        };
        if let Some(problem) = host_mismatch(import, &*function) {
            problems.push(format!("`{}`{problem}", full_name(import)));
            continue;
        }
        let watch = watched.map(|(observation, guest)| -> Arc<dyn CallWatch> {
            let name = format!("{}.{}", import.module, import.name);
            Arc::new(Watch::of_import(observation, guest, Side::Host, name))
        });
        externs.push(function.define(store.as_context_mut(), memory, watch).into());
    }
    if problems.is_empty() { Ok(externs) } else { Err(link_error(problems.len(), &problems)) }
}

/// The error that ended a run: one of this crate or one of wasmi.
enum Failure {
    Ours(Error),
    Wasm(wasmi::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<wasmi::Error> for Failure {
    fn from(error: wasmi::Error) -> Self {
        Self::Wasm(error)
    }
}

/// Makes the error of a run. `refused` is the end of a message about a growth of the guest's memory that was refused.
fn explain(failure: Failure, limits: &Limits, refused: Option<String>) -> Error {
    let error = match failure {
        Failure::Ours(error) => return error,
        Failure::Wasm(error) => error,
    };
    if let Some(Stopped(why)) = error.downcast_ref::<Stopped>() {
        return slices::stopped(*why);
    }
    let exceeded = match error.as_trap_code() {
        Some(wasmi::TrapCode::OutOfFuel) => Some((Limit::Fuel, limits.fuel.unwrap_or(u64::MAX))),
        Some(_) => None,
        // The guest's memory or table could not be made. If one could not grow, the guest is told.
        None => match denied(&error) {
            Some(Limit::Memory) => Some((Limit::Memory, limits.memory)),
            Some(Limit::TableElements) => Some((Limit::TableElements, limits.table_elements)),
            _ => None,
        },
    };
    match exceeded {
        Some((limit, value)) => Error::limit(limit, format!("the sandbox's limit `{limit}` is reached: {value}")),
        None => {
            let refused = refused.filter(|_| gives_up(&error)).unwrap_or_default();
            Error::from_wasmi(&error, || format!("in the guest{refused}"))
        }
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
