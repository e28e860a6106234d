//! Starlark ticks, as far as starlark's own count of one evaluator does not tell them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// starlark checks its limits when an evaluator's count of ticks is a multiple of this.
pub(crate) const CHECK_PERIOD: u64 = 1000;

/// What is known of the ticks of the evaluator that runs now, shared between the run and the script types.
#[derive(Debug, Clone)]
pub(crate) struct TickMeter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The count that the evaluator may reach, less what files that it loaded have spent.
    limit: AtomicU64,
    /// The count at the last check. A lower bound of the count at any time.
    checked: AtomicU64,
    /// The count at some check, modulo the period.
    phase: AtomicU64,
    /// Calls from WebAssembly that the evaluator has not counted yet.
    calls: AtomicU64,
}

/// The state of a meter, to come back to after a file that was loaded.
pub(crate) struct Saved {
    limit: u64,
    checked: u64,
    phase: u64,
}

impl TickMeter {
    /// A meter for a run that may spend `limit` ticks.
    pub(crate) fn new(limit: u64) -> Self {
        Self(Arc::new(Inner {
            limit: AtomicU64::new(limit),
            checked: AtomicU64::new(0),
            phase: AtomicU64::new(0),
            calls: AtomicU64::new(0),
        }))
    }

    /// Returns the state, to be restored when an evaluator that begins now has ended.
    pub(crate) fn save(&self) -> Saved {
        Saved {
            limit: self.0.limit.load(Ordering::Relaxed),
            checked: self.0.checked.load(Ordering::Relaxed),
            phase: self.0.phase.load(Ordering::Relaxed),
        }
    }

    /// Begins with a new evaluator, which may count up to `limit`.
    pub(crate) fn begin(&self, limit: u64) {
        self.0.limit.store(limit, Ordering::Relaxed);
        self.0.checked.store(0, Ordering::Relaxed);
        self.0.phase.store(0, Ordering::Relaxed);
    }

    /// Goes on with the evaluator before the last, which spent `ticks`.
    pub(crate) fn restore(&self, saved: &Saved, ticks: u64) {
        self.0.limit.store(saved.limit.saturating_sub(ticks), Ordering::Relaxed);
        self.0.checked.store(saved.checked, Ordering::Relaxed);
        self.0.phase.store(saved.phase, Ordering::Relaxed);
    }

    /// Returns the ticks that a file may spend which the one that runs now loads: at most a thousand too many.
    pub(crate) fn left(&self) -> u64 {
        self.0.limit.load(Ordering::Relaxed).saturating_sub(self.0.checked.load(Ordering::Relaxed))
    }

    /// Returns the evaluator's count at the last check.
    pub(crate) fn checked(&self) -> u64 {
        self.0.checked.load(Ordering::Relaxed)
    }

    /// Lowers the count that the evaluator may reach to `limit`, if it is higher. Returns what it was, for
    /// [`set_limit`](Self::set_limit).
    pub(crate) fn lower_limit(&self, limit: u64) -> u64 {
        self.0.limit.fetch_min(limit, Ordering::Relaxed)
    }

    pub(crate) fn set_limit(&self, limit: u64) {
        self.0.limit.store(limit, Ordering::Relaxed);
    }

    /// Notes that the evaluator checks its limits, and returns whether its count has certainly passed the limit. Checks
    /// come with the ticks, and once when a call from Rust ends: then [`observe`](Self::observe) must follow.
    pub(crate) fn check(&self) -> bool {
        let checked = self.0.checked.fetch_add(CHECK_PERIOD, Ordering::Relaxed);
        checked > self.0.limit.load(Ordering::Relaxed)
    }

    /// Returns whether an evaluator that counts `count` has passed its limit.
    pub(crate) fn is_passed(&self, count: u64) -> bool {
        count > self.0.limit.load(Ordering::Relaxed)
    }

    /// Notes the evaluator's count.
    pub(crate) fn observe(&self, count: u64) {
        let since = self.since_check(count);
        self.0.checked.store(count.saturating_sub(since), Ordering::Relaxed);
    }

    /// Returns how much was counted since the last check, for an evaluator that counts `count`.
    pub(crate) fn since_check(&self, count: u64) -> u64 {
        count.saturating_sub(self.0.phase.load(Ordering::Relaxed)) % CHECK_PERIOD
    }

    /// Notes that the next checks come a period after `count`, and so on.
    pub(crate) fn set_phase(&self, count: u64) {
        self.0.phase.store(count % CHECK_PERIOD, Ordering::Relaxed);
    }

    /// Counts a call from WebAssembly. Returns the calls that the evaluator, which counts `count`, must count now: many
    /// at a time, since to make it count takes longer than a call.
    #[inline]
    pub(crate) fn call(&self, count: u64) -> u64 {
        const MANY: u64 = 100;
        let calls = self.0.calls.load(Ordering::Relaxed).saturating_add(1);
        let due = calls >= MANY || count.saturating_add(calls) > self.0.limit.load(Ordering::Relaxed);
        self.0.calls.store(if due { 0 } else { calls }, Ordering::Relaxed);
        if due { calls } else { 0 }
    }

    /// Returns the calls that the evaluator has not counted.
    pub(crate) fn take_calls(&self) -> u64 {
        self.0.calls.swap(0, Ordering::Relaxed)
    }
}
