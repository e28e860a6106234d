//! The `wasm` namespace.

// Scripts pass these arguments by name; the macro does not pass on an attribute of a single function.
#![allow(clippy::too_many_arguments)]

use starlark::collections::SmallMap;
use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::none::NoneOr;
use starlark::values::tuple::UnpackTuple;
use starlark::values::{StringValue, Value, ValueOfUnchecked};

use crate::api::caller::FrozenCaller;
use crate::api::convert;
use crate::api::evaluation::Evaluation;
use crate::api::exports::EndedExports;
use crate::api::function::FrozenFunction;
use crate::api::global::{FrozenGlobal, Global};
use crate::api::instance::EndedInstance;
use crate::api::instantiate::instantiate as make_instance;
use crate::api::link::Missing;
use crate::api::memory::{FrozenMemory, Memory};
use crate::api::module::Module;
use crate::api::outcome::{FrozenOutcome, Outcome, Trap, attempt as try_call};
use crate::api::store::{EndedStore, Store};
use crate::api::table::{FrozenTable, Table};
use crate::api::wasi::{EndedWasi, Wasi, WasiArguments};
use crate::error::Error;
use crate::wording::shown;

/// Adds `wasm` to the globals of an application with its own evaluator.
///
/// ```
/// use starlark::environment::{GlobalsBuilder, Module};
/// use starlark::eval::Evaluator;
/// use starlark::syntax::{AstModule, Dialect};
///
/// let globals = GlobalsBuilder::standard().with(wasmlark::globals).build();
/// let script = r#"
/// answer = wasm.wat('(module (func (export "answer") (result i32) i32.const 42))')
/// wasm.instantiate(answer).exports.answer()
/// "#;
/// let ast = AstModule::parse("answer.star", script.to_owned(), &Dialect::Extended)?;
/// let answer = Module::with_temp_heap(|module| {
///     let mut evaluator = Evaluator::new(&module);
///     evaluator.eval_module(ast, &globals).map(|value| value.unpack_i32())
/// })?;
/// assert_eq!(answer, Some(42));
/// # Ok::<(), starlark::Error>(())
/// ```
///
/// [`Engine::attach`](crate::Engine::attach) gives such an evaluation limits and modules by name.
pub fn globals(builder: &mut GlobalsBuilder) {
    builder.namespace("wasm", |builder| {
        members(builder);
        #[cfg(feature = "wat")]
        text_format(builder);
    });
}

fn optional<'v>(value: Option<NoneOr<Value<'v>>>) -> Option<Value<'v>> {
    value.and_then(NoneOr::into_option)
}

fn store_or_default<'v>(
    store: Option<NoneOr<Value<'v>>>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> Result<Value<'v>, Error> {
    match optional(store) {
        None => Ok(Store::default_for(eval)),
        Some(store) => check_store(store),
    }
}

