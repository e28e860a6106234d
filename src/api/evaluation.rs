//! The state of one evaluation: its engine, its budget, its default store.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::environment::Module;
use starlark::eval::Evaluator;
use starlark::values::{NoSerialize, StarlarkValue, Trace, Value, ValueTyped, starlark_value};

use super::handle::ended;
use super::scope::SinceCollection;
use crate::budget::Budget;
use crate::data::{Channels, Data};
use crate::engine::Engine;
use crate::error::{Error, Limit};
use crate::frames::StrayFrames;
use crate::interrupt::Interrupt;
use crate::lang::compat::ticks;
use crate::lang::definitions::Definitions;
use crate::observe::Observation;

/// Kept with the evaluation's `Module`, under a name that no script can write and, since it begins with an underscore,
/// no `load` can ask for. This leaves the evaluator's `extra` and the module's extra value to the embedder.
const SLOT: &str = "_wasmlark evaluation";

#[derive(ProvidesStaticType, NoSerialize, Allocative, Trace)]
#[allocative(skip)]
pub(crate) struct Evaluation<'v> {
    #[trace(unsafe_ignore)]
    pub(crate) engine: Engine,
    #[trace(unsafe_ignore)]
    pub(crate) budget: Budget,
    #[trace(unsafe_ignore)]
    pub(crate) data: Data,
    #[trace(unsafe_ignore)]
    pub(crate) interrupt: Interrupt,
    /// What is observed of it, where somebody observes.
    #[trace(unsafe_ignore)]
    pub(crate) observation: Option<Arc<Observation>>,
    #[trace(unsafe_ignore)]
    pub(crate) notes: Notes,
    /// Made on first use.
    pub(crate) default_store: Cell<Option<Value<'v>>>,
    /// The store whose wasmi counter holds the remaining fuel.
    pub(crate) fuel_holder: Cell<Option<Value<'v>>>,
    /// Bytes copied out of memories: they are on no Starlark heap, but count as if they were.
    copied: SinceCollection,
}

/// What messages need beyond what errors carry.
#[derive(Clone, Default)]
pub(crate) struct Notes {
    /// The files that define the script's functions.
    pub(crate) definitions: Definitions,
    pub(crate) stray_frames: StrayFrames,
}

impl<'v> Evaluation<'v> {
    /// Returns the evaluation that `eval` runs, attached to the default engine if it has none yet.
    pub(crate) fn current(eval: &Evaluator<'v, '_, '_>) -> ValueTyped<'v, Self> {
        Self::find(eval.module()).unwrap_or_else(|| {
            let engine = Engine::default();
            engine.begin(eval.module())
        })
    }

    pub(crate) fn find(module: &Module<'v>) -> Option<ValueTyped<'v, Self>> {
        ValueTyped::new(module.get(SLOT)?)
    }

    /// The result is valid until the next statement of the module: then the garbage collector may move it.
    pub(crate) fn attach(
        module: &Module<'v>,
        engine: Engine,
        budget: Budget,
        data: Data,
        interrupt: Interrupt,
        observation: Option<Arc<Observation>>,
        notes: Notes,
    ) -> ValueTyped<'v, Self> {
        let evaluation = module.heap().alloc_typed(Self {
            engine,
            budget,
            data,
            interrupt,
            observation,
            notes,
            default_store: Cell::new(None),
            fuel_holder: Cell::new(None),
            copied: SinceCollection::default(),
        });
        module.set(SLOT, evaluation.to_value());
        evaluation
    }

    /// Counts `bytes` that a script is about to receive against the limit of its heap. Within a function nothing is
    /// freed, so the count is exact there; a collection resets it.
    #[inline]
    pub(crate) fn copy_out(&self, bytes: u64) -> Result<(), Error> {
        self.hold(bytes, "copied out of a memory")
    }

    /// Does the same for bytes that are held for a script; `what` names them in a message.
    #[inline]
    pub(crate) fn hold(&self, bytes: u64, what: &str) -> Result<(), Error> {
        let copied = self.copied.0.get().saturating_add(bytes);
        let limit = self.engine.limits().heap as u64;
        if copied > limit {
            return Err(Error::limit(
                Limit::Heap,
                format!("{bytes} more bytes, {what}, are too many: the sandbox's limit `heap` is {limit} bytes"),
            ));
        }
        self.copied.0.set(copied);
        Ok(())
    }

    /// Calls a function from Rust, and tracks the evaluator's ticks.
    pub(crate) fn call(
        &self,
        eval: &mut Evaluator<'v, '_, '_>,
        function: Value<'v>,
        args: &[Value<'v>],
        named: &[(&str, Value<'v>)],
    ) -> starlark::Result<Value<'v>> {
        let result = eval.eval_function(function, args, named);
        self.budget.ticks.observe(eval.get_total_tick_count());
        result
    }

    /// Calls a function from WebAssembly, which counts a tick like any call.
    #[inline]
    pub(crate) fn call_back(
        &self,
        eval: &mut Evaluator<'v, '_, '_>,
        function: Value<'v>,
        args: &[Value<'v>],
    ) -> starlark::Result<Value<'v>> {
        let due = self.budget.ticks.call(eval.get_total_tick_count());
        if due > 0 {
            let spent = ticks::spend(eval, due);
            self.budget.ticks.observe(eval.get_total_tick_count());
            spent?;
        }
        self.call(eval, function, args, &[])
    }

    /// Returns whether wasmi counts fuel, if only for slices or a profile.
    pub(crate) fn counts_fuel(&self) -> bool {
        self.is_metered() || self.engine.slice().is_some() || self.budget.profile().is_some()
    }

    /// Returns whether scripts have a limit on fuel.
    pub(crate) fn is_metered(&self) -> bool {
        self.engine.limits().fuel.is_some()
    }
}

// Here and not in `engine`, which does not know evaluations.
impl Engine {
    /// Gives the evaluation of `module` this engine's limits and modules. Call it before the evaluation starts. An
    /// evaluation that is attached to no engine has default limits and no modules by name.
    pub fn attach(&self, module: &Module<'_>) {
        self.begin(module);
    }

    fn begin<'v>(&self, module: &Module<'v>) -> ValueTyped<'v, Evaluation<'v>> {
        let data = Data::new(Channels::default(), self.limits());
        let (budget, interrupt, observation) = (self.budget(), Interrupt::default(), self.observation());
        Evaluation::attach(module, self.clone(), budget, data, interrupt, observation, Notes::default())
    }
}

#[starlark_value(type = "wasm.Evaluation")]
impl<'v> StarlarkValue<'v> for Evaluation<'v> {
    type Canonical = EndedEvaluation;
}

ended! {
    /// An evaluation that has ended.
    Evaluation becomes EndedEvaluation prints "wasm.Evaluation"
}

#[starlark_value(type = "wasm.Evaluation")]
impl<'v> StarlarkValue<'v> for EndedEvaluation {}

impl fmt::Debug for Evaluation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wasm.Evaluation")
    }
}

impl fmt::Display for Evaluation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wasm.Evaluation")
    }
}
