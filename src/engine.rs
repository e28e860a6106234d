//! What an embedder grants to the scripts of an evaluation: compiled modules, limits, modules by name.

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

/// What a script asks a loader for. The loader does not learn it: the word is for messages.
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

/// What the evaluations attached to it share: compiled modules, limits and a loader.
///
/// Cheap to clone: clones are the same engine. A compiled module belongs to its engine, so the
/// files of one `load` tree must share one. Each evaluation has a budget of its own.
///
/// An engine keeps what was compiled, each module once, until its last clone is dropped: a service that
/// runs modules of many users makes an engine for each, or a new one now and then. Evaluations that are
/// attached to no engine share one that is never dropped.
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
    /// Bytes that the engine holds of them, and of those that turned out invalid.
    code: u64,
}

static DEFAULT: Lazy<Engine> = Lazy::new(|| Engine::new(Limits::default()));

impl Default for Engine {
    /// The engine of evaluations that were attached to none: default limits, no loader.
    fn default() -> Self {
        DEFAULT.clone()
    }
}

impl Engine {
    /// An engine with these limits, and no loader: `wasm.Module` then takes bytes only.
    pub fn new(limits: Limits) -> Self {
        Self::build(limits, None, None, Told::Nothing)
    }

    /// An engine whose scripts may name modules: `wasm.Module("name")`.
    ///
    /// The loader decides what a name means and gives `Ok(None)` for one it does not know.
    pub fn with_loader(
        limits: Limits,
        loader: impl Fn(&str) -> Result<Option<Vec<u8>>, String> + Send + Sync + 'static,
    ) -> Self {
        Self::build(limits, Some(Box::new(Loaded(loader))), None, Told::Nothing)
    }

    /// The engine of a sandbox: its guests run in slices of so much fuel, and tell so much.
    pub(crate) fn for_sandbox(
        limits: Limits,
        slice: Option<u64>,
        told: Told,
        files: impl FileSource + 'static,
    ) -> Self {
        Self::build(limits, Some(Box::new(files)), slice, told)
    }

    /// An engine whose guests run in slices of so much fuel.
    #[cfg(feature = "internals")]
    pub(crate) fn sliced(limits: Limits, slice: u64) -> Self {
        Self::build(limits, None, Some(slice), Told::Nothing)
    }

    /// An engine whose guests tell what they spend.
    #[cfg(feature = "internals")]
    pub(crate) fn profiled(limits: Limits) -> Self {
        Self::build(limits, None, None, Told::Fuel)
    }

    /// An engine whose guests keep frames.
    #[cfg(feature = "internals")]
    pub(crate) fn framed(limits: Limits) -> Self {
        Self::build(limits, None, None, Told::Frames)
    }

    /// The engine of a command module.
    pub(crate) fn for_command(limits: Limits, slice: Option<u64>, told: Told) -> Self {
        Self::build(limits, None, slice, told)
    }

    fn build(limits: Limits, files: Option<Box<dyn FileSource>>, slice: Option<u64>, told: Told) -> Self {
        let wasmi = wasmi::Engine::new(&module::config(&limits, slice.is_some(), told));
        Self(Arc::new(Inner { wasmi, compiled: Mutex::default(), limits, files, slice, told }), Arc::default())
    }

    /// The same engine, which gives modules one more import: what [`Sandbox::import`](crate::Sandbox::import) is for an application with an
    /// evaluator of its own. Clones that were made before do not have it.
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

    /// The same engine, which tells `observer` of each call into WebAssembly and out of it: what
    /// [`Sandbox::observer`](crate::Sandbox::observer) is for an application with an evaluator of its own. Clones that were
    /// made before do not.
    pub fn observer(mut self, observer: impl Fn(&Crossing<'_>) + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.1).set_observer(Arc::new(observer));
        self
    }

    /// The same engine, for scripts that get these grants.
    pub(crate) fn with_grants(self, grants: Arc<Grants>) -> Self {
        Self(self.0, grants)
    }

    /// What is observed of a run that begins.
    pub(crate) fn observation(&self) -> Option<Arc<Observation>> {
        self.grants().observer().map(|observer| Arc::new(Observation::new(observer.clone())))
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.1
    }

    /// Compiles a module, or finds it compiled. wasmi's engine keeps the code of every module for as
    /// long as it lives, so to keep the module too costs little, and to compile it twice would cost twice.
    ///
    /// `charge` is told which module it is and about how many bytes of code it has, before it is compiled.
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
        // Not while the lock is held: other threads may compile other modules.
        let new = Compiled::new(self.wasmi(), &binary, hash, code, self.limits(), self.told()).map(Arc::new);
        let mut cache = self.cache();
        cache.code = cache.code.saturating_add(code);
        let new = new?;
        cache.modules.insert(hash, new.clone());
        Ok(new)
    }

    /// Opens the budget of an evaluation: with a profile, where guests tell what they spend.
    pub(crate) fn budget(&self) -> Budget {
        match self.told() {
            Told::Fuel => Budget::new(self.limits()).with_profile(),
            _ => Budget::new(self.limits()),
        }
    }

    /// About how many bytes its engine holds of what was compiled.
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

    /// Sets the limits on Starlark itself, `ticks`, `heap` and `call_depth`, in an evaluator of the
    /// application's own. Without that they are starlark's defaults: no limit on ticks and heap, and a
    /// call depth of 50.
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

    /// Loads the bytes behind the name of a module or script.
    pub(crate) fn load(&self, wanted: Wanted, name: &str) -> Result<Vec<u8>, Error> {
        let what = wanted.as_str();
        let failed = |why: String| {
            // Most likely meant as the module itself, which as a name would be all of the message.
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

    /// Lists a folder: names of files, and of folders with a slash at their end.
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
