//! What the evaluations of an application share: compiled modules, limits, and the modules that scripts find by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use once_cell::sync::Lazy;
use starlark::eval::Evaluator;

use crate::budget::{Budget, ModuleHash};
use crate::error::{Error, ErrorKind};
use crate::files::{FileSource, Loaded};
use crate::frames::Told;
use crate::host::Grants;
use crate::host::import::Import;
use crate::limits::Limits;
use crate::module::{self, Compiled};
use crate::observe::{Crossing, Observation};
use crate::wording::ending;

/// What a script asks a loader for. Only messages use it: the loader is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Module,
    File,
}

impl Wanted {
    fn as_str(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::File => "file",
        }
    }
}

/// Holds what the evaluations that are attached to it share: compiled modules, limits and a loader.
///
/// A clone is the same engine, and cheap to make. A compiled module belongs to its engine, so all files that
/// `load` each other must share one. Each evaluation has a budget of its own.
///
/// An engine compiles each module once, and keeps the result until its last clone is dropped. So a service that
/// runs the modules of many users makes an engine for each user, or a new one from time to time. Evaluations that are
/// not attached to an engine share one that is never dropped.
#[derive(Clone)]
pub struct Engine(Arc<Inner>, Arc<Grants>);

struct Inner {
    wasmi: wasmi::Engine,
    compiled: Mutex<Cache>,
    limits: Limits,
    files: Option<Box<dyn FileSource>>,
    /// The fuel that a guest may spend before it is asked whether to stop; `None` for one that cannot be interrupted.
    slice: Option<u64>,
    told: Told,
}

/// What was compiled.
#[derive(Default)]
struct Cache {
    modules: BTreeMap<ModuleHash, Arc<Compiled>>,
    /// The bytes that the engine holds for these modules, and for those that turned out to be invalid.
    code: u64,
}

static DEFAULT: Lazy<Engine> = Lazy::new(|| Engine::new(Limits::default()));

impl Default for Engine {
    /// Returns the engine of evaluations that are not attached to one. It has the default limits and no loader.
    fn default() -> Self {
        DEFAULT.clone()
    }
}

impl Engine {
    /// Makes an engine with these limits and without a loader, so that `wasm.Module` takes only bytes.
    pub fn new(limits: Limits) -> Self {
        Self::build(limits, None, None, Told::Nothing)
    }

    /// Makes an engine with a loader, so that scripts can name modules: `wasm.Module("name")`.
    ///
    /// The loader decides what a name means, and returns `Ok(None)` for a name that it does not know.
    pub fn with_loader(
        limits: Limits,
        loader: impl Fn(&str) -> Result<Option<Vec<u8>>, String> + Send + Sync + 'static,
    ) -> Self {
        Self::build(limits, Some(Box::new(Loaded(loader))), None, Told::Nothing)
    }

    /// Makes the engine of a sandbox, whose guests run in slices of `slice` fuel and report what `told` says.
    pub(crate) fn for_sandbox(
        limits: Limits,
        slice: Option<u64>,
        told: Told,
        files: impl FileSource + 'static,
    ) -> Self {
        Self::build(limits, Some(Box::new(files)), slice, told)
    }

    /// Makes an engine whose guests run in slices of `slice` fuel.
    #[cfg(feature = "internals")]
    pub(crate) fn sliced(limits: Limits, slice: u64) -> Self {
        Self::build(limits, None, Some(slice), Told::Nothing)
    }

    /// Makes an engine whose guests report the fuel that each function spends.
    #[cfg(feature = "internals")]
    pub(crate) fn profiled(limits: Limits) -> Self {
        Self::build(limits, None, None, Told::Fuel)
    }

    /// Makes an engine whose guests keep frames.
    #[cfg(feature = "internals")]
    pub(crate) fn framed(limits: Limits) -> Self {
        Self::build(limits, None, None, Told::Frames)
    }

    /// Makes the engine of a command module.
    pub(crate) fn for_command(limits: Limits, slice: Option<u64>, told: Told) -> Self {
        Self::build(limits, None, slice, told)
    }

