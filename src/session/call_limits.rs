//! What one call may spend.

use std::time::Duration;

use crate::error::Error;
use crate::limits::Limits;

/// Limits of one call, within what the session has left: see [`Session::call_with`](crate::Session::call_with). Without
/// any, which is [`Default`] too, a call has all of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
pub struct CallLimits {
    pub(super) fuel: Option<u64>,
    pub(super) ticks: Option<u64>,
    pub(crate) deadline: Option<Duration>,
}

impl CallLimits {
    /// Makes limits that allow all that the session has left.
    pub const fn new() -> Self {
        Self { fuel: None, ticks: None, deadline: None }
    }

    /// Sets the units of WebAssembly fuel, as in [`Limits::fuel`]. The sandbox must meter fuel, which it does by default.
    pub const fn fuel(mut self, fuel: u64) -> Self {
        self.fuel = Some(fuel);
        self
    }

    /// Sets the Starlark ticks, as in [`Limits::ticks`]. A call that spends more is an error in any case. Where it would go
    /// on for long, it is ended less than two thousand ticks later.
    pub const fn ticks(mut self, ticks: u64) -> Self {
        self.ticks = Some(ticks);
        self
    }

    /// Sets the time that the call may take. Of the three this is the one that depends on the machine and its load: a call
    /// that it ends would succeed another time. The other limits are exact everywhere.
    ///
    /// It is looked at after each thousand ticks, and where the sandbox is
    /// [`interruptible`](crate::Sandbox::interruptible) after each hundred thousand units of a guest's fuel; where it is
    /// not, a guest in a loop goes on. A function of the application is not interrupted. On a target without a clock
    /// (`wasm32-unknown-unknown`) the time passes at once.
    pub const fn deadline(mut self, time: Duration) -> Self {
        self.deadline = Some(time);
        self
    }

    /// Returns an error for a limit that the sandbox cannot keep.
    pub(super) fn check(self, sandbox: &Limits) -> Result<(), Error> {
        match self.fuel {
            Some(_) if sandbox.fuel.is_none() => Err(Error::value(
                "a call cannot have a limit `fuel` where the sandbox has none: its fuel is not counted",
            )),
            _ => Ok(()),
        }
    }
}
