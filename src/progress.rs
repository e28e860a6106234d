//! Tells an application how far a run has come.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Gets fuel, ticks, and the peak of memory in bytes. Fuel is `None` where it is not metered.
type Listener = dyn Fn(Option<u64>, u64, u64) + Send + Sync;

/// Where a run reports to, if the application asks for reports.
#[derive(Clone, Default)]
pub(crate) struct Progress(Option<Arc<Listener>>);

impl Progress {
    pub(crate) fn new(listener: impl Fn(Option<u64>, u64, u64) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// Returns whether anybody listens.
    pub(crate) fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn report(&self, fuel: Option<u64>, ticks: u64, memory_peak: u64) {
        if let Some(listener) = &self.0 {
            listener(fuel, ticks, memory_peak);
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Progress").field(&self.is_wanted()).finish()
    }
}

/// The ticks of a run as of the last time that an evaluator checked its limits, shared by all that report them.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeenTicks(Arc<AtomicU64>);

impl SeenTicks {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes a count. A lower one than before, as that of a loaded file without the file that loads it, changes nothing.
    pub(crate) fn note(&self, ticks: u64) {
        self.0.fetch_max(ticks, Ordering::Relaxed);
    }
}
