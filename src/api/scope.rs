//! Where WebAssembly, the evaluator and the store meet: with `store_ref`, the only `unsafe` of the script types.
//!
//! wasmi calls a host function with a `Caller`, which is the store itself, borrowed. The function
//! must reach two more things: the Starlark evaluator that made the call, and the heap value that
//! owns the store, with the Starlark functions in it. A store's data must be `'static`, so both are
//! kept there as pointers, for the time of one entry.
//!
//! Invariants, which every `unsafe` below relies on:
//!
//! 1. **One `&mut` at a time.** `StoreCell::state` says where the store can be reached: in the cell, through
//!    the `Caller` of the host function that runs now, or not at all, because somebody holds it. It is
//!    `InUse` for the time of each use, and set back by a guard, on panic too.
//! 2. **An entry never outlives what it points to.** `StoreData::entry` is set by `StoreCell::enter`,
//!    which borrows evaluator and owner for as long as wasm runs, and reset by a guard, on panic too.
//!    Host functions run only within `enter`.
//! 3. **Nothing moves meanwhile.** starlark-rust collects garbage only between the statements of a
//!    module, never in a call, so the owner's address holds for the time of an entry.
//! 4. **One thread.** An entry lives on the stack of the evaluation; a heap cannot be sent to another
//!    thread while that runs. Hence `Send` for the pointers, which are read in no other state.
#![allow(unsafe_code)]

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

use starlark::eval::Evaluator;
use starlark::values::{StarlarkValue, Trace, Tracer, Value, ValueTyped};
use wasmi::{AsContextMut, Caller, StoreContextMut};

use crate::budget::Limiter;
use crate::frames::{Framed, Frames};
use crate::profile::{Profiled, Teller};
use crate::slices::{Sliced, Slices};

/// The data of a wasmi store.
pub(crate) struct StoreData {
    pub(crate) limiter: Limiter,
    slices: Option<Slices>,
    frames: Option<Box<Frames>>,
    teller: Option<Box<Teller>>,
    /// Whether there is nothing of the three.
    is_plain: bool,
    entry: Entry,
}

impl StoreData {
    pub(crate) fn new(limiter: Limiter, slices: Option<Slices>) -> Self {
        let is_plain = slices.is_none();
        Self { limiter, slices, frames: None, teller: None, is_plain, entry: Entry { evaluator: None, owner: None } }
    }

    /// Makes the store keep frames.
    pub(crate) fn keep_frames(&mut self, frames: Frames) {
        self.frames = Some(Box::new(frames));
        self.is_plain = false;
    }

    /// Whether the store counts its fuel by functions.
    pub(crate) fn has_profile(&self) -> bool {
        self.teller.is_some()
    }

    /// Makes the store count its fuel by functions.
    pub(crate) fn tell_fuel(&mut self, teller: Teller) {
        self.teller = Some(Box::new(teller));
        self.is_plain = false;
    }
}

impl Framed for StoreData {
    fn frames(&self) -> Option<&Frames> {
        self.frames.as_deref()
    }

    fn frames_mut(&mut self) -> Option<&mut Frames> {
        self.frames.as_deref_mut()
    }

    fn pass_memory(&mut self, count: u32) {
        self.limiter.pass_memory(count);
    }
}

impl Profiled for StoreData {
    fn teller_mut(&mut self) -> Option<&mut Teller> {
        self.teller.as_deref_mut()
    }

    fn pass_table(&mut self) {
        self.limiter.pass_table();
    }

    fn fuel_of(&self, counter: Option<u64>) -> u64 {
        counter.unwrap_or_default().saturating_add(self.slices.as_ref().map_or(0, Slices::reserve))
    }
}

impl Sliced for StoreData {
    fn is_plain(&self) -> bool {
        self.is_plain
    }

    fn slices(&self) -> Option<&Slices> {
        self.slices.as_ref()
    }

    fn slices_mut(&mut self) -> Option<&mut Slices> {
        self.slices.as_mut()
    }

    fn pass_slice(&self, fuel: u64) {
        self.limiter.pass_slice(fuel);
    }
}

