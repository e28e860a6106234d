//! Fuel. What an evaluation has left is in one place at a time: in the wasmi counter of the store that ran last, its
//! *holder*. So a call into that store, as nearly every call is, moves none.

use starlark::values::{Value, ValueLike};
use wasmi::StoreContextMut;

use super::evaluation::Evaluation;
use super::scope::StoreData;
use super::store::Store;
use crate::error::{Error, ErrorKind, Limit, TrapCode};
use crate::slices;

impl<'v> Store<'v> {
    /// Makes this store the holder of the evaluation's fuel.
    #[inline]
    pub(crate) fn hold_fuel(&self, this: Value<'v>) -> Result<(), Error> {
        let state = self.evaluation.as_ref();
        match state.fuel_holder.get() {
            Some(holder) if holder.ptr_eq(this) => Ok(()),
            holder => self.take_fuel(this, holder),
        }
    }

    #[cold]
    fn take_fuel(&self, this: Value<'v>, holder: Option<Value<'v>>) -> Result<(), Error> {
        let state = self.evaluation.as_ref();
        if state.counts_fuel() {
            if let Some(holder) = holder.and_then(|h| h.downcast_ref::<Store<'v>>()) {
                holder.settle();
            }
            let grant = self.fuel.grant(state.budget.fuel_left());
            self.with(|context| slices::lease_fuel(context, grant))?;
        }
        state.fuel_holder.set(Some(this));
        Ok(())
    }

    /// Deducts what was used since the last time from the store's own fuel and the budget.
    fn settle(&self) {
        let state = self.evaluation.as_ref();
        let Ok(Some(left)) = self.with(|context| slices::fuel(context)) else { return };
        state.budget.spend_fuel(self.fuel.settle(left));
    }

    pub(crate) fn settle_if_holder(&self, this: Value<'v>) {
        if self.evaluation.as_ref().fuel_holder.get().is_some_and(|h| h.ptr_eq(this)) {
            self.settle();
        }
    }

    /// Charges work that the host did for the script, at wasmi's price for the same instruction in a guest.
    pub(crate) fn charge(&self, this: Value<'v>, fuel: u64) -> Result<(), Error> {
        if !self.evaluation.as_ref().is_metered() {
            return Ok(());
        }
        self.hold_fuel(this)?;
        if self.with(|mut context| pay(&mut context, fuel))? { Ok(()) } else { Err(self.out_of_fuel(this)) }
    }

    /// Returns the error for wasmi's counter running out: of the store's own fuel, or the sandbox's.
    pub(crate) fn out_of_fuel(&self, this: Value<'v>) -> Error {
        self.settle_if_holder(this);
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

    /// Settles the fuel and leaves it to the next store that asks for it, which may be of another evaluation.
    pub(crate) fn release_fuel(&self) {
        self.settle_fuel();
        self.fuel_holder.set(None);
    }
}
