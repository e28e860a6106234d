//! The only way into WebAssembly and out of it. Each instantiation, each call of a guest's function, and each call of a
//! function that a guest imports passes through here, where an observer is told of it.
//!
//! Whether there is an observer is checked when a function is made, not when it is called. So without an observer, calls
//! cost nothing more.

use std::sync::Arc;

use starlark::eval::Evaluator;
use starlark::values::Value;
use wasmi::{AsContext, Caller, Nullable, StoreContextMut, Val, ValType};

use super::convert;
use super::host_module::CallWatch;
use super::scope::{self, StoreData};
use super::store::{Store, unavailable};
use super::store_ref::LiveStore;
use crate::error::{Error, ErrorKind, GuestCall, TrapCode};
use crate::host_failure::HostFailure;
use crate::module::types;
use crate::observe::{Crossing, CrossingEvent, Observation, Side};
use crate::slices::{self, Stopped};
use crate::value::Value as Owned;

/// Runs wasm for a script.
#[inline]
pub(crate) fn enter<'v, R>(
    store: LiveStore<'v>,
    eval: &mut Evaluator<'v, '_, '_>,
    f: impl FnOnce(&mut StoreContextMut<'_, StoreData>) -> R,
) -> Result<R, Error> {
    store.hold_fuel()?;
    store.cell().enter(store.to_value(), eval, f).map_err(unavailable)
}

/// Runs a script's function for wasm. `f` gets the store in which wasm is running, and can use it.
#[inline]
pub(crate) fn leave(
    caller: &mut Caller<'_, StoreData>,
    f: impl for<'v, 'a, 'e> FnOnce(LiveStore<'v>, &mut Evaluator<'v, 'a, 'e>) -> starlark::Result<()>,
) -> Result<(), wasmi::Error> {
    scope::call_host(caller, |owner, eval, caller| {
        let outcome = LiveStore::new(owner).map_err(starlark::Error::from).and_then(|store| {
            store.cell().lend(caller, || {
                let outcome = f(store, eval);
                // Another store may have run meanwhile and may hold the fuel now.
                store.hold_fuel()?;
                outcome
            })
        });
        outcome.map_err(|error| HostFailure::new(error).into_wasmi())
    })
    .unwrap_or_else(|| Err(wasmi::Error::new("a Starlark function called outside of any evaluation")))
}

/// Names an instance for an observer. Empty if there is none.
#[derive(Debug, Clone, Default)]
pub(crate) struct GuestName {
    module: Option<Arc<str>>,
    instance: Option<usize>,
}

impl GuestName {
    /// Names an instance that is about to be made.
    pub(crate) fn of_new(module: Option<&str>, observation: &Observation) -> Self {
        Self { module: module.map(Arc::from), instance: Some(observation.next_instance()) }
    }
}

/// Tells an observer of the calls of one function.
pub(crate) struct Watch {
    observation: Arc<Observation>,
    guest: GuestName,
    caller: Side,
    callee: Side,
    function: String,
}

/// The name that an observer gets for an instantiation.
const INSTANTIATE: &str = "(instantiate)";

impl Watch {
    /// Watches a function of a guest that `caller` calls.
    pub(crate) fn of_export(
        observation: &Arc<Observation>,
        guest: &GuestName,
        caller: Side,
        function: impl Into<String>,
    ) -> Self {
        let (observation, guest) = (observation.clone(), guest.clone());
        Self { observation, guest, caller, callee: Side::Guest, function: function.into() }
    }

    /// Watches an instantiation.
    pub(crate) fn of_instantiation(observation: &Arc<Observation>, guest: &GuestName, caller: Side) -> Self {
        Self::of_export(observation, guest, caller, INSTANTIATE)
    }

    /// Watches a function that a guest imports and `callee` provides. `function` is its full name.
    pub(crate) fn of_import(
        observation: &Arc<Observation>,
        guest: &GuestName,
        callee: Side,
        function: impl Into<String>,
    ) -> Self {
        let (observation, guest) = (observation.clone(), guest.clone());
        Self { observation, guest, caller: Side::Guest, callee, function: function.into() }
    }

    /// Does `work`, which [enters](enter) wasm, and tells the observer before and after it. `results` converts what `work`
    /// returns.
    pub(crate) fn call<T>(
        &self,
        store: &Store<'_>,
        args: &[Owned],
        work: impl FnOnce() -> starlark::Result<T>,
        results: impl FnOnce(&T) -> Vec<Owned>,
    ) -> starlark::Result<T> {
        let fuel = || store.evaluation.as_ref().fuel_used();
        self.tell(CrossingEvent::Call { args }, fuel());
        let outcome = work();
        match &outcome {
            Ok(returned) => self.tell(CrossingEvent::Return { results: &results(returned) }, fuel()),
            Err(error) => self.tell(CrossingEvent::Failure { error: &Error::of_starlark(error) }, fuel()),
        }
        outcome
    }

