//! What an application can see of the calls between scripts, guests and the host.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Error;
use crate::value::Value;

/// The side of a call: who calls, or who is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Side {
    /// A script.
    Script,
    /// WebAssembly code.
    Guest,
    /// The application, or a WASI machine.
    Host,
}

impl Side {
    /// Returns the side in lower case: `script`, `guest` or `host`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Script => "script",
            Self::Guest => "guest",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The beginning or the end of a call into or out of WebAssembly, as an observer sees it: see
/// [`Sandbox::observer`](crate::Sandbox::observer).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Crossing<'a> {
    /// Whether the call begins or ends.
    pub event: CrossingEvent<'a>,
    /// The number of calls around this one.
    pub depth: usize,
    /// Who calls.
    pub caller: Side,
    /// Who is called. Either this or the caller is a guest.
    pub callee: Side,
    /// The name of the guest's module: its own name, otherwise the name under which it was loaded. `None` if it has neither,
    /// and for a function that was reached through a reference.
    pub module: Option<&'a str>,
    /// The number of the guest's instance among those that the run has made, from 1. `None` for a function that was
    /// reached through a reference.
    pub instance: Option<usize>,
    /// The name of the function: that of the export, `module.name` for an import, or `func` for a function that was reached
    /// through a reference. It is `(instantiate)` while an instance is made, which runs its start function.
    pub function: &'a str,
    /// The fuel that the run has spent so far; `None` if it is not metered.
    pub fuel: Option<u64>,
}

/// The beginning or the end of a call.
///
/// Values are as a script sees them: ints are signed, floats have 64 bits, a vector is its 16 bytes, and a reference is
/// [`Value::None`] or a [`Value::Opaque`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum CrossingEvent<'a> {
    /// The call begins.
    Call {
        /// The arguments.
        args: &'a [Value],
    },
    /// The call returns.
    Return {
        /// The results.
        results: &'a [Value],
    },
    /// The call fails: by a trap, an error of the script or the host, or because the guest exits.
    Failure {
        /// The error, without the place of the call in the script.
        error: &'a Error,
    },
}

/// The function of an application that observes calls.
pub(crate) type Observer = dyn Fn(&Crossing<'_>) + Send + Sync;

/// The state of the observation of one run.
pub(crate) struct Observation {
    observer: Arc<Observer>,
    depth: AtomicUsize,
    instances: AtomicUsize,
}

impl Observation {
    pub(crate) fn new(observer: Arc<Observer>) -> Self {
        Self { observer, depth: AtomicUsize::new(0), instances: AtomicUsize::new(0) }
    }

    /// Returns the number of the next instance, which is about to be made.
    pub(crate) fn next_instance(&self) -> usize {
        self.instances.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// Tells the observer. This sets the depth of `crossing`.
    pub(crate) fn tell(&self, crossing: Crossing<'_>) {
        let depth = match crossing.event {
            CrossingEvent::Call { .. } => self.depth.fetch_add(1, Ordering::Relaxed),
            _ => self.depth.fetch_sub(1, Ordering::Relaxed).saturating_sub(1),
        };
        (self.observer)(&Crossing { depth, ..crossing });
    }
}

impl fmt::Debug for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observation").finish_non_exhaustive()
    }
}