fn check_store(store: Value<'_>) -> Result<Value<'_>, Error> {
    if !Store::is_store(store) {
        return Err(Error::value(format!("`store` must be a wasm.Store, got {}", convert::describe(store))));
    }
    Store::live(store)?.check_open()?;
    Ok(store)
}

/// WebAssembly modules: load, link, call.
#[starlark_module]
fn members(builder: &mut GlobalsBuilder) {
    /// Compiles a module from `bytes` in the binary format, or from a file, whose name the host's loader resolves. A file whose name
    /// ends in `.wat` is in the text format. The result is immutable and can be shared through `load`.
    #[starlark(as_type = Module)]
    fn Module<'v>(
        #[starlark(require = pos)] source: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Module> {
        Ok(Module::from_source(source, eval)?)
    }

    /// Makes an instance of a module, given as a `wasm.Module`, as `bytes`, or by file name. `imports` is a dict from
    /// module names to dicts from names to functions, memories, tables and globals; an `Instance`, or its `exports`,
    /// can take the place of an inner dict. `wasi`, made by `wasm.wasi()`, provides what a module imports from
    /// `wasi_snapshot_preview1` or `wasi_unstable` and `imports` does not have.
    ///
    /// `missing` says what happens to functions that no one provides: `"error"`, or `"trap"` for functions that trap when they
    /// are called, with the code `"unreachable"`. Memories, tables and globals must be given.
    fn instantiate<'v>(
        #[starlark(require = pos)] source: Value<'v>,
        #[starlark(require = named)] imports: Option<Value<'v>>,
        #[starlark(require = named)] wasi: Option<NoneOr<Value<'v>>>,
        #[starlark(require = named)] store: Option<NoneOr<Value<'v>>>,
        #[starlark(require = named, default = "error")] missing: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<ValueOfUnchecked<'v, EndedInstance>> {
        let missing = match missing {
            "error" => Missing::IsError,
            "trap" => Missing::Traps,
            other => {
                let other = shown(other);
                return Err(Error::value(format!("`missing` must be \"error\" or \"trap\", got \"{other}\"")).into());
            }
        };
        let module = Module::from_source(source, eval)?;
        let store = optional(store).map(check_store).transpose()?;
        let machine = optional(wasi).map(Wasi::machine).transpose()?;
        make_instance(&module, imports, machine, store, missing, eval).map(ValueOfUnchecked::new)
    }

    /// Makes a machine for a module built for WASI preview 1. It is all in memory, has no access to the host, and runs
    /// the same everywhere.
    ///
    /// `args` is the whole of `argv`, starting with the program's name. `stdin` and the values of `files` are `bytes`
    /// or `str`. The keys of `files` are paths from the root directory, such as `/in/a.txt`; one that ends in a slash,
    /// with an empty value, is an empty directory.
    ///
    /// `preopens` lists the directories that the guest may open, as a dict from the name that the guest sees to the
    /// path: `{".": "/work", "/in": "/in"}`. By default it is the root, as `/`. Guests with a C library older than 2021
    /// find relative paths only by a relative name.
    ///
    /// Time, for all clocks, starts at `now` nanoseconds and advances by `clock_step` nanoseconds, by default a
    /// millisecond, at every reading; waiting advances it to the end of the wait. Random bytes come from SplitMix64
    /// with `seed`, each word little-endian.
    fn wasi<'v>(
        #[starlark(require = named)] args: Option<Value<'v>>,
        #[starlark(require = named)] env: Option<Value<'v>>,
        #[starlark(require = named)] stdin: Option<Value<'v>>,
        #[starlark(require = named)] files: Option<Value<'v>>,
        #[starlark(require = named)] preopens: Option<Value<'v>>,
        #[starlark(require = named)] seed: Option<ValueOfUnchecked<'v, i64>>,
        #[starlark(require = named)] now: Option<ValueOfUnchecked<'v, i64>>,
        #[starlark(require = named)] clock_step: Option<ValueOfUnchecked<'v, i64>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<ValueOfUnchecked<'v, EndedWasi>> {
        let int = |value: Option<ValueOfUnchecked<'v, i64>>| value.map(|value| value.get());
        let arguments = WasiArguments {
            args,
            env,
            stdin,
            files,
            preopens,
            seed: int(seed),
            now: int(now),
            clock_step: int(clock_step),
        };
        let wasi = Wasi::make(arguments, Evaluation::current(eval))?;
        Ok(ValueOfUnchecked::new(eval.heap().alloc(wasi)))
    }

    /// The type of the result of `wasm.wasi`.
    #[starlark(as_type = EndedWasi)]
    fn Wasi<'v>() -> starlark::Result<ValueOfUnchecked<'v, EndedWasi>> {
        Err(Error::value("wasm.Wasi is a type; wasm.wasi(…) makes one").into())
    }

    /// Makes a memory that can be imported. Sizes are in pages of 65,536 bytes. `memory64` gives it 64-bit addresses.
    #[starlark(as_type = FrozenMemory)]
    fn Memory<'v>(
        #[starlark(require = pos)] initial: ValueOfUnchecked<'v, i64>,
        #[starlark(require = named)] maximum: Option<NoneOr<Value<'v>>>,
        #[starlark(require = named, default = false)] memory64: bool,
        #[starlark(require = named)] store: Option<NoneOr<Value<'v>>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Memory<'v>> {
        let store = store_or_default(store, eval)?;
        Ok(Memory::make(store, initial.get(), optional(maximum), memory64)?)
    }

    /// Makes a global that can be imported. `type` is `"i32"`, `"i64"`, `"f32"`, `"f64"`, `"v128"`, `"funcref"` or
    /// `"externref"`.
    #[starlark(as_type = FrozenGlobal)]
    fn Global<'v>(
        #[starlark(require = pos)] r#type: &str,
        #[starlark(require = pos)] value: Value<'v>,
        #[starlark(require = named, default = false)] mutable: bool,
        #[starlark(require = named)] store: Option<NoneOr<Value<'v>>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Global<'v>> {
        let store = store_or_default(store, eval)?;
        Ok(Global::make(store, r#type, value, mutable)?)
    }

    /// Makes a table of null references that can be imported. `type` is `"funcref"` or `"externref"`. `table64` gives
    /// it 64-bit indices.
    #[starlark(as_type = FrozenTable)]
    fn Table<'v>(
        #[starlark(require = pos)] initial: ValueOfUnchecked<'v, i64>,
        #[starlark(require = named)] maximum: Option<NoneOr<Value<'v>>>,
        #[starlark(require = named, default = "funcref")] r#type: &str,
        #[starlark(require = named, default = false)] table64: bool,
        #[starlark(require = named)] store: Option<NoneOr<Value<'v>>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Table<'v>> {
        let store = store_or_default(store, eval)?;
        Ok(Table::make(store, initial.get(), optional(maximum), r#type, table64)?)
    }

    /// Makes a store: a place for instances with fuel and memory of its own, within the sandbox's, that `close()` frees
    /// early. Without one, everything is in the evaluation's default store.
    #[starlark(as_type = EndedStore)]
    fn Store<'v>(
        #[starlark(require = named)] fuel: Option<NoneOr<Value<'v>>>,
        #[starlark(require = named)] max_memory: Option<NoneOr<Value<'v>>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Store<'v>> {
        let evaluation = Evaluation::current(eval);
        let fuel = optional(fuel).map(|f| convert::size(f, "fuel")).transpose()?;
        let max_memory = optional(max_memory).map(|m| convert::size(m, "max_memory")).transpose()?;
        if fuel.is_some() && !evaluation.as_ref().is_metered() {
            return Err(Error::value("this host does not meter fuel, so a store cannot have `fuel`").into());
        }
        let store = Store::new(evaluation, fuel, max_memory);
        // A store counts as much as an instance, and returns its place as one does.
        store.count_instance()?;
        Ok(store)
    }

    /// Calls `function(*args, **kwargs)` and returns the result: `.ok`, `.value`, and `.trap` if
    /// WebAssembly code trapped. Only traps are caught: an error of the script passes through, and
    /// so does the end of the sandbox's own budget.
    fn attempt<'v>(
        #[starlark(require = pos)] function: Value<'v>,
        #[starlark(args)] args: UnpackTuple<Value<'v>>,
        #[starlark(kwargs)] kwargs: SmallMap<StringValue<'v>, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Outcome<'v>> {
        let named: Vec<(&str, Value<'v>)> = kwargs.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        try_call(function, &args.items, &named, eval)
    }

    /// The type of instances.
    #[starlark(as_type = EndedInstance)]
    fn Instance<'v>() -> starlark::Result<ValueOfUnchecked<'v, EndedInstance>> {
        Err(Error::value("wasm.Instance is a type; wasm.instantiate makes one").into())
    }

    /// The type of `instance.exports`.
    #[starlark(as_type = EndedExports)]
    fn Exports<'v>() -> starlark::Result<ValueOfUnchecked<'v, EndedExports>> {
        Err(Error::value("wasm.Exports is a type; `instance.exports` is one").into())
    }

    /// The type of exported functions.
    #[starlark(as_type = FrozenFunction)]
    fn Function<'v>() -> starlark::Result<ValueOfUnchecked<'v, FrozenFunction>> {
        Err(Error::value("wasm.Function is a type; `instance.exports` gives functions").into())
    }

    /// The type of the first argument of an imported function.
    #[starlark(as_type = FrozenCaller)]
    fn Caller<'v>() -> starlark::Result<ValueOfUnchecked<'v, FrozenCaller>> {
        Err(Error::value("wasm.Caller is a type; an imported function gets one").into())
    }

    /// The type of the result of `wasm.attempt`.
    #[starlark(as_type = FrozenOutcome)]
    fn Outcome<'v>() -> starlark::Result<ValueOfUnchecked<'v, FrozenOutcome>> {
        Err(Error::value("wasm.Outcome is a type; wasm.attempt makes one").into())
    }

    /// The type of `outcome.trap`.
    #[starlark(as_type = Trap)]
    fn Trap<'v>() -> starlark::Result<Trap> {
        Err(Error::value("wasm.Trap is a type; wasm.attempt gives one").into())
    }
}

/// The text format.
#[cfg(feature = "wat")]
#[starlark_module]
fn text_format(builder: &mut GlobalsBuilder) {
    /// Translates a module from the text format to the binary format.
    fn wat<'v>(
        #[starlark(require = pos)] text: &str,
        heap: starlark::values::Heap<'v>,
    ) -> starlark::Result<ValueOfUnchecked<'v, starlark::values::bytes::StarlarkBytes>> {
        let bytes = crate::module::wat::to_binary(text, None)
            .map_err(|e| Error::new(crate::error::ErrorKind::Module, format!("wat: {e}")))?;
        Ok(ValueOfUnchecked::new(heap.alloc(bytes)))
    }
}