    /// Runs wasm for the host, in a store without an evaluation.
    pub(crate) fn run<T>(
        &self,
        store: &mut wasmi::Store<StoreData>,
        f: impl FnOnce(&mut wasmi::Store<StoreData>) -> Result<T, wasmi::Error>,
    ) -> Result<T, wasmi::Error> {
        self.tell(CrossingEvent::Call { args: &[] }, fuel_of_command(&*store));
        let outcome = f(store);
        match &outcome {
            Ok(_) => self.tell(CrossingEvent::Return { results: &[] }, fuel_of_command(&*store)),
            Err(error) => {
                self.tell(CrossingEvent::Failure { error: &self.explain(error) }, fuel_of_command(&*store));
            }
        }
        outcome
    }

    fn guest_call(&self) -> GuestCall {
        match (self.callee, self.function.as_str()) {
            (Side::Guest, INSTANTIATE) => GuestCall::Instantiation,
            (Side::Guest, name) => GuestCall::Export(name.to_owned()),
            (_, name) => GuestCall::Import(name.to_owned()),
        }
    }

    /// Returns the error of a call, without what only the store of an evaluation knows.
    fn explain(&self, error: &wasmi::Error) -> Error {
        if let Some(failure) = error.downcast_ref::<HostFailure>() {
            return failure.look();
        }
        if let Some(why) = Stopped::of(error) {
            return slices::stopped(why);
        }
        if let Some(ours) = Error::of_host(error) {
            return ours.copy();
        }
        if error.as_trap_code() == Some(wasmi::TrapCode::OutOfFuel) {
            let error = Error::new(ErrorKind::Trap(TrapCode::OutOfFuel), "the fuel is used up");
            return error.ending(self.guest_call());
        }
        Error::from_wasmi(error, self.guest_call())
    }

    fn tell(&self, event: CrossingEvent<'_>, fuel: Option<u64>) {
        let Self { observation, guest, caller, callee, function } = self;
        observation.tell(Crossing {
            event,
            depth: 0,
            caller: *caller,
            callee: *callee,
            module: guest.module.as_deref(),
            instance: guest.instance,
            function,
            fuel,
        });
    }
}

impl CallWatch for Watch {
    fn called(&self, caller: &mut Caller<'_, StoreData>, params: &[Val]) {
        self.tell(CrossingEvent::Call { args: &values(params) }, fuel_used(caller));
    }

    fn ended(&self, caller: &mut Caller<'_, StoreData>, outcome: Result<&[Val], &wasmi::Error>) {
        let fuel = fuel_used(caller);
        match outcome {
            Ok(results) => self.tell(CrossingEvent::Return { results: &values(results) }, fuel),
            Err(error) => self.tell(CrossingEvent::Failure { error: &self.explain(error) }, fuel),
        }
    }
}

/// Returns the fuel that the run has used when a guest calls a host function.
fn fuel_used(caller: &mut Caller<'_, StoreData>) -> Option<u64> {
    let of_script = scope::call_host(caller, |owner, _, caller| {
        let store = Store::live(owner).ok()?;
        store.cell().lend(caller, || store.evaluation.as_ref().fuel_used())
    });
    of_script.unwrap_or_else(|| fuel_of_command(caller))
}

/// Returns the fuel that a store without an evaluation has used: everything of the limit that its counter does not have.
fn fuel_of_command(context: impl AsContext<Data = StoreData>) -> Option<u64> {
    let limit = context.as_context().data().limiter.fuel_limit()?;
    slices::fuel(context).map(|left| limit.saturating_sub(left))
}

fn values(vals: &[Val]) -> Vec<Owned> {
    vals.iter().map(value).collect()
}

/// Converts a script's values to what a function with these types would pass; `None` if a number does not fit. References
/// are not made for that, since a store keeps what they refer to.
pub(crate) fn values_of(values: &[Value<'_>], types: &[ValType]) -> Option<Vec<Owned>> {
    let pairs = values.iter().zip(types);
    pairs
        .map(|(given, ty)| match ty {
            ValType::FuncRef | ValType::ExternRef if given.is_none() => Some(Owned::None),
            ValType::FuncRef | ValType::ExternRef => Some(Owned::Opaque(types::type_name(*ty).to_owned())),
            number => convert::to_wasm(*given, *number).ok().map(|val| value(&val)),
        })
        .collect()
}

fn value(val: &Val) -> Owned {
    match val {
        Val::I32(value) => (*value).into(),
        Val::I64(value) => (*value).into(),
        Val::F32(value) => convert::float(f64::from(value.to_float())).into(),
        Val::F64(value) => convert::float(value.to_float()).into(),
        Val::V128(value) => Owned::Bytes(value.as_u128().to_le_bytes().to_vec()),
        Val::FuncRef(Nullable::Val(_)) | Val::ExternRef(Nullable::Val(_)) => {
            Owned::Opaque(types::type_name(val.ty()).to_owned())
        }
        Val::FuncRef(Nullable::Null) | Val::ExternRef(Nullable::Null) => Owned::None,
    }
}
