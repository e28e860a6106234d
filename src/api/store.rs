//! `wasm.Store`: the container of instances, memories, tables and globals.

use std::cell::{Cell, RefCell};
use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::collections::SmallMap;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::none::{NoneOr, NoneType};
use starlark::values::{NoSerialize, StarlarkValue, Trace, Value, ValueLike, ValueTyped, starlark_value};
use wasmi::{ExternRef, StoreContextMut};

use super::convert;
use super::evaluation::Evaluation;
use super::handle::ended;
use super::identity::Identity;
use super::scope::{CyclicRef, StoreCell, StoreData, Unavailable};
use crate::budget::{Limiter, MemoryRoom};
use crate::error::{Error, ErrorKind};
use crate::frames::{Frames, Told};
use crate::fuel::FuelLease;
use crate::profile::Teller;
use crate::slices::{self, Slices};

/// Owns a wasmi store, and the Starlark values that wasm code refers to.
#[derive(ProvidesStaticType, NoSerialize, Allocative, Trace)]
#[allocative(skip)]
pub(crate) struct Store<'v> {
    #[trace(unsafe_ignore)]
    cell: StoreCell,
    pub(crate) evaluation: CyclicRef<'v, Evaluation<'v>>,
    /// The functions that wasm imports from Starlark, each with its `caller` argument.
    callbacks: RefCell<Vec<Callback<'v>>>,
    /// The values behind `externref`s.
    externs: RefCell<Vec<Value<'v>>>,
    /// The reference to the last of them.
    #[trace(unsafe_ignore)]
    last_extern: Cell<Option<ExternRef>>,
    /// The script's handles of functions, so that one function has one handle: wasmi's own cannot be compared.
    functions: RefCell<SmallMap<Identity, Value<'v>>>,
    /// The instances made so far.
    instances: RefCell<Vec<Value<'v>>>,
    /// The largest number of exports that one of them has.
    most_exports: Cell<usize>,
    /// Whether anything in this store was ever passed to an instance as an import.
    pub(super) has_links: Cell<bool>,
    /// This store's lease of the sandbox's fuel.
    #[trace(unsafe_ignore)]
    pub(super) fuel: FuelLease,
    max_memory: Option<u64>,
}

#[derive(Clone, Copy, Trace)]
pub(crate) struct Callback<'v> {
    pub(crate) function: Value<'v>,
    pub(crate) caller: Value<'v>,
}

impl<'v> Store<'v> {
    pub(crate) fn new(evaluation: ValueTyped<'v, Evaluation<'v>>, fuel: Option<u64>, max_memory: Option<u64>) -> Self {
        let state = evaluation.as_ref();
        let limiter = Limiter::new(state.budget.clone(), state.engine.limits().clone(), max_memory);
        let slices = state.engine.slice().map(|size| Slices::new(size, state.interrupt.clone()));
        let mut store = wasmi::Store::new(state.engine.wasmi(), StoreData::new(limiter, slices));
        store.limiter(|data| &mut data.limiter);
        if let Some(profile) = state.budget.profile() {
            store.data_mut().tell_fuel(Teller::new(profile.clone()));
        }
        if state.engine.told() == Told::Frames {
            let frames = Frames::new(&mut store, state.engine.limits().stack_depth);
            store.data_mut().keep_frames(frames);
        }
        Self {
            cell: StoreCell::new(store),
            evaluation: CyclicRef::new(evaluation),
            callbacks: RefCell::default(),
            externs: RefCell::default(),
            last_extern: Cell::default(),
            functions: RefCell::default(),
            instances: RefCell::default(),
            most_exports: Cell::new(0),
            has_links: Cell::new(false),
            fuel: FuelLease::new(fuel),
            max_memory,
        }
    }

