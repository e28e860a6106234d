//! The limits of one call.

use std::time::Duration;

use crate::error::Error;
use crate::limits::Limits;

/// Limits of one call, within what the session has left: see [`Session::call_with`](crate::Session::call_with). By default
/// there are none, and a call may spend everything that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
pub struct CallLimits {
    pub(super) fuel: Option<u64>,
    pub(super) ticks: Option<u64>,
    pub(crate) deadline: Option<Duration>,
}

impl CallLimits {
    /// Makes limits that allow everything that the session has left.
    pub const fn new() -> Self {
        Self { fuel: None, ticks: None, deadline: None }
    }

    /// Sets the units of WebAssembly fuel, as in [`Limits::fuel`]. The sandbox must meter fuel, which it does by default.
    pub const fn fuel(mut self, fuel: u64) -> Self {
        self.fuel = Some(fuel);
        self
    }

    /// Sets the Starlark ticks, as in [`Limits::ticks`]. A call that spends more always fails, but it may run for up to two
    /// thousand more ticks before it is ended.
    pub const fn ticks(mut self, ticks: u64) -> Self {
        self.ticks = Some(ticks);
        self
    }

    /// Sets the time that the call may take. Unlike the other two limits, which are exact everywhere, this one depends on
    /// the machine and its load: a call that it ends may succeed another time.
    ///
    /// It is checked after each thousand ticks. If the sandbox is [`interruptible`](crate::Sandbox::interruptible) or
    /// isolated, it is also checked after each hundred thousand units of a guest's fuel; otherwise it does not end a guest's
    /// loop. A function of the application is not interrupted. On a target without a clock (`wasm32-unknown-unknown`), the
    /// time passes at once.
    pub const fn deadline(mut self, time: Duration) -> Self {
        self.deadline = Some(time);
        self
    }

    /// Returns an error for a limit that the sandbox cannot enforce.
    pub(super) fn check(self, sandbox: &Limits) -> Result<(), Error> {
        match self.fuel {
            Some(_) if sandbox.fuel.is_none() => Err(Error::value(
                "a call cannot have a limit `fuel` where the sandbox has none: its fuel is not counted",
            )),
            _ => Ok(()),
        }
    }
}
