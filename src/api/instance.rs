//! `wasm.Instance`: a module that is linked and can run.

use std::cell::Cell;
use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::none::NoneType;
use starlark::values::{
    Heap, NoSerialize, StarlarkValue, Trace, Value, ValueLike, ValueOfUnchecked, ValueTyped, starlark_value,
};

use super::evaluation::Evaluation;
use super::exports::{EndedExports, Exports};
use super::handle::ended;
use super::memory::Memory;
use super::module::Module;
use super::scope::CyclicRef;
use super::store_ref::StoreRef;
use crate::error::{Error, ErrorKind, TrapCode};
use crate::wasi::Machine;
use crate::wording::visible;

#[derive(ProvidesStaticType, NoSerialize, Allocative, Trace)]
#[allocative(skip)]
pub(crate) struct Instance<'v> {
    pub(crate) owner: StoreRef<Value<'v>>,
    pub(crate) exports: CyclicRef<'v, Exports<'v>>,
    #[trace(unsafe_ignore)]
    module: Module,
    /// The memory that it imports, if it imports exactly one.
    imported_memory: Option<Value<'v>>,
    initialized: Cell<bool>,
    /// The machine that was passed as `wasi`.
    #[trace(unsafe_ignore)]
    machine: Option<Machine>,
}

impl<'v> Instance<'v> {
    pub(crate) fn new(
        owner: StoreRef<Value<'v>>,
        exports: ValueTyped<'v, Exports<'v>>,
        module: Module,
        imported_memory: Option<Value<'v>>,
        machine: Option<Machine>,
    ) -> Self {
        Self {
            owner,
            exports: CyclicRef::new(exports),
            module,
            imported_memory,
            initialized: Cell::new(false),
            machine,
        }
    }

    pub(crate) fn from_value(value: Value<'v>) -> Option<&'v Self> {
        value.downcast_ref::<Self>()
    }

    /// Returns the instance, or an error if its evaluation has ended.
    fn live(value: Value<'v>) -> Result<&'v Self, Error> {
        value.downcast_ref::<Self>().ok_or_else(super::store::frozen)
    }

    /// Returns the memory that is exported as `memory`, otherwise the only exported one, otherwise the only imported one.
    pub(crate) fn memory(&self, heap: Heap<'v>) -> Result<Value<'v>, Error> {
        let is_memory = |ty: &wasmi::ExternType| matches!(ty, wasmi::ExternType::Memory(_));
        let exports = &self.module.compiled().exports;
        if exports.get("memory").is_some_and(is_memory) {
            return self.exports.as_ref().get("memory", heap);
        }
        let memories: Vec<&String> = exports.iter().filter(|(_, ty)| is_memory(ty)).map(|(name, _)| name).collect();
        match memories.as_slice() {
            [one] => self.exports.as_ref().get(one, heap),
            [] => self.imported_memory.ok_or_else(|| {
                Error::new(ErrorKind::Link, "the module neither exports a memory nor imports exactly one")
            }),
            many => Err(Error::new(
                ErrorKind::Link,
                format!(
                    "the module exports {} memories and none is named `memory`; get_memory(name) takes one of {}",
                    many.len(),
                    many.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(", ")
                ),
            )),
        }
    }

    /// Adds the end of the guest's standard error to the error of a trap, since a guest writes there why it gave up.
    fn with_stderr(&self, error: starlark::Error) -> starlark::Error {
        let (Some(ours), Some(machine)) = (Error::find_in(&error), &self.machine) else { return error };
        let ErrorKind::Trap(_) = ours.kind() else { return error };
        let Some(lines) = last_lines(machine.lock().streams.stderr.kept()) else { return error };
        let ours = ours.copy().followed_by(&format!("; the guest wrote to standard error:{lines}"));
        let mut ours = starlark::Error::from(ours);
        if let Some(place) = error.span() {
            ours.set_span(place.span, &place.file);
        }
        ours.set_call_stack(|| error.call_stack().clone());
        ours
    }

    /// Runs a function without parameters and results. Returns the exit code, which is 0 if the guest does not exit.
    fn run(&self, name: &str, heap: Heap<'v>, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<i32> {
        let function = self.exports.as_ref().get(name, heap)?;
        match Evaluation::current(eval).as_ref().call(eval, function, &[], &[]) {
            Ok(_) => Ok(0),
            Err(error) => match Error::find_in(&error) {
                Some(ours) if ours.kind() == ErrorKind::Trap(TrapCode::Exit) => Ok(ours.exit_code().unwrap_or(0)),
                _ => Err(error),
            },
        }
    }
}

/// The maximum number of lines that are shown of what a guest wrote, and of bytes before they are decoded.
const MAX_LINES: usize = 8;
const MAX_BYTES: usize = 1024;

/// Returns the last lines of a text, each of them indented; `None` for a text that has only white space.
fn last_lines(text: &[u8]) -> Option<String> {
    let cut = text.len().saturating_sub(MAX_BYTES);
    let end = String::from_utf8_lossy(text.get(cut..).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = end.trim_end().lines().collect();
    // The first line is cut off at its beginning. It is shown only if it is the only one.
    let whole = if cut > 0 && lines.len() > 1 { lines.get(1..).unwrap_or_default() } else { &lines };
    let last = whole.get(whole.len().saturating_sub(MAX_LINES)..).unwrap_or_default();
    let shown: String = last.iter().map(|line| format!("\n  {}", visible((*line).to_owned()))).collect();
    (!shown.is_empty()).then_some(shown)
}

starlark::methods_static!(INSTANCE = instance_methods);

/// An instance of a module.
#[starlark_module]
fn instance_methods(builder: &mut MethodsBuilder) {
    /// The exports of the instance: `instance.exports.add` or `instance.exports["any name"]`. `in`, `dir` and iteration work
    /// with their names.
    #[starlark(attribute)]
    fn exports<'v>(this: Value<'v>) -> starlark::Result<ValueOfUnchecked<'v, EndedExports>> {
        let instance = Instance::live(this)?;
        instance.owner.store()?.check_open()?;
        Ok(ValueOfUnchecked::new(instance.exports.to_value()))
    }

    /// The memory that is exported as `memory`, otherwise the only exported memory, otherwise the only imported one.
    #[starlark(attribute)]
    fn memory<'v>(this: Value<'v>, heap: Heap<'v>) -> starlark::Result<ValueOfUnchecked<'v, &'v Memory<'v>>> {
        Ok(ValueOfUnchecked::new(Instance::live(this)?.memory(heap)?))
    }

    /// The module from which the instance was made.
    #[starlark(attribute)]
    fn module<'v>(this: Value<'v>) -> starlark::Result<Module> {
        Ok(Instance::live(this)?.module.clone())
    }

    /// Returns the names of the exports, in the module's order.
    fn list_exports<'v>(this: Value<'v>) -> starlark::Result<Vec<String>> {
        Ok(Instance::live(this)?.exports.as_ref().names().map(str::to_owned).collect())
    }