    /// Returns the default store of the evaluation.
    pub(crate) fn default_for(eval: &Evaluator<'v, '_, '_>) -> Value<'v> {
        let evaluation = Evaluation::current(eval);
        let state = evaluation.as_ref();
        if let Some(store) = state.default_store.get() {
            return store;
        }
        let store = eval.heap().alloc(Store::new(evaluation, None, None));
        state.default_store.set(Some(store));
        store
    }

    /// Returns whether a value is a store, of an evaluation that is running or has ended.
    pub(crate) fn is_store(value: Value<'v>) -> bool {
        value.downcast_ref::<Self>().is_some() || value.downcast_ref::<EndedStore>().is_some()
    }

    /// Returns the store of a handle, or an error if its evaluation has ended.
    #[inline]
    pub(crate) fn live(store: Value<'v>) -> Result<&'v Self, Error> {
        store.downcast_ref::<Self>().ok_or_else(frozen)
    }

    /// Uses the wasmi store.
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(StoreContextMut<'_, StoreData>) -> R) -> Result<R, Error> {
        self.cell.with(f).map_err(unavailable)
    }

    /// Returns the cell, for host functions and callers.
    pub(crate) fn cell(&self) -> &StoreCell {
        &self.cell
    }

    pub(crate) fn add_callback(&self, callback: Callback<'v>) -> usize {
        let mut callbacks = self.callbacks.borrow_mut();
        callbacks.push(callback);
        callbacks.len() - 1
    }

    #[inline]
    pub(crate) fn callback(&self, index: usize) -> Option<Callback<'v>> {
        self.callbacks.borrow().get(index).copied()
    }

    /// Returns a reference to a value, which the store keeps.
    pub(crate) fn extern_reference(&self, value: Value<'v>) -> Result<ExternRef, Error> {
        let mut externs = self.externs.borrow_mut();
        // wasmi keeps each reference that it makes. A loop that passes the same value makes one.
        if let Some(reference) = self.last_extern.get()
            && externs.last().is_some_and(|last| last.ptr_eq(value))
        {
            return Ok(reference);
        }
        // It is kept, here and in wasmi, for as long as the store.
        self.evaluation.as_ref().hold(64, "for a reference that a guest keeps")?;
        let index = externs.len();
        let reference = self.with(|context| ExternRef::new(context, index))?;
        externs.push(value);
        self.last_extern.set(Some(reference));
        Ok(reference)
    }

    pub(crate) fn extern_value(&self, index: usize) -> Option<Value<'v>> {
        self.externs.borrow().get(index).copied()
    }

    /// Makes the handle of an export the one to which references to its function convert.
    pub(crate) fn name_function(&self, func: &wasmi::Func, handle: Value<'v>) -> Value<'v> {
        self.functions.borrow_mut().insert(Identity::of(func), handle);
        handle
    }

    /// Returns the handle of a function that was reached through a reference. `make` makes it if there is none yet.
    pub(crate) fn function(
        &self,
        func: &wasmi::Func,
        make: impl FnOnce() -> Result<Value<'v>, Error>,
    ) -> Result<Value<'v>, Error> {
        let key = Identity::of(func);
        if let Some(known) = self.functions.borrow().get(&key) {
            return Ok(*known);
        }
        let made = make()?;
        self.functions.borrow_mut().insert(key, made);
        Ok(made)
    }

    pub(crate) fn add_instance(&self, instance: Value<'v>, exports: usize) {
        self.instances.borrow_mut().push(instance);
        self.most_exports.set(self.most_exports.get().max(exports));
    }

    /// Returns whether no other instance than this one was made here.
    pub(crate) fn has_only(&self, instance: Value<'v>) -> bool {
        match self.instances.borrow().as_slice() {
            [] => true,
            [only] => only.ptr_eq(instance),
            _ => false,
        }
    }

    /// Returns the largest number of exports that an instance made here has.
    pub(crate) fn most_exports(&self) -> usize {
        self.most_exports.get()
    }

    pub(crate) fn instances(&self) -> Vec<Value<'v>> {
        self.instances.borrow().clone()
    }

    /// Counts one more instance, or this store itself, against the limit `instances`, until the store is closed.
    pub(crate) fn count_instance(&self) -> Result<(), Error> {
        let state = self.evaluation.as_ref();
        self.with(|mut context| {
            state.budget.add_instance(state.engine.limits())?;
            context.data_mut().limiter.instances += 1;
            Ok(())
        })?
    }

    /// Returns an error if the store is closed.
    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if self.cell.is_closed() { Err(unavailable(Unavailable::Closed)) } else { Ok(()) }
    }

    /// Returns the linear memory that this store may still take.
    pub(crate) fn memory_room(&self) -> Result<MemoryRoom, Error> {
        self.with(|context| context.data().limiter.memory_room())
    }

    /// Returns the error for something new whose memory does not fit. `what` names it.
    pub(crate) fn no_memory(&self, what: &str, bytes: u64) -> Error {
        self.memory_room().map_or_else(|error| error, |room| room.error(format_args!("{what} needs {bytes} bytes")))
    }
}

