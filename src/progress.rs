//! Tells an application what a run has spent so far.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Gets the fuel, the ticks, and the peak of memory in bytes. The fuel is `None` if it is not metered.
type Listener = dyn Fn(Option<u64>, u64, u64) + Send + Sync;

/// The listener of a run, if the application asks for reports.
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

/// The ticks of a run as of the last check of an evaluator's limits. Everything that reports them shares this.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeenTicks(Arc<AtomicU64>);

impl SeenTicks {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes a count, unless it is lower than before. It can be, while a file is loaded: then it lacks the ticks of the file
    /// that loads it.
    pub(crate) fn note(&self, ticks: u64) {
        self.0.fetch_max(ticks, Ordering::Relaxed);
    }
}
