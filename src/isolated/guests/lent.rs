//! Where a guest's store is while the core and its guests call each other.
//!
//! The core calls a guest through an import, whose `Caller` borrows the core's store; the guest calls the core back through
//! a function whose `Caller` borrows the guest's store, and needs the core's again. A store's data must be `'static`, so both
//! are kept as pointers while wasm runs.
//!
//! Every `unsafe` below relies on these invariants:
//!
//! 1. **One `&mut` at a time.** [`Place`] says where a guest's store can be reached: in the room, through the `Caller` of the
//!    function that it has called, or not at all, because `enter` has it. [`CoreRef`] is there only while `enter` waits for its
//!    closure, and `leave` takes it out for as long as its own closure runs.
//! 2. **A pointer never outlives what it points to.** Both functions take back what they lend before they return, even if there
//!    is a panic.
//! 3. **One thread.** Pointers are there only during a call, which stays on its thread.
#![allow(unsafe_code)]

use std::ptr::NonNull;

use wasmi::{AsContextMut, Caller, Store, StoreContextMut};

use super::guest::Guest;
use super::unknown;
use crate::isolated::room::Room;

/// Where a guest's store is.
pub(super) enum Place {
    Owned(Box<Store<Guest>>),
    /// wasm holds it, and lends it to the function that it has called.
    Lent(NonNull<Caller<'static, Guest>>),
    InUse,
}

// SAFETY: invariant 3.
unsafe impl Send for Place {}
// SAFETY: invariant 3. No method takes `&Place` to what it points to.
unsafe impl Sync for Place {}

/// The core, for its guest that runs.
#[derive(Default)]
pub(super) struct CoreRef(Option<NonNull<Caller<'static, Room>>>);

// SAFETY: invariant 3.
unsafe impl Send for CoreRef {}
// SAFETY: invariant 3.
unsafe impl Sync for CoreRef {}

impl CoreRef {
    /// Uses the core. Returns `None` where no guest runs.
    pub(super) fn with<R>(&mut self, f: impl FnOnce(&mut Caller<'_, Room>) -> R) -> Option<R> {
        let core = self.0.as_mut()?;
        // SAFETY: invariant 1: `enter` does not use the `Caller` until its closure returns, and whoever has this reference has
        // the guest's data.
        Some(f(unsafe { core.as_mut() }))
    }

    /// Looks at what the core's store has.
    pub(super) fn look<R>(&self, f: impl FnOnce(&Room) -> R) -> Option<R> {
        let core = self.0.as_ref()?;
        // SAFETY: as in `with`; a shared reference to the guest's data gives one to the core.
        Some(f(unsafe { core.as_ref() }.data()))
    }
}

/// Uses a store of the core's guests.
///
/// # Errors
///
/// If the core does not have it, or a fault ended the core meanwhile.
pub(super) fn enter<R>(
    caller: &mut Caller<'_, Room>,
    store: u32,
    f: impl FnOnce(&mut StoreContextMut<'_, Guest>) -> R,
) -> Result<R, wasmi::Error> {
    let core = CoreRef(Some(NonNull::from(&mut *caller).cast()));
    let place = caller.data_mut().guests.place_mut(store).ok_or_else(unknown)?;
    match std::mem::replace(place, Place::InUse) {
        Place::Owned(mut owned) => {
            let outcome = run(&mut owned.as_context_mut(), core, f);
            put_back(caller, store, Place::Owned(owned));
            outcome
        }
        Place::Lent(mut lent) => {
            // SAFETY: invariant 1: `leave` does not use the `Caller` until its closure returns.
            let outcome = run(&mut unsafe { lent.as_mut() }.as_context_mut(), core, f);
            put_back(caller, store, Place::Lent(lent));
            outcome
        }
        Place::InUse => Err(unknown()),
    }
}

fn put_back(caller: &mut Caller<'_, Room>, store: u32, back: Place) {
    if let Some(place) = caller.data_mut().guests.place_mut(store) {
        *place = back;
    }
}

fn run<R>(
    context: &mut StoreContextMut<'_, Guest>,
    core: CoreRef,
    f: impl FnOnce(&mut StoreContextMut<'_, Guest>) -> R,
) -> Result<R, wasmi::Error> {
    struct Reset<'a, 'b>(&'a mut StoreContextMut<'b, Guest>, CoreRef);

    impl Drop for Reset<'_, '_> {
        fn drop(&mut self) {
            std::mem::swap(&mut self.0.data_mut().core, &mut self.1);
        }
    }

    let before = std::mem::replace(&mut context.data_mut().core, core);
    let reset = Reset(context, before);
    let result = f(&mut *reset.0);
    match reset.0.data_mut().ended.take() {
        Some(fault) => Err(fault),
        None => Ok(result),
    }
}

/// Uses the core for a guest that has called it, and lends it the guest's store meanwhile.
pub(super) fn leave<R>(guest: &mut Caller<'_, Guest>, f: impl FnOnce(&mut Caller<'_, Room>) -> R) -> Option<R> {
    struct Return<'a, 'b> {
        core: &'a mut Caller<'b, Room>,
        store: u32,
    }

    impl Drop for Return<'_, '_> {
        fn drop(&mut self) {
            put_back(self.core, self.store, Place::InUse);
        }
    }

    struct Reset<'a, 'b>(&'a mut Caller<'b, Guest>, CoreRef);

    impl Drop for Reset<'_, '_> {
        fn drop(&mut self) {
            std::mem::swap(&mut self.0.data_mut().core, &mut self.1);
        }
    }

    let core = std::mem::take(&mut guest.data_mut().core);
    let mut pointer = core.0?;
    let store = guest.data().number;
    let reset = Reset(guest, core);
    // SAFETY: invariants 1 and 2: the `enter` that is on the stack has borrowed the `Caller` until its closure returns.
    let core = unsafe { pointer.as_mut() };
    put_back(core, store, Place::Lent(NonNull::from(&mut *reset.0).cast()));
    let lent = Return { core, store };
    Some(f(&mut *lent.core))
}

/// Returns an export of the instance whose function has called the core.
pub(super) fn caller_export(caller: &mut Caller<'_, Room>, store: u32, name: &str) -> Option<wasmi::Extern> {
    match caller.data_mut().guests.place_mut(store)? {
        // SAFETY: as in `enter`. `get_export` runs no code of ours.
        Place::Lent(lent) => unsafe { lent.as_ref() }.get_export(name),
        Place::Owned(_) | Place::InUse => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