/// Returns the error for a handle that was frozen. Its advice holds for handles of every type.
#[cold]
pub(crate) fn frozen() -> Error {
    Error::new(
        ErrorKind::Handle,
        "the evaluation that made this value has ended; make it inside a function, and share that function through `load`",
    )
}

#[cold]
pub(super) fn unavailable(why: Unavailable) -> Error {
    match why {
        Unavailable::Closed => Error::new(ErrorKind::Handle, "the store of this value is closed: `close()` freed it"),
        Unavailable::InUse => Error::new(ErrorKind::Handle, "the store of this value is in use"),
    }
}

starlark::methods_static!(STORE = store_methods);

/// A separate budget for some instances, and a way to free them early.
///
/// By default, everything that a script makes is in one store. A store of its own can have its own limits on fuel and
/// memory, within the sandbox's. `close()` frees everything in it.
#[starlark_module]
fn store_methods(builder: &mut MethodsBuilder) {
    /// The fuel that is left: the store's own, or the sandbox's if that is less. `None` if fuel is not metered. Assign a
    /// number to lower it, or to raise it again to at most what the sandbox has left.
    #[starlark(attribute)]
    fn fuel<'v>(this: Value<'v>) -> starlark::Result<NoneOr<u64>> {
        let store = Store::live(this)?;
        if !store.evaluation.as_ref().is_metered() {
            return Ok(NoneOr::None);
        }
        Ok(NoneOr::Other(store.fuel_left()))
    }

    /// The maximum size of all memories of this store together, in bytes. `None` if only the sandbox's limit applies.
    #[starlark(attribute)]
    fn max_memory<'v>(this: Value<'v>) -> starlark::Result<NoneOr<u64>> {
        Ok(NoneOr::from_option(Store::live(this)?.max_memory))
    }

    /// Frees everything in this store at once. Using one of its handles after that is an error. It is an error to close a
    /// store while code in it is running.
    fn close<'v>(this: Value<'v>) -> starlark::Result<NoneType> {
        let store = Store::live(this)?;
        if store.cell.is_busy() {
            return Err(Error::new(ErrorKind::Handle, "cannot close a store while code in it is running").into());
        }
        store.settle_if_holder();
        if !store.cell.is_closed() {
            store.with(|mut context| context.data_mut().limiter.give_back())?;
        }
        store.cell.close().map_err(unavailable)?;
        store.callbacks.borrow_mut().clear();
        store.externs.borrow_mut().clear();
        store.functions.borrow_mut().clear();
        store.instances.borrow_mut().clear();
        Ok(NoneType)
    }
}

#[starlark_value(type = "wasm.Store")]
impl<'v> StarlarkValue<'v> for Store<'v> {
    type Canonical = EndedStore;

    fn get_methods() -> Option<&'static Methods> {
        Some(STORE.methods())
    }

    fn set_attr(&self, attribute: &str, value: Value<'v>) -> starlark::Result<()> {
        if attribute != "fuel" {
            return Err(
                Error::value(format!("a wasm.Store has no attribute `{attribute}` to assign; `fuel` is one")).into()
            );
        }
        let fuel = convert::size(value, "fuel")?;
        let state = self.evaluation.as_ref();
        if !state.is_metered() {
            return Err(Error::value("this host does not meter fuel").into());
        }
        state.settle_fuel();
        let left = state.budget.fuel_left();
        if fuel > left {
            return Err(Error::value(format!("cannot set `fuel` to {fuel}: the sandbox has {left} left")).into());
        }
        self.fuel.set_own(fuel);
        let grant = self.fuel.grant(left);
        // If the store is running, it continues with this grant.
        self.with(|context| slices::lease_fuel(context, grant))?;
        Ok(())
    }
}

ended! {
    /// A store whose evaluation has ended. Its memory is freed.
    Store becomes EndedStore prints "<wasm.Store>"
}

#[starlark_value(type = "wasm.Store")]
impl<'v> StarlarkValue<'v> for EndedStore {
    fn get_methods() -> Option<&'static Methods> {
        Store::get_methods()
    }

    fn set_attr(&self, _attribute: &str, _value: Value<'v>) -> starlark::Result<()> {
        Err(frozen().into())
    }
}

impl fmt::Debug for Store<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<wasm.Store>")
    }
}

impl fmt::Display for Store<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<wasm.Store>")
    }
}
