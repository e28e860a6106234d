//! Slices of fuel: how a guest that never calls the host can be interrupted.
//!
//! The only way to pause a guest in wasmi is to let it run out of fuel. So wasmi's counter gets a slice of what the guest
//! may spend, and the rest is kept in reserve. When the slice is spent, the guest pauses. If nobody has asked to stop it,
//! the next slice is moved from the reserve to the counter, and the guest continues at the instruction that it could not
//! pay for. Such an instruction changes neither the counter nor anything else. So the fuel that is spent, and the place
//! where a guest finally runs out of it, do not depend on the size of the slices.
//!
//! The core has no slices: its host, which runs the guests, has them.
//!
//! The fuel of a store is the sum of its counter and its reserve, so only this module reads or sets wasmi's counter.

#[cfg(not(all(feature = "core", target_family = "wasm")))]
mod resumed;

use std::fmt;

use wasmi::{AsContext, AsContextMut, Func, StoreContextMut, Val};

#[cfg(not(all(feature = "core", target_family = "wasm")))]
pub(crate) use self::resumed::call_typed;
use crate::error::{Error, ErrorKind};
use crate::frames::{self, Framed};
use crate::interrupt::{Interrupt, Stop};
use crate::profile::Profiled;

/// The fuel of a slice. A guest spends it in less than a millisecond, and a pause takes less than a thousandth of that.
pub(crate) const SLICE: u64 = 100_000;

/// How a store's fuel is sliced.
#[derive(Debug)]
pub(crate) struct Slices {
    size: u64,
    reserve: u64,
    #[cfg_attr(feature = "core", allow(dead_code))]
    interrupt: Interrupt,
    /// Whether wasmi is running something that it cannot resume, such as a start function: then all fuel is in the counter.
    is_whole: bool,
}

impl Slices {
    pub(crate) fn new(size: u64, interrupt: Interrupt) -> Self {
        Self { size, reserve: 0, interrupt, is_whole: false }
    }

    /// Returns the fuel that is not in wasmi's counter.
    pub(crate) fn reserve(&self) -> u64 {
        self.reserve
    }
}

/// The data of a store, which may have slices, frames and a profile.
pub(crate) trait Sliced: Framed + Profiled {
    /// Returns whether it has none of these, so that a call needs no preparation.
    fn is_plain(&self) -> bool;
    fn slices(&self) -> Option<&Slices>;
    fn slices_mut(&mut self) -> Option<&mut Slices>;

