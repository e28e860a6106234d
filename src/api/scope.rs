//! Where WebAssembly, the evaluator and the store meet. With `store_ref`, this is the only `unsafe` of the script types.
//!
//! wasmi calls a host function with a `Caller`, which borrows the store. The function must reach two more things: the
//! Starlark evaluator that made the call, and the heap value that owns the store and its Starlark functions. A store's data
//! must be `'static`, so both are kept there as pointers while wasm runs.
//!
//! Every `unsafe` below relies on these invariants:
//!
//! 1. **One `&mut` at a time.** `StoreCell::state` says where the store can be reached: in the cell, through the `Caller` of
//!    the running host function, or not at all, because somebody holds it. It is `InUse` during each use, and a guard
//!    restores it, even if there is a panic.
//! 2. **An entry never outlives what it points to.** `StoreCell::enter` sets `StoreData::entry` and borrows the evaluator
//!    and the owner for as long as wasm runs. A guard resets the entry, even if there is a panic. Host functions run only
//!    within `enter`.
//! 3. **Nothing moves meanwhile.** starlark-rust collects garbage only between the statements of a module, never in a call,
//!    so the owner's address stays valid during an entry.
//! 4. **One thread.** An entry lives on the stack of the evaluation, and a heap cannot be sent to another thread while that
//!    is running. So the pointers may be `Send`: they are read only during an entry.
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
    /// Whether it has none of these three.
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

    /// Returns whether the store counts fuel by function.
    pub(crate) fn has_profile(&self) -> bool {
        self.teller.is_some()
    }

    /// Makes the store count fuel by function.
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

/// Who called into wasm, without lifetimes.
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
    /// The cell holds it.
    Owned,
    /// wasm holds it, and lends it to the running host function.
    Borrowed(NonNull<Caller<'static, StoreData>>),
    /// Somebody holds the one reference.
    InUse,
    Closed,
}

impl StoreState {
    /// Returns why a store that is neither owned nor borrowed cannot be reached. A function of its own, so that the two
    /// common cases compile to two comparisons and not to a jump table.
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
                // SAFETY: invariant 1: `state` was `Owned`, so nobody else holds a reference, and nobody gets one while it is
                // `InUse`.
                let owned = unsafe { &mut *self.owned.get() };
                match owned {
                    Some(store) => Ok(f(store.as_context_mut())),
                    None => Err(Unavailable::Closed),
                }
            }
            StoreState::Borrowed(mut caller) => {
                // SAFETY: invariant 1: `lend` holds the `Caller` exclusively, does not use it until its closure returns, and
                // has then taken it out of `state`.
                let caller = unsafe { caller.as_mut() };
                Ok(f(caller.as_context_mut()))
            }
            other => Err(other.why_unavailable()),
        }
    }

    /// Uses the store to run wasm for `evaluator`. `owner` is the heap value of this cell.
    #[inline]
    pub(crate) fn enter<'v, R>(
        &self,
        owner: Value<'v>,
        evaluator: &mut Evaluator<'v, '_, '_>,
        f: impl FnOnce(&mut StoreContextMut<'_, StoreData>) -> R,
    ) -> Result<R, Unavailable> {
        // SAFETY: only the lifetime changes. `call_host` gives it a lifetime that ends before the entry does (invariant 2).
        let owner = unsafe { std::mem::transmute::<Value<'v>, Value<'static>>(owner) };
        let entry = Entry { evaluator: Some(NonNull::from(evaluator).cast()), owner: Some(owner) };
        self.with(|mut context| {
            let previous = std::mem::replace(&mut context.data_mut().entry, entry);
            let entered = Entered { context: &mut context, previous };
            f(&mut *entered.context)
        })
    }

    /// Lends the store of a host function's caller to whoever asks this cell for it while `f` runs.
    #[inline]
    pub(crate) fn lend<R>(&self, caller: &mut Caller<'_, StoreData>, f: impl FnOnce() -> R) -> R {
        let previous = self.state.replace(StoreState::Borrowed(NonNull::from(caller).cast()));
        let _restore = Restore { state: &self.state, previous };
        f()
    }

    /// Returns whether wasm is running in this store, or somebody else holds it.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.state.get(), StoreState::InUse | StoreState::Borrowed(_))
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state.get(), StoreState::Closed)
    }

    /// Returns an export of the instance whose code called the running host function, if one is running.
    pub(crate) fn caller_export(&self, name: &str) -> Option<wasmi::Extern> {
        let StoreState::Borrowed(caller) = self.state.get() else { return None };
        // SAFETY: invariant 1, as in `with`. The reference ends with this statement, and `get_export` runs no code of ours.
        unsafe { caller.as_ref() }.get_export(name)
    }

    /// Frees the store at once.
    pub(crate) fn close(&self) -> Result<(), Unavailable> {
        match self.state.get() {
            StoreState::InUse | StoreState::Borrowed(_) => Err(Unavailable::InUse),
            StoreState::Closed => Ok(()),
            StoreState::Owned => {
                self.state.set(StoreState::Closed);
                // SAFETY: invariant 1: `state` was `Owned`, and dropping the store runs no script.
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

/// A value of a known type that may refer back to its holder. `ValueTyped` cannot: while it is traced, it asserts that its
/// value has the type, and in a cycle that value has not been copied yet.
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
        // SAFETY: `new` took the value from a `ValueTyped` of this type, and tracing does not change a value's type.
        unsafe { ValueTyped::<T>::new_unchecked(self.value) }.as_ref()
    }
}

/// Counts what a script was given since the last garbage collection. Tracing sets it to zero.
#[derive(Default)]
pub(crate) struct SinceCollection(pub(crate) Cell<u64>);

// SAFETY: there is no value to trace.
unsafe impl<'v> Trace<'v> for SinceCollection {
    fn trace(&mut self, _tracer: &Tracer<'v>) {
        self.0.set(0);
    }
}

/// Runs the Starlark side of a host function. `f` gets the store's owner and the evaluator of the current entry. Returns
/// `None` outside of an entry, which cannot happen: all code of this crate that calls wasm makes one.
#[inline]
pub(crate) fn call_host<R>(
    caller: &mut Caller<'_, StoreData>,
    f: impl for<'v, 'a, 'e> FnOnce(Value<'v>, &mut Evaluator<'v, 'a, 'e>, &mut Caller<'_, StoreData>) -> R,
) -> Option<R> {
    let Entry { evaluator, owner } = caller.data().entry;
    let (mut evaluator, owner) = (evaluator?, owner?);
    // SAFETY: invariant 2: the `enter` that is on the stack borrows both, and does not use them until wasm returns. A nested
    // `enter` sets its own pointers and then restores these. `f` is generic over the lifetimes that it sees, so nothing with
    // these lifetimes can leave it.
    Some(f(owner, unsafe { evaluator.as_mut() }, caller))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
