//! Fuel. What an evaluation has left is in one place at a time: in the wasmi counter of the store that ran last, its
//! *holder*. So a call into that store, as nearly every call is, moves none.

use starlark::values::{Value, ValueLike};
use wasmi::StoreContextMut;

use super::evaluation::Evaluation;
use super::scope::StoreData;
use super::store::Store;
use super::store_ref::LiveStore;
use crate::error::{Error, ErrorKind, Limit, TrapCode};
use crate::slices;

impl<'v> LiveStore<'v> {
    /// Makes this store the holder of the evaluation's fuel.
    #[inline]
    pub(crate) fn hold_fuel(self) -> Result<(), Error> {
        let state = self.evaluation.as_ref();
        match state.fuel_holder.get() {
            Some(holder) if self.is(holder) => Ok(()),
            holder => self.take_fuel(holder),
        }
    }

    #[cold]
    fn take_fuel(self, holder: Option<Value<'v>>) -> Result<(), Error> {
        let state = self.evaluation.as_ref();
        if state.counts_fuel() {
            if let Some(holder) = holder.and_then(|h| h.downcast_ref::<Store<'v>>()) {
                holder.settle();
            }
            let grant = self.fuel.grant(state.budget.fuel_left());
            self.with(|context| slices::lease_fuel(context, grant))?;
        }
        state.fuel_holder.set(Some(self.to_value()));
        Ok(())
    }

    /// Charges work that the host did for the script, at wasmi's price for the same instruction in a guest.
    pub(crate) fn charge(self, fuel: u64) -> Result<(), Error> {
        if !self.evaluation.as_ref().is_metered() {
            return Ok(());
        }
        self.hold_fuel()?;
        if self.with(|mut context| pay(&mut context, fuel))? { Ok(()) } else { Err(self.out_of_fuel()) }
    }
}

impl<'v> Store<'v> {
    /// Deducts what was used since the last time from the store's own fuel and the budget.
    fn settle(&self) {
        let state = self.evaluation.as_ref();
        let Ok(Some(left)) = self.with(|context| slices::fuel(context)) else { return };
        state.budget.spend_fuel(self.fuel.settle(left));
    }

    pub(crate) fn settle_if_holder(&self) {
        let holder = self.evaluation.as_ref().fuel_holder.get().and_then(|holder| holder.downcast_ref::<Store<'v>>());
        if holder.is_some_and(|holder| std::ptr::eq(holder, self)) {
            self.settle();
        }
    }

    /// Returns the error for wasmi's counter running out: of the store's own fuel, or the sandbox's.
    pub(crate) fn out_of_fuel(&self) -> Error {
        self.settle_if_holder();
        let state = self.evaluation.as_ref();
        if self.fuel.is_own_limit(state.budget.fuel_left()) {
            return Error::new(ErrorKind::Trap(TrapCode::OutOfFuel), "the store's fuel is used up");
        }
        if let Some(limit) = state.budget.call_fuel() {
            return Error::limit(Limit::Fuel, format!("the call's fuel is used up: its limit `fuel` is {limit}"));
        }
        let limit = state.engine.limits().fuel.unwrap_or(u64::MAX);
        Error::limit(Limit::Fuel, format!("the sandbox's fuel is used up: limit `fuel` is {limit}"))
    }

    pub(crate) fn fuel_left(&self) -> u64 {
        // Settles the holder, which may be another store: the remaining fuel is shared.
        let state = self.evaluation.as_ref();
        state.settle_fuel();
        self.fuel.left(state.budget.fuel_left())
    }
}

/// Deducts `fuel` from the counter of a store that holds the fuel. Returns false, with the counter unchanged, if less is left.
pub(crate) fn pay(context: &mut StoreContextMut<'_, StoreData>, fuel: u64) -> bool {
    let left = slices::fuel(&*context).and_then(|left| left.checked_sub(fuel));
    left.is_some_and(|left| slices::set_fuel(context, left))
}

impl<'v> Evaluation<'v> {
    /// Brings the account up to date with the holder's counter.
    pub(crate) fn settle_fuel(&self) {
        if self.counts_fuel()
            && let Some(holder) = self.fuel_holder.get().and_then(|h| h.downcast_ref::<Store<'v>>())
        {
            holder.settle();
        }
    }

    /// Returns the fuel that the run has used until now; `None` where scripts have no limit on it.
    pub(crate) fn fuel_used(&self) -> Option<u64> {
        self.settle_fuel();
        self.budget.fuel_used()
    }

    /// Settles the fuel and leaves it to the next store that asks for it, which may be of another evaluation.
    pub(crate) fn release_fuel(&self) {
        self.settle_fuel();
        self.fuel_holder.set(None);
    }
}
