//! Lends something to the evaluation for as long as it works on one request. With `whole`, this is the only `unsafe` of
//! sessions.
//!
//! A request waits in the mailbox, and what is in a mailbox must be `'static`. The arguments of a call are borrowed from the
//! application, and copying them to values that are not would take longer than the call. So the mailbox gets a pointer:
//!
//! 1. **The pointer never outlives the loan.** `Lent::lend` sets it, and a guard resets it when `work` ends, even if there
//!    is a panic.
//! 2. **It is only shared.** What is lent is a `&dyn DirectCall`, and so is what the evaluation gets.
//! 3. **One thread.** `lend` borrows a session exclusively, so that it cannot be sent elsewhere during a loan. Without a loan
//!    the cell is empty.
#![allow(unsafe_code)]

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;

use std::cell::Cell;
use std::ptr::NonNull;

use starlark::values::{Heap, Value};

use super::call_limits::CallLimits;
use crate::error::Error;
use crate::value::{Arguments, MakeSet};

/// A call, without the types of its arguments and result.
pub(super) trait DirectCall {
    fn name(&self) -> &str;
    fn limits(&self) -> CallLimits;
    /// Makes the arguments.
    fn arguments<'v>(&self, heap: Heap<'v>, make_set: &mut MakeSet<'_, 'v>) -> starlark::Result<Arguments<'v, 'v>>;
    /// Keeps the result.
    fn finish<'v>(&self, result: Value<'v>, heap: Heap<'v>) -> Result<(), Error>;
}

#[derive(Default)]
pub(super) struct Lent(Cell<Option<NonNull<dyn DirectCall>>>);

// SAFETY: invariant 3.
unsafe impl Send for Lent {}

impl Lent {
    /// Does `work`, during which the call can be reached through [`with`](Self::with).
    pub(super) fn lend<R>(&self, call: &dyn DirectCall, work: impl FnOnce() -> R) -> R {
        struct Reset<'a>(&'a Lent);

        impl Drop for Reset<'_> {
            fn drop(&mut self) {
                self.0.0.set(None);
            }
        }

        let pointer: NonNull<dyn DirectCall + '_> = NonNull::from(call);
        // SAFETY: only the lifetime changes, and invariant 1 keeps to it.
        let pointer = unsafe { std::mem::transmute::<NonNull<dyn DirectCall + '_>, NonNull<dyn DirectCall>>(pointer) };
        self.0.set(Some(pointer));
        let _reset = Reset(self);
        work()
    }

    /// Uses the call that is lent; `None` if there is none.
    pub(super) fn with<R>(&self, f: impl FnOnce(&dyn DirectCall) -> R) -> Option<R> {
        let pointer = self.0.get()?;
        // SAFETY: invariants 1 and 2: `lend` waits in `work`, to which `f` belongs.
        Some(f(unsafe { pointer.as_ref() }))
    }
}
