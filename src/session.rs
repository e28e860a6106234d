//! One run of a sandbox: the script and all that it loads.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use once_cell::sync::Lazy;
use starlark::PrintHandler;
use starlark::environment::{FrozenModule, Globals, GlobalsBuilder, LibraryExtension, Module};
use starlark::eval::{Evaluator, FileLoader};
use starlark::values::dict::DictRef;
use starlark::values::list::{AllocList, ListRef};
use starlark::values::tuple::TupleRef;
use starlark::values::{Heap, Value};

use crate::api::evaluation::Evaluation;
use crate::budget::Budget;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Limit};
use crate::lang::compat::limits::limit_reached;
use crate::lang::{self, names};
use crate::report::Reporter;

/// Takes printed lines.
pub(crate) type Print = dyn Fn(&str) + Send + Sync;

/// What a script spent. The same script with the same files and arguments spends the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// WebAssembly fuel; `None` where it is not metered.
    pub fuel: Option<u64>,
    /// Starlark ticks, those of loaded files among them.
    pub ticks: u64,
    /// The most bytes of linear memory in use at once.
    pub memory_peak: u64,
}

/// The globals of the sandbox: nothing in them tells of the host, or of addresses.
static GLOBALS: Lazy<Globals> = Lazy::new(|| {
    use LibraryExtension as L;
    let extensions = [
        L::StructType,
        L::RecordType,
        L::EnumType,
        L::NamespaceType,
        L::Map,
        L::Filter,
        L::Partial,
        L::Print,
        L::Pprint,
        L::Pstr,
        L::Prepr,
        L::Json,
        L::Typing,
        L::SetType,
    ];
    GlobalsBuilder::extended_by(&extensions).with(crate::globals::globals).with(crate::lang::compat::globals).build()
});

/// One run.
pub(crate) struct Session<'a> {
    engine: Engine,
    budget: Budget,
    args: &'a [String],
    printer: Printer<'a>,
    loaded: RefCell<BTreeMap<String, FrozenModule>>,
    /// The files that are being loaded now, outermost first.
    loading: RefCell<Vec<String>>,
    ticks: Cell<u64>,
    reporter: Reporter,
}

impl<'a> Session<'a> {
    pub(crate) fn new(engine: Engine, args: &'a [String], print: Option<&'a Print>) -> Self {
        let output = engine.limits().output;
        Self {
            budget: Budget::new(engine.limits()),
            engine,
            args,
            printer: Printer { sink: print, output: RefCell::default(), left: Cell::new(output), limit: output },
            loaded: RefCell::default(),
            loading: RefCell::default(),
            ticks: Cell::new(0),
            reporter: Reporter::default(),
        }
    }

    /// What was printed and not taken, and what was spent.
    pub(crate) fn end(self) -> (String, Stats) {
        let stats = Stats {
            fuel: self.engine.limits().fuel.map(|limit| limit.saturating_sub(self.budget.fuel())),
            ticks: self.ticks.get(),
            memory_peak: self.budget.memory_peak(),
        };
        (self.printer.output.into_inner(), stats)
    }

    /// Runs the script; the value of its last statement.
    pub(crate) fn run(&self, name: &str, script: &str) -> Result<String, Error> {
        Module::with_temp_heap(|module| {
            self.evaluate(&module, name, script.to_owned())
                .map(|value| show(value, module.heap()))
                .map_err(|e| self.reporter.explain(&e))
        })
    }

    /// Runs a file in `module`.
    fn evaluate<'v>(&self, module: &Module<'v>, name: &str, text: String) -> starlark::Result<Value<'v>> {
        let limits = self.engine.limits();
        let (ast, edits) = lang::parse(name, text, limits.nesting)?;
        edits.into_iter().for_each(|edits| self.reporter.add_edits(edits));
        module.set("argv", module.heap().alloc(AllocList(self.args)));
        Evaluation::attach(module, self.engine.clone(), self.budget.clone());
        // Found anew each time: the garbage collector, which runs between statements, moves it.
        let release_fuel = || {
            if let Some(evaluation) = Evaluation::find(module) {
                evaluation.as_ref().release_fuel();
            }
        };
        let loader = ScriptLoader { session: self, from: name, release_fuel };
        let mut eval = Evaluator::new(module);
        eval.set_loader(&loader);
        eval.set_print_handler(&self.printer);
        let before = self.ticks.get();
        let ticks = limits.ticks.saturating_sub(before).max(1);
        let limited = [
            eval.set_max_tick_count(ticks),
            eval.set_max_heap_size(limits.heap),
            eval.set_max_callstack_size(limits.call_depth),
        ];
        for outcome in limited {
            outcome.map_err(starlark::Error::new_other)?;
        }
        let result = eval.eval_module(ast, &GLOBALS);
        release_fuel();
        // Loads have added theirs meanwhile.
        self.ticks.set(self.ticks.get().saturating_add(eval.get_total_tick_count()));
        let value = result.map_err(|error| match limit_reached(&error, &eval, ticks, limits.heap) {
            Some(limit) => self.at_limit(limit, &error),
            None => error,
        })?;
        // starlark counts each file by itself, and a file that loads goes on with its own count.
        if self.ticks.get() > limits.ticks {
            return Err(self.limit_error(Limit::Ticks).into());
        }
        Ok(value)
    }

    /// Converts starlark's error about one of its limits, which keeps its place and frames.
    fn at_limit(&self, limit: Limit, error: &starlark::Error) -> starlark::Error {
        let mut ours = starlark::Error::from(self.limit_error(limit));
        if let Some(place) = error.span() {
            ours.set_span(place.span, &place.file);
        }
        ours.set_call_stack(|| error.call_stack().clone());
        ours
    }

    fn limit_error(&self, limit: Limit) -> Error {
        let limits = self.engine.limits();
        let value = match limit {
            Limit::CallDepth => limits.call_depth as u64,
            Limit::Heap => limits.heap as u64,
            _ => limits.ticks,
        };
        Error::limit(limit, format!("the sandbox's limit `{limit}` is reached: {value}"))
    }
}