    /// Returns the memory that is exported under this name.
    fn get_memory<'v>(
        this: Value<'v>,
        #[starlark(require = pos)] name: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<ValueOfUnchecked<'v, &'v Memory<'v>>> {
        let found = Instance::live(this)?.exports.as_ref().get(name, heap)?;
        match Memory::from_value(found) {
            Some(_) => Ok(ValueOfUnchecked::new(found)),
            None => Err(Error::new(ErrorKind::Link, format!("export `{name}` is not a memory: it is {found}")).into()),
        }
    }

    /// Runs a command: calls `_start`, and returns the exit code, which is 0 if the function just returns. The instance can
    /// be used after that. If the guest traps, the error ends with the last lines that it wrote to standard error.
    fn start<'v>(this: Value<'v>, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<i32> {
        let heap = eval.heap();
        let instance = Instance::live(this)?;
        let code = instance.run("_start", heap, eval).map_err(|error| instance.with_stderr(error))?;
        if let Some(machine) = &instance.machine {
            machine.lock().system.exit_code = Some(code);
        }
        Ok(code)
    }

    /// Initializes a reactor: calls `_initialize`, if the module exports it. It can be called once.
    fn initialize<'v>(this: Value<'v>, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<NoneType> {
        let instance = Instance::live(this)?;
        if instance.initialized.replace(true) {
            return Err(Error::new(
                ErrorKind::Value,
                "`initialize()` was called before: a reactor is initialized once",
            )
            .into());
        }
        if instance.module.compiled().exports.contains_key("_initialize") {
            // A reactor that exits while it is initialized cannot be used, so an exit is an error.
            let function = instance.exports.as_ref().get("_initialize", eval.heap())?;
            Evaluation::current(eval).as_ref().call(eval, function, &[], &[])?;
        }
        Ok(NoneType)
    }
}

#[starlark_value(type = "wasm.Instance")]
impl<'v> StarlarkValue<'v> for Instance<'v> {
    type Canonical = EndedInstance;

    fn get_methods() -> Option<&'static Methods> {
        Some(INSTANCE.methods())
    }
}

ended! {
    /// An instance whose evaluation has ended.
    Instance becomes EndedInstance prints "<wasm.Instance>"
}

#[starlark_value(type = "wasm.Instance", UnpackValue, StarlarkTypeRepr)]
impl<'v> StarlarkValue<'v> for EndedInstance {
    fn get_methods() -> Option<&'static Methods> {
        Some(INSTANCE.methods())
    }
}

impl fmt::Debug for Instance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Instance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.module.compiled().name {
            Some(name) => write!(f, "<wasm.Instance {name}>"),
            None => f.write_str("<wasm.Instance>"),
        }
    }
}
