//! What an application can see of the calls between scripts, guests and the host.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Error;
use crate::value::Value;

/// Where code runs that calls, or is called.
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
    /// The side in lower case: `script`, `guest` or `host`.
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

/// A call into WebAssembly or out of it, or the end of one: what [`Sandbox::observer`](crate::Sandbox::observer) gets.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Crossing<'a> {
    /// Whether the call begins or ends.
    pub event: CrossingEvent<'a>,
    /// The number of calls around this one that have not ended.
    pub depth: usize,
    /// Who calls.
    pub caller: Side,
    /// Who is called. One of the two is a guest.
    pub callee: Side,
    /// The guest's module: the name that it has itself, else the name that it was loaded by. `None` where it has neither,
    /// and for a function that was reached by a reference.
    pub module: Option<&'a str>,
    /// The number of the guest's instance among those that the run has made, from 1. `None` for a function that was
    /// reached by a reference.
    pub instance: Option<usize>,
    /// The name of the function: that of the export, `func` for one that was reached by a reference, `module.name` for an
    /// import, and `(instantiate)` for the making of an instance, in which a start function runs.
    pub function: &'a str,
    /// The fuel that the run has spent until now; `None` where it is not metered.
    pub fuel: Option<u64>,
}

/// The beginning or the end of a call.
///
/// Numbers are as a script sees them, ints signed and floats of 64 bits; a vector is its 16 bytes; a reference is
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
        /// The error. A script sees it with the place in which it made the call.
        error: &'a Error,
    },
}

/// Takes what an application observes.
pub(crate) type Observer = dyn Fn(&Crossing<'_>) + Send + Sync;

/// What is observed of one run.
pub(crate) struct Observation {
    observer: Arc<Observer>,
    depth: AtomicUsize,
    instances: AtomicUsize,
}

impl Observation {
    pub(crate) fn new(observer: Arc<Observer>) -> Self {
        Self { observer, depth: AtomicUsize::new(0), instances: AtomicUsize::new(0) }
    }

    /// Returns the number of an instance that is about to be made.
    pub(crate) fn next_instance(&self) -> usize {
        self.instances.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// Tells the observer. What it is told has the depth that this sets.
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