/// A script's result as text. What is nested too deeply to print on the native stack, or refers to the
/// same things so often that the text would have no end, is not printed.
fn show<'v>(value: Value<'v>, heap: Heap<'v>) -> String {
    let mut values = 10_000_000;
    match is_printable(value, heap, 200, &mut values) {
        true => value.to_repr(),
        false => format!("<a {} nested too deeply to show>", value.get_type()),
    }
}

fn is_printable<'v>(value: Value<'v>, heap: Heap<'v>, levels: usize, values: &mut usize) -> bool {
    let (Some(levels), Some(left)) = (levels.checked_sub(1), values.checked_sub(1)) else { return false };
    *values = left;
    let inner: Vec<Value<'v>> = if let Some(list) = ListRef::from_value(value) {
        list.iter().collect()
    } else if let Some(tuple) = TupleRef::from_value(value) {
        tuple.iter().collect()
    } else if let Some(dict) = DictRef::from_value(value) {
        dict.iter().flat_map(|(key, value)| [key, value]).collect()
    } else if matches!(value.get_type(), "struct" | "record") {
        value.dir_attr().iter().filter_map(|name| value.get_attr(name, heap).ok().flatten()).collect()
    } else {
        return true;
    };
    inner.into_iter().all(|value| is_printable(value, heap, levels, values))
}

/// Files that may be loading at once: each has an evaluator of its own on the native stack, where the
/// limit `call_depth` begins anew.
const MAX_LOADS: usize = 32;

/// What `load` finds from one file.
struct ScriptLoader<'a, F> {
    session: &'a Session<'a>,
    from: &'a str,
    release_fuel: F,
}

impl<F: Fn()> FileLoader for ScriptLoader<'_, F> {
    fn load(&self, path: &str) -> starlark::Result<FrozenModule> {
        let session = self.session;
        let name = names::resolve(self.from, path)?;
        if let Some(module) = session.loaded.borrow().get(&name) {
            return Ok(module.clone());
        }
        if name == self.from || session.loading.borrow().contains(&name) {
            return Err(Error::new(
                ErrorKind::Load,
                format!("\"{name}\" is loaded while it loads: {} -> {name}", {
                    let mut chain = session.loading.borrow().clone();
                    if chain.last().is_none_or(|last| last != self.from) {
                        chain.push(self.from.to_owned());
                    }
                    chain.join(" -> ")
                }),
            )
            .into());
        }
        if session.loading.borrow().len() >= MAX_LOADS {
            let message = format!("files load each other more than {MAX_LOADS} deep: \"{name}\" is one too many");
            return Err(Error::new(ErrorKind::Load, message).into());
        }
        let bytes = session
            .engine
            .load(&name)
            .map_err(|e| Error::new(ErrorKind::Load, e.message().replacen("module", "file", 1)))?;
        let text = String::from_utf8(bytes)
            .map_err(|e| Error::new(ErrorKind::Load, format!("\"{name}\" is no script: {e}")))?;
        // The loaded file draws on the same budget.
        (self.release_fuel)();
        session.loading.borrow_mut().push(name.clone());
        let before = session.budget.snapshot();
        let frozen = Module::with_temp_heap(|module| {
            session.evaluate(&module, &name, text)?;
            module.freeze().map_err(|e| starlark::Error::new_other(anyhow::Error::from(e)))
        });
        session.budget.restore(before);
        session.loading.borrow_mut().pop();
        let frozen = frozen?;
        session.loaded.borrow_mut().insert(name, frozen.clone());
        Ok(frozen)
    }
}

struct Printer<'a> {
    sink: Option<&'a Print>,
    output: RefCell<String>,
    left: Cell<usize>,
    limit: usize,
}

impl PrintHandler for Printer<'_> {
    fn println(&self, text: &str) -> starlark::Result<()> {
        let needed = text.len().saturating_add(1);
        let Some(left) = self.left.get().checked_sub(needed) else {
            return Err(Error::limit(
                Limit::Output,
                format!("the script prints more than the sandbox takes: limit `output` is {} bytes", self.limit),
            )
            .into());
        };
        self.left.set(left);
        match self.sink {
            Some(sink) => sink(&format!("{text}\n")),
            None => {
                let mut output = self.output.borrow_mut();
                output.push_str(text);
                output.push('\n');
            }
        }
        Ok(())
    }
}