    /// Tells a guest itself to stop, where there is a way. Returns whether it goes on until it does.
    #[cfg_attr(feature = "core", allow(dead_code))]
    fn tell_stop(_context: &mut StoreContextMut<'_, Self>, _stop: Stop) -> bool
    where
        Self: Sized,
    {
        false
    }

    /// Notes that a guest has spent a slice of `fuel` units.
    #[cfg_attr(feature = "core", allow(dead_code))]
    fn pass_slice(&self, _fuel: u64) {}
}

/// Returns the fuel of a store; `None` if it is not metered.
pub(crate) fn fuel(context: impl AsContext<Data: Sliced>) -> Option<u64> {
    let context = context.as_context();
    let reserve = context.data().slices().map_or(0, |slices| slices.reserve);
    context.get_fuel().ok().map(|counter| counter.saturating_add(reserve))
}

/// Sets the fuel of a store. Returns whether it is metered.
pub(crate) fn set_fuel(mut context: impl AsContextMut<Data: Sliced>, fuel: u64) -> bool {
    set_fuel_for(&mut context.as_context_mut(), fuel, 0)
}

/// Sets the fuel of a store to an amount that does not follow from what its guests spent, and tells its profile. Returns
/// whether fuel is metered.
pub(crate) fn lease_fuel(mut context: impl AsContextMut<Data: Sliced>, fuel: u64) -> bool {
    let mut context = context.as_context_mut();
    let before = self::fuel(&context).unwrap_or_default();
    let is_metered = set_fuel(&mut context, fuel);
    if let Some(teller) = context.data_mut().teller_mut() {
        teller.observe(before);
        teller.rebase(fuel);
    }
    is_metered
}

/// Sets the fuel of a store, with at least `required` in the next slice.
fn set_fuel_for(context: &mut wasmi::StoreContextMut<'_, impl Sliced>, fuel: u64, required: u64) -> bool {
    let counter = match context.data_mut().slices_mut() {
        Some(slices) if !slices.is_whole => {
            let slice = slices.size.max(required).min(fuel);
            slices.reserve = fuel.saturating_sub(slice);
            slice
        }
        Some(slices) => {
            slices.reserve = 0;
            fuel
        }
        None => fuel,
    };
    context.set_fuel(counter).is_ok()
}

/// Calls a function, with the slices, frames and profile that the store has.
#[inline(always)]
pub(crate) fn call(
    func: &Func,
    mut context: impl AsContextMut<Data: Sliced>,
    inputs: &[Val],
    outputs: &mut [Val],
) -> Result<(), wasmi::Error> {
    let mut context = context.as_context_mut();
    if context.data().is_plain() {
        return func.call(context, inputs, outputs);
    }
    let entry = frames::begin(&mut context);
    let now = fuel(&context).unwrap_or_default();
    let told = context.data_mut().teller_mut().map(|teller| teller.begin(now));
    let outcome = match context.data().slices() {
        None => func.call(&mut context, inputs, outputs),
        #[cfg(not(all(feature = "core", target_family = "wasm")))]
        Some(_) => resumed::call(func, &mut context, inputs, outputs),
        #[cfg(all(feature = "core", target_family = "wasm"))]
        Some(_) => Err(wasmi::Error::new("slices in the core")),
    };
    frames::end(&mut context, entry, outcome.as_ref().err());
    let now = fuel(&context).unwrap_or_default();
    if let (Some(told), Some(teller)) = (told, context.data_mut().teller_mut()) {
        teller.end(&told, now);
    }
    outcome
}

/// Runs work that wasmi cannot resume, with all fuel in one slice.
pub(crate) fn whole<T: Sliced, R>(
    context: &mut wasmi::StoreContextMut<'_, T>,
    work: impl FnOnce(&mut wasmi::StoreContextMut<'_, T>) -> R,
) -> R {
    let was_whole = set_whole(context, true);
    let result = work(context);
    set_whole(context, was_whole);
    result
}

/// Gives up slices for good, for code with a `table.grow`. If the fuel left does not pay for that instruction, wasmi 2.0.0
/// does not note its place, and would resume somewhere else.
pub(crate) fn give_up(context: &mut wasmi::StoreContextMut<'_, impl Sliced>) {
    set_whole(context, true);
}

fn set_whole(context: &mut wasmi::StoreContextMut<'_, impl Sliced>, is_whole: bool) -> bool {
    let Some(slices) = context.data_mut().slices_mut() else { return false };
    let was_whole = std::mem::replace(&mut slices.is_whole, is_whole);
    if let Some(left) = fuel(&*context) {
        set_fuel(context, left);
    }
    was_whole
}

/// Ends a guest that is interrupted. Passes through wasm unchanged.
#[derive(Debug)]
pub(crate) struct Stopped(pub(crate) Stop);

/// What the host tells the core of a guest that is interrupted.
#[cfg(any(feature = "core", feature = "isolated"))]
pub(crate) const INTERRUPTED: &str = "the guest is interrupted";

impl Stopped {
    /// Returns why a guest was stopped, if that is the error.
    pub(crate) fn of(error: &wasmi::Error) -> Option<Stop> {
        #[cfg(feature = "core")]
        if matches!(error.kind(), wasmi::errors::ErrorKind::Message(text) if **text == *INTERRUPTED) {
            return Some(Stop::Requested);
        }
        error.downcast_ref::<Self>().map(|Self(stop)| *stop)
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", stopped(self.0))
    }
}

impl wasmi::errors::HostError for Stopped {}

/// Returns the error for something that was stopped.
pub(crate) fn stopped(why: Stop) -> Error {
    match why {
        Stop::Requested => Error::new(ErrorKind::Interrupted, "interrupted"),
        Stop::Deadline(after) => Error::new(
            ErrorKind::Deadline,
            format!(
                "the deadline of {after:?} has passed; how far a script gets until then depends on the clock, so this is not \
                 repeatable"
            ),
        ),
        Stop::NoClock => {
            Error::new(ErrorKind::Deadline, "a deadline is set, and has passed at once: this target has no clock")
        }
    }
}