/// Who called into wasm, lifetimes erased.
#[derive(Clone, Copy)]
struct Entry {
    evaluator: Option<NonNull<Evaluator<'static, 'static, 'static>>>,
    owner: Option<Value<'static>>,
}

// SAFETY: invariant 4.
unsafe impl Send for Entry {}
// SAFETY: invariant 4. No method takes `&Entry` across threads.
unsafe impl Sync for Entry {}

/// A wasmi store that can be reached from host functions while wasm holds it.
pub(crate) struct StoreCell {
    state: Cell<StoreState>,
    owned: UnsafeCell<Option<Box<wasmi::Store<StoreData>>>>,
}

// SAFETY: invariant 4; between entries `state` is `Owned` or `Closed`, and `wasmi::Store` is `Send`.
unsafe impl Send for StoreCell {}

#[derive(Clone, Copy)]
enum StoreState {
    /// The cell has it.
    Owned,
    /// wasm has it, and lends it to the host function that runs now.
    Borrowed(NonNull<Caller<'static, StoreData>>),
    /// Somebody holds the one reference.
    InUse,
    Closed,
}

impl StoreState {
    /// Why a store that is neither owned nor borrowed cannot be reached. Apart, so that the two common cases are
    /// two comparisons, and no jump through a table.
    #[cold]
    fn why_unavailable(self) -> Unavailable {
        match self {
            Self::Closed => Unavailable::Closed,
            _ => Unavailable::InUse,
        }
    }
}

/// Why a store cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unavailable {
    Closed,
    InUse,
}

struct Restore<'a> {
    state: &'a Cell<StoreState>,
    previous: StoreState,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        self.state.set(self.previous);
    }
}

impl StoreCell {
    pub(crate) fn new(store: wasmi::Store<StoreData>) -> Self {
        Self { state: Cell::new(StoreState::Owned), owned: UnsafeCell::new(Some(Box::new(store))) }
    }

    /// Uses the store, wherever it is.
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(StoreContextMut<'_, StoreData>) -> R) -> Result<R, Unavailable> {
        let previous = self.state.replace(StoreState::InUse);
        let _restore = Restore { state: &self.state, previous };
        match previous {
            StoreState::Owned => {
                // SAFETY: invariant 1: `state` was `Owned`, so nobody else holds a reference, and while
                // it is `InUse` nobody gets one.
                let owned = unsafe { &mut *self.owned.get() };
                match owned {
                    Some(store) => Ok(f(store.as_context_mut())),
                    None => Err(Unavailable::Closed),
                }
            }
            StoreState::Borrowed(mut caller) => {
                // SAFETY: invariant 1: `lend` holds the `Caller` exclusively, does not touch it until
                // its closure returns, and takes it out of `state` before it does.
                let caller = unsafe { caller.as_mut() };
                Ok(f(caller.as_context_mut()))
            }
            other => Err(other.why_unavailable()),
        }
    }

    /// Uses the store to run wasm, on behalf of `evaluator`; `owner` is the heap value of this cell.
    #[inline]
    pub(crate) fn enter<'v, R>(
        &self,
        owner: Value<'v>,
        evaluator: &mut Evaluator<'v, '_, '_>,
        f: impl FnOnce(&mut StoreContextMut<'_, StoreData>) -> R,
    ) -> Result<R, Unavailable> {
        // SAFETY: only the lifetime changes; `call_host` gives it back a lifetime that ends before
        // the entry does (invariant 2).
        let owner = unsafe { std::mem::transmute::<Value<'v>, Value<'static>>(owner) };
        let entry = Entry { evaluator: Some(NonNull::from(evaluator).cast()), owner: Some(owner) };
        self.with(|mut context| {
            let previous = std::mem::replace(&mut context.data_mut().entry, entry);
            let entered = Entered { context: &mut context, previous };
            f(&mut *entered.context)
        })
    }