    fn build(limits: Limits, files: Option<Box<dyn FileSource>>, slice: Option<u64>, told: Told) -> Self {
        let wasmi = wasmi::Engine::new(&module::config(&limits, slice.is_some(), told));
        Self(Arc::new(Inner { wasmi, compiled: Mutex::default(), limits, files, slice, told }), Arc::default())
    }

    /// Gives modules a function to import, like [`Sandbox::import`](crate::Sandbox::import) for an application with an
    /// evaluator of its own. Returns the same engine; its earlier clones do not have the import.
    ///
    /// ```
    /// use wasmlark::starlark::environment::{GlobalsBuilder, Module};
    /// use wasmlark::starlark::eval::Evaluator;
    /// use wasmlark::starlark::syntax::{AstModule, Dialect};
    /// use wasmlark::{Caller, Engine, Error, HostFunction, Limits};
    ///
    /// let engine = Engine::new(Limits::new())
    ///     .import("env", "add", |_: &mut Caller<'_>, a: i32, b: i32| Ok::<_, Error>(a + b));
    /// let length = HostFunction::new("length", |text: &str| Ok::<_, Error>(text.len()));
    /// let globals = GlobalsBuilder::standard().with(wasmlark::globals).with(|builder| length.add_to(builder)).build();
    /// # #[cfg(feature = "wat")] {
    /// let script = r#"
    /// guest = wasm.wat('(module (import "env" "add" (func (param i32 i32) (result i32))) (export "add" (func 0)))')
    /// wasm.instantiate(guest).exports.add(length("hello"), 2)
    /// "#;
    /// let ast = AstModule::parse("main.star", script.to_owned(), &Dialect::Standard)?;
    /// Module::with_temp_heap(|module| {
    ///     engine.attach(&module);
    ///     let sum = Evaluator::new(&module).eval_module(ast, &globals)?.unpack_i32();
    ///     assert_eq!(sum, Some(7));
    ///     Ok::<_, starlark::Error>(())
    /// })?;
    /// # }
    /// # Ok::<(), starlark::Error>(())
    /// ```
    pub fn import<Args: 'static>(
        mut self,
        module: impl Into<String>,
        name: impl Into<String>,
        function: impl Import<Args>,
    ) -> Self {
        Arc::make_mut(&mut self.1).set_import(module.into(), name.into(), function);
        self
    }

    /// Tells `observer` of each call into WebAssembly and out of it, like [`Sandbox::observer`](crate::Sandbox::observer) for
    /// an application with an evaluator of its own. Returns the same engine; its earlier clones do not tell the observer.
    pub fn observer(mut self, observer: impl Fn(&Crossing<'_>) + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.1).set_observer(Arc::new(observer));
        self
    }

    /// Returns the same engine, for scripts with these grants.
    pub(crate) fn with_grants(self, grants: Arc<Grants>) -> Self {
        Self(self.0, grants)
    }

    /// Begins the observation of a run, if there is an observer.
    pub(crate) fn observation(&self) -> Option<Arc<Observation>> {
        self.grants().observer().map(|observer| Arc::new(Observation::new(observer.clone())))
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.1
    }

    /// Compiles a module, or returns it if it was compiled before. wasmi's engine never frees the code of a module, so keeping
    /// the module too costs little, and compiling it again would keep its code twice.
    ///
    /// Before that, `charge` gets the hash of the module and an estimate of its code in bytes, and may refuse it.
    pub(crate) fn compile(
        &self,
        bytes: &[u8],
        charge: impl FnOnce(ModuleHash, u64) -> Result<(), Error>,
    ) -> Result<Arc<Compiled>, Error> {
        let hash = module::hash(bytes);
        let known = self.cache().modules.get(&hash).cloned();
        if let Some(known) = known {
            charge(hash, known.code)?;
            return Ok(known);
        }
        let binary = module::Binary::parse(bytes);
        let code = module::code_size(&binary);
        charge(hash, code)?;
        // Without the lock, since other threads may compile other modules meanwhile.
        let new = Compiled::new(self.wasmi(), &binary, hash, code, self.limits(), self.told()).map(Arc::new);
        let mut cache = self.cache();
        cache.code = cache.code.saturating_add(code);
        let new = new?;
        cache.modules.insert(hash, new.clone());
        Ok(new)
    }

    /// Makes the budget of an evaluation. It has a profile if guests report the fuel that they spend.
    pub(crate) fn budget(&self) -> Budget {
        match self.told() {
            Told::Fuel => Budget::new(self.limits()).with_profile(),
            _ => Budget::new(self.limits()),
        }
    }

    /// Returns an estimate of the compiled code that the engine holds, in bytes.
    pub(crate) fn code(&self) -> u64 {
        self.cache().code
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.0.compiled.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn wasmi(&self) -> &wasmi::Engine {
        &self.0.wasmi
    }

    pub(crate) fn slice(&self) -> Option<u64> {
        self.0.slice
    }

    pub(crate) fn told(&self) -> Told {
        self.0.told
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Sets the limits on Starlark itself, `ticks`, `heap` and `call_depth`, in the application's own evaluator. Without
    /// this call, starlark's defaults apply: no limit on ticks and heap, and a call depth of 50.
    ///
    /// # Errors
    ///
    /// If one of the three was set in that evaluator before.
    pub fn configure(&self, evaluator: &mut Evaluator<'_, '_, '_>) -> anyhow::Result<()> {
        let limits = self.limits();
        evaluator.set_max_tick_count(limits.ticks)?;
        evaluator.set_max_heap_size(limits.heap)?;
        evaluator.set_max_callstack_size(limits.call_depth)
    }

    /// Loads the module or file with this name.
    pub(crate) fn load(&self, wanted: Wanted, name: &str) -> Result<Vec<u8>, Error> {
        let what = wanted.as_str();
        let failed = |why: String| {
            // A script most likely meant the module itself. As a name, its text would fill the message.
            let is_text = cfg!(feature = "wat") && name.trim_start().starts_with("(module");
            let is_text = is_text && wanted == Wanted::Module;
            let hint = "a str is the name of a module, and this one is a module's text: wasm.wat(text) makes it bytes";
            Err(Error::new(ErrorKind::Load, if is_text { hint.to_owned() } else { why }))
        };
        let Some(files) = &self.0.files else {
            return failed(format!(
                "cannot load {what} \"{name}\": this host gives no modules by name; pass bytes, or give the host a loader"
            ));
        };
        let hint = || ending(files.suggest(name));
        match files.load(name) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => failed(format!("{what} \"{name}\" not found{}", hint())),
            Err(why) => failed(format!("cannot load {what} \"{name}\": {why}{}", hint())),
        }
    }

    /// Returns whether there is a file of this name.
    pub(crate) fn is_file(&self, name: &str) -> Result<bool, Error> {
        let Some(files) = &self.0.files else { return Ok(false) };
        files.is_file(name).map_err(|why| Error::load(format!("cannot look for file \"{name}\": {why}")))
    }

    /// Returns the names in a folder. Those of folders end in a slash.
    pub(crate) fn folder(&self, name: &str) -> Result<Vec<String>, Error> {
        let Some(files) = &self.0.files else { return Ok(Vec::new()) };
        files.folder(name).map_err(|why| {
            let folder = if name.is_empty() { "the root".to_owned() } else { format!("\"{name}\"") };
            Error::load(format!("cannot list the files in {folder}: {why}"))
        })
    }
}

/// Tells whether an engine, and thus the code in it, is alive.
#[cfg(test)]
pub(crate) struct Watch(std::sync::Weak<Inner>);

#[cfg(test)]
impl Watch {
    pub(crate) fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}

#[cfg(test)]
impl Engine {
    pub(crate) fn watch(&self) -> Watch {
        Watch(Arc::downgrade(&self.0))
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}
