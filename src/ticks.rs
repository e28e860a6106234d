//! Starlark ticks, where starlark's own count for one evaluator is not enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// starlark checks its limits whenever an evaluator's count of ticks is a multiple of this.
pub(crate) const CHECK_PERIOD: u64 = 1000;

/// What is known of the ticks of the running evaluator. The run and the script types share it.
#[derive(Debug, Clone)]
pub(crate) struct TickMeter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The count that the evaluator may reach: its limit, less the ticks of the files that it loaded.
    limit: AtomicU64,
    /// The count at the last check. A lower bound of the count at any time.
    checked: AtomicU64,
    /// The count at any of the checks, modulo the period.
    phase: AtomicU64,
    /// The calls from WebAssembly that the evaluator has not counted yet.
    calls: AtomicU64,
}

/// The state of a meter, to be restored after a loaded file has run.
pub(crate) struct Saved {
    limit: u64,
    checked: u64,
    phase: u64,
}

impl TickMeter {
    /// Makes a meter for a run that may spend `limit` ticks.
    pub(crate) fn new(limit: u64) -> Self {
        Self(Arc::new(Inner {
            limit: AtomicU64::new(limit),
            checked: AtomicU64::new(0),
            phase: AtomicU64::new(0),
            calls: AtomicU64::new(0),
        }))
    }

    /// Returns the state, for [`restore`](Self::restore).
    pub(crate) fn save(&self) -> Saved {
        Saved {
            limit: self.0.limit.load(Ordering::Relaxed),
            checked: self.0.checked.load(Ordering::Relaxed),
            phase: self.0.phase.load(Ordering::Relaxed),
        }
    }

    /// Switches to a new evaluator, which may count up to `limit`.
    pub(crate) fn begin(&self, limit: u64) {
        self.0.limit.store(limit, Ordering::Relaxed);
        self.0.checked.store(0, Ordering::Relaxed);
        self.0.phase.store(0, Ordering::Relaxed);
    }

    /// Switches back to the evaluator of `saved`. The one that has ended spent `ticks`.
    pub(crate) fn restore(&self, saved: &Saved, ticks: u64) {
        self.0.limit.store(saved.limit.saturating_sub(ticks), Ordering::Relaxed);
        self.0.checked.store(saved.checked, Ordering::Relaxed);
        self.0.phase.store(saved.phase, Ordering::Relaxed);
    }

    /// Returns the ticks that are left for a file that the running one loads: at most a thousand too many.
    pub(crate) fn left(&self) -> u64 {
        self.0.limit.load(Ordering::Relaxed).saturating_sub(self.0.checked.load(Ordering::Relaxed))
    }

    /// Returns the evaluator's count at the last check.
    pub(crate) fn checked(&self) -> u64 {
        self.0.checked.load(Ordering::Relaxed)
    }

    /// Lowers the count that the evaluator may reach to `limit`, unless it is lower already. Returns the count before, for
    /// [`set_limit`](Self::set_limit).
    pub(crate) fn lower_limit(&self, limit: u64) -> u64 {
        self.0.limit.fetch_min(limit, Ordering::Relaxed)
    }

    pub(crate) fn set_limit(&self, limit: u64) {
        self.0.limit.store(limit, Ordering::Relaxed);
    }

    /// Notes that the evaluator checks its limits. Returns whether its count has certainly passed the limit. A check comes
    /// after each thousand ticks, and one more when a call from Rust ends: [`observe`](Self::observe) must follow that one.
    pub(crate) fn check(&self) -> bool {
        // Only the thread of the evaluator writes here, so that an atomic addition would be a waste.
        let checked = self.0.checked.load(Ordering::Relaxed);
        self.0.checked.store(checked.wrapping_add(CHECK_PERIOD), Ordering::Relaxed);
        checked > self.0.limit.load(Ordering::Relaxed)
    }

    /// Returns whether an evaluator with this count has passed its limit.
    pub(crate) fn is_passed(&self, count: u64) -> bool {
        count > self.0.limit.load(Ordering::Relaxed)
    }

    /// Notes the evaluator's count.
    pub(crate) fn observe(&self, count: u64) {
        let since = self.since_check(count);
        self.0.checked.store(count.saturating_sub(since), Ordering::Relaxed);
    }

    /// Returns the ticks since the last check, for an evaluator with this count.
    pub(crate) fn since_check(&self, count: u64) -> u64 {
        count.saturating_sub(self.0.phase.load(Ordering::Relaxed)) % CHECK_PERIOD
    }

    /// Notes that the evaluator checks at `count`, and then again after each period.
    pub(crate) fn set_phase(&self, count: u64) {
        self.0.phase.store(count % CHECK_PERIOD, Ordering::Relaxed);
    }

    /// Counts a call from WebAssembly, for an evaluator with this count. Returns the calls that the evaluator must count
    /// now. They are counted many at a time, since that takes longer than a call.
    #[inline]
    pub(crate) fn call(&self, count: u64) -> u64 {
        const MANY: u64 = 100;
        let calls = self.0.calls.load(Ordering::Relaxed).saturating_add(1);
        let due = calls >= MANY || count.saturating_add(calls) > self.0.limit.load(Ordering::Relaxed);
        self.0.calls.store(if due { 0 } else { calls }, Ordering::Relaxed);
        if due { calls } else { 0 }
    }

    /// Returns the calls that the evaluator has not counted yet, which it must count now.
    pub(crate) fn take_calls(&self) -> u64 {
        let calls = self.0.calls.load(Ordering::Relaxed);
        self.0.calls.store(0, Ordering::Relaxed);
        calls
    }
}
