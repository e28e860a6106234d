//! `wasm.Wasi`: a machine for a guest, and the results of the guest's run.

use std::collections::BTreeMap;
use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::collections::SmallMap;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::starlark_module;
use starlark::values::bytes::StarlarkBytes;
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::list::ListRef;
use starlark::values::none::NoneOr;
use starlark::values::tuple::TupleRef;
use starlark::values::{
    Heap, NoSerialize, StarlarkValue, Trace, Value, ValueLike, ValueOfUnchecked, ValueTyped, starlark_value,
};

use super::convert;
use super::evaluation::Evaluation;
use super::handle::ended;
use crate::error::Error;
use crate::wasi::{CLOCK_STEP, Content, InputStream, Machine, Setup, Streams};

#[derive(ProvidesStaticType, NoSerialize, Allocative, Trace)]
#[allocative(skip)]
pub(crate) struct Wasi<'v> {
    #[trace(unsafe_ignore)]
    machine: Machine,
    /// An `Evaluation`, against whose heap results that a script reads are counted.
    evaluation: Value<'v>,
}

/// The arguments of `wasm.wasi`.
pub(crate) struct WasiArguments<'v> {
    pub(crate) args: Option<Value<'v>>,
    pub(crate) env: Option<Value<'v>>,
    pub(crate) stdin: Option<Value<'v>>,
    pub(crate) files: Option<Value<'v>>,
    pub(crate) preopens: Option<Value<'v>>,
    pub(crate) seed: Option<Value<'v>>,
    pub(crate) now: Option<Value<'v>>,
    pub(crate) clock_step: Option<Value<'v>>,
}

impl<'v> Wasi<'v> {
    pub(crate) fn make(
        arguments: WasiArguments<'v>,
        evaluation: ValueTyped<'v, Evaluation<'v>>,
    ) -> Result<Self, Error> {
        let budget = evaluation.as_ref().budget.clone();
        let number = |value: Option<Value<'_>>, what, default| value.map_or(Ok(default), |v| convert::size(v, what));
        let stdin = arguments.stdin.map_or(Ok(&[][..]), |v| content(v, || "`stdin`".to_owned()));
        let setup = Setup {
            args: arguments.args.map_or_else(|| Ok(Vec::new()), |value| strings(value, evaluation.as_ref()))?,
            env: arguments.env.map_or_else(|| Ok(Vec::new()), |value| pairs(value, "env", evaluation.as_ref()))?,
            files: arguments.files.map_or_else(|| Ok(Vec::new()), files)?,
            modified: BTreeMap::new(),
            content_times: false,
            preopens: match arguments.preopens {
                Some(value) => pairs(value, "preopens", evaluation.as_ref())?,
                None => vec![("/".to_owned(), "/".to_owned())],
            },
            seed: number(arguments.seed, "seed", 0)?,
            now: number(arguments.now, "now", 0)?,
            clock_step: number(arguments.clock_step, "clock_step", CLOCK_STEP)?,
        };
        let streams = Streams::kept(InputStream::bytes(stdin?));
        Ok(Self { machine: Machine::new(setup, streams, budget)?, evaluation: evaluation.to_value() })
    }

    /// Returns the machine of a value that was passed as `wasi`.
    pub(crate) fn machine(value: Value<'v>) -> Result<Machine, Error> {
        if value.downcast_ref::<Self>().is_none() && value.downcast_ref::<EndedWasi>().is_none() {
            return Err(Error::value(format!(
                "`wasi` must be a wasm.Wasi, which wasm.wasi() makes, got {}",
                convert::describe(value)
            )));
        }
        Self::live(value).map(|wasi| wasi.machine.clone())
    }