    /// Lends the store that a host function was called with to whoever asks this cell for it.
    #[inline]
    pub(crate) fn lend<R>(&self, caller: &mut Caller<'_, StoreData>, f: impl FnOnce() -> R) -> R {
        let previous = self.state.replace(StoreState::Borrowed(NonNull::from(caller).cast()));
        let _restore = Restore { state: &self.state, previous };
        f()
    }

    /// Whether wasm runs in this store now, or it is used otherwise.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.state.get(), StoreState::InUse | StoreState::Borrowed(_))
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state.get(), StoreState::Closed)
    }

    /// An export of the instance whose code called the host function that runs now, if one does.
    pub(crate) fn caller_export(&self, name: &str) -> Option<wasmi::Extern> {
        let StoreState::Borrowed(caller) = self.state.get() else { return None };
        // SAFETY: invariant 1: as in `with`; the reference ends with this statement, and
        // `get_export` runs no code of ours.
        unsafe { caller.as_ref() }.get_export(name)
    }

    /// Frees the store now.
    pub(crate) fn close(&self) -> Result<(), Unavailable> {
        match self.state.get() {
            StoreState::InUse | StoreState::Borrowed(_) => Err(Unavailable::InUse),
            StoreState::Closed => Ok(()),
            StoreState::Owned => {
                self.state.set(StoreState::Closed);
                // SAFETY: invariant 1: `state` was `Owned`; dropping the store runs no script.
                drop(unsafe { &mut *self.owned.get() }.take());
                Ok(())
            }
        }
    }
}

impl fmt::Debug for StoreCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreCell")
    }
}

struct Entered<'a, 'b> {
    context: &'a mut StoreContextMut<'b, StoreData>,
    previous: Entry,
}

impl Drop for Entered<'_, '_> {
    fn drop(&mut self) {
        self.context.data_mut().entry = self.previous;
    }
}

/// A value of a known type that may refer back to whoever holds this: `ValueTyped` asserts, while it is
/// traced, that its value has the type, which within a cycle has not been copied yet.
#[derive(Trace)]
pub(crate) struct CyclicRef<'v, T: StarlarkValue<'v>> {
    value: Value<'v>,
    #[trace(unsafe_ignore)]
    ty: PhantomData<fn() -> T>,
}

impl<'v, T: StarlarkValue<'v>> CyclicRef<'v, T> {
    pub(crate) fn new(value: ValueTyped<'v, T>) -> Self {
        Self { value: value.to_value(), ty: PhantomData }
    }

    #[inline]
    pub(crate) fn to_value(&self) -> Value<'v> {
        self.value
    }

    #[inline]
    pub(crate) fn as_ref(&self) -> &'v T {
        // SAFETY: `new` took it from a `ValueTyped` of this type, and tracing keeps a value's type.
        unsafe { ValueTyped::<T>::new_unchecked(self.value) }.as_ref()
    }
}

/// Counts what a script was given since the garbage collector last ran: to be traced is to be told so.
#[derive(Default)]
pub(crate) struct SinceCollection(pub(crate) Cell<u64>);

// SAFETY: holds no value.
unsafe impl<'v> Trace<'v> for SinceCollection {
    fn trace(&mut self, _tracer: &Tracer<'v>) {
        self.0.set(0);
    }
}

/// Runs the Starlark side of a host function: `f` gets the store's owner and the evaluator of the
/// entry that wasm runs in. `None` outside of any entry, which no caller of wasm in this crate allows.
#[inline]
pub(crate) fn call_host<R>(
    caller: &mut Caller<'_, StoreData>,
    f: impl for<'v, 'a, 'e> FnOnce(Value<'v>, &mut Evaluator<'v, 'a, 'e>, &mut Caller<'_, StoreData>) -> R,
) -> Option<R> {
    let Entry { evaluator, owner } = caller.data().entry;
    let (mut evaluator, owner) = (evaluator?, owner?);
    // SAFETY: invariant 2: both are borrowed by the `enter` that is on the stack now, which does not
    // use them until wasm returns; a nested `enter` sets its own and resets these. The lifetimes that
    // `f` sees are its own (it is generic over them), so nothing of them can leave it.
    Some(f(owner, unsafe { evaluator.as_mut() }, caller))
}