    /// Returns the machine, or an error if its evaluation has ended.
    fn live(value: Value<'v>) -> Result<&'v Self, Error> {
        value.downcast_ref::<Self>().ok_or_else(super::store::frozen)
    }

    /// Copies bytes for the script.
    fn copy(&self, bytes: &[u8], heap: Heap<'v>) -> Result<Value<'v>, Error> {
        if let Some(evaluation) = self.evaluation.downcast_ref::<Evaluation<'v>>() {
            evaluation.hold(bytes.len() as u64, "copied out of a WASI machine")?;
        }
        Ok(heap.alloc(StarlarkBytes::new(bytes)))
    }
}

/// The memory that a string of a machine takes in addition to its bytes.
const STRING_OVERHEAD: usize = 32;

/// Copies a string for a machine. It counts against the limit `heap`.
fn keep(text: &str, evaluation: &Evaluation<'_>) -> Result<String, Error> {
    evaluation.hold(text.len().saturating_add(STRING_OVERHEAD) as u64, "given to a WASI machine")?;
    Ok(text.to_owned())
}

fn strings(value: Value<'_>, evaluation: &Evaluation<'_>) -> Result<Vec<String>, Error> {
    let items = ListRef::from_value(value).map(ListRef::content).or(TupleRef::from_value(value).map(TupleRef::content));
    let Some(items) = items else {
        return Err(Error::value(format!("`args` must be a list of str, got {}", convert::describe(value))));
    };
    let item = |(at, item): (usize, &Value<'_>)| match item.unpack_str() {
        Some(text) => keep(text, evaluation),
        None => Err(Error::value(format!("`args[{at}]` must be a str, got {}", convert::describe(*item)))),
    };
    items.iter().enumerate().map(item).collect()
}

/// Reads a dict from str to str that was given as `what`.
fn pairs(value: Value<'_>, what: &str, evaluation: &Evaluation<'_>) -> Result<Vec<(String, String)>, Error> {
    let Some(dict) = DictRef::from_value(value) else {
        return Err(Error::value(format!("`{what}` must be a dict from str to str, got {}", convert::describe(value))));
    };
    let pair = |(name, value): (Value<'_>, Value<'_>)| match (name.unpack_str(), value.unpack_str()) {
        (Some(name), Some(value)) => Ok((keep(name, evaluation)?, keep(value, evaluation)?)),
        (Some(name), None) => {
            Err(Error::value(format!("`{what}[\"{name}\"]` must be a str, got {}", convert::describe(value))))
        }
        (None, _) => Err(Error::value(format!("`{what}` must have str keys, got {}", convert::describe(name)))),
    };
    dict.iter().map(pair).collect()
}

fn files(value: Value<'_>) -> Result<Vec<(String, Content)>, Error> {
    let Some(dict) = DictRef::from_value(value) else {
        return Err(Error::value(format!(
            "`files` must be a dict from paths to bytes or str, got {}",
            convert::describe(value)
        )));
    };
    let file = |(path, value): (Value<'_>, Value<'_>)| match path.unpack_str() {
        Some(path) => {
            let content = content(value, || format!("`files[\"{path}\"]`"))?;
            Ok((path.to_owned(), Content::Bytes(content.to_owned())))
        }
        None => Err(Error::value(format!("`files` must have str keys, got {}", convert::describe(path)))),
    };
    dict.iter().map(file).collect()
}

fn content<'v>(value: Value<'v>, what: impl Fn() -> String) -> Result<&'v [u8], Error> {
    let text = || value.unpack_str().map(str::as_bytes);
    convert::bytes(value)
        .or_else(text)
        .ok_or_else(|| Error::value(format!("{} must be bytes or str, got {}", what(), convert::describe(value))))
}

starlark::methods_static!(WASI = wasi_methods);

/// A machine in memory, and the results of a guest's run. It can be inspected at any time, even while the guest runs.
/// Instances that share one share its files, streams, clock and random bytes.
#[starlark_module]
fn wasi_methods(builder: &mut MethodsBuilder) {
    /// What has been written to standard output so far.
    #[starlark(attribute)]
    fn stdout<'v>(this: Value<'v>, heap: Heap<'v>) -> starlark::Result<ValueOfUnchecked<'v, StarlarkBytes>> {
        let wasi = Wasi::live(this)?;
        Ok(ValueOfUnchecked::new(wasi.copy(wasi.machine.lock().streams.stdout.kept(), heap)?))
    }

    /// What has been written to standard error so far.
    #[starlark(attribute)]
    fn stderr<'v>(this: Value<'v>, heap: Heap<'v>) -> starlark::Result<ValueOfUnchecked<'v, StarlarkBytes>> {
        let wasi = Wasi::live(this)?;
        Ok(ValueOfUnchecked::new(wasi.copy(wasi.machine.lock().streams.stderr.kept(), heap)?))
    }

    /// All files in their current state: a dict from paths to `bytes`, in the order of the paths.
    #[starlark(attribute)]
    fn files<'v>(
        this: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<ValueOfUnchecked<'v, SmallMap<String, StarlarkBytes>>> {
        let wasi = Wasi::live(this)?;
        let machine = wasi.machine.lock();
        let system = &machine.system;
        // Names of the same file share its bytes.
        let mut contents: SmallMap<u64, Value<'v>> = SmallMap::new();
        let mut files = Vec::new();
        for (path, ino) in system.files()? {
            let Some(content) = system.fs.bytes(ino) else { continue };
            let content = match contents.get(&ino) {
                Some(known) => *known,
                None => wasi.copy(content, heap)?,
            };
            contents.insert(ino, content);
            files.push((path, content));
        }
        Ok(ValueOfUnchecked::new(heap.alloc(AllocDict(files))))
    }

    /// The guest's exit code: the argument of `proc_exit`, or 0 if `start()` just returned. `None` until then.
    #[starlark(attribute)]
    fn exit_code<'v>(this: Value<'v>) -> starlark::Result<NoneOr<i32>> {
        let machine = &Wasi::live(this)?.machine;
        let code = machine.lock().system.exit_code;
        Ok(NoneOr::from_option(code))
    }
}

#[starlark_value(type = "wasm.Wasi")]
impl<'v> StarlarkValue<'v> for Wasi<'v> {
    type Canonical = EndedWasi;

    fn get_methods() -> Option<&'static Methods> {
        Some(WASI.methods())
    }
}

ended! {
    /// A machine whose evaluation has ended.
    Wasi becomes EndedWasi prints "<wasm.Wasi>"
}

#[starlark_value(type = "wasm.Wasi", UnpackValue, StarlarkTypeRepr)]
impl<'v> StarlarkValue<'v> for EndedWasi {
    fn get_methods() -> Option<&'static Methods> {
        Some(WASI.methods())
    }
}

impl fmt::Debug for Wasi<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<wasm.Wasi>")
    }
}

impl fmt::Display for Wasi<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<wasm.Wasi>")
    }
}
