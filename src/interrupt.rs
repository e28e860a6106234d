//! Stops what is running: from another thread, or at a given time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Stops what is running: the calls of one session ([`Session::interrupt`](crate::Session::interrupt)), everything that a
/// sandbox runs ([`Sandbox::interrupt`](crate::Sandbox::interrupt)), or a command
/// ([`WasiCommand::interrupt`](crate::WasiCommand::interrupt)). A clone stops the same things.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    is_requested: AtomicBool,
    /// Whether there is a deadline: the lock is taken only then.
    has_deadline: AtomicBool,
    deadline: Mutex<Option<Deadline>>,
    /// Whether a guest has ended because of this.
    is_told: AtomicBool,
    /// An interrupt that stops more, including what this one stops.
    outer: Option<Interrupt>,
}

#[derive(Debug, Clone, Copy)]
struct Deadline {
    /// `None` on a target without a clock.
    start: Option<Instant>,
    after: Duration,
}

/// Why something must stop.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stop {
    Requested,
    /// This much time has passed.
    Deadline(Duration),
    /// Nobody can tell how much time has passed.
    NoClock,
}

impl Interrupt {
    /// Ends what is running, or is started later, with an error of the kind [`Interrupted`](crate::ErrorKind::Interrupted),
    /// as soon as it has spent a thousand more ticks or a hundred thousand more units of a guest's fuel.
    ///
    /// For a session, this lasts until one call has ended because of it. For a sandbox or a command, it lasts until
    /// [`reset`](Self::reset).
    pub fn now(&self) {
        self.0.is_requested.store(true, Ordering::Relaxed);
    }

    /// Ends what is running at this time from now, or is started later, with an error of the kind
    /// [`Deadline`](crate::ErrorKind::Deadline). This lasts until [`reset`](Self::reset). How far a script gets in this time
    /// differs from run to run. On a target without a clock (`wasm32-unknown-unknown`), the time passes at once.
    ///
    /// ```
    /// use std::time::Duration;
    /// use wasmlark::{ErrorKind, Sandbox};
    ///
    /// let sandbox = Sandbox::new();
    /// sandbox.interrupt().after(Duration::from_millis(20));
    /// let error = sandbox.run("main.star", "def f():\n    for _ in range(1000000000): pass\nf()").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Deadline);
    /// assert_eq!(
    ///     error.message(),
    ///     "the deadline of 20ms has passed; how far a script gets until then depends on the clock, so this is not repeatable"
    /// );
    /// assert_eq!(error.location().map(|place| place.line), Some(2));
    /// ```
    pub fn after(&self, time: Duration) {
        self.set_deadline(Some(time));
    }

    /// Undoes [`now`](Self::now) and [`after`](Self::after).
    pub fn reset(&self) {
        self.0.is_requested.store(false, Ordering::Relaxed);
        self.set_deadline(None);
    }

    /// Returns where a 1 is what [`now`](Self::now) does.
    #[cfg(feature = "core")]
    pub(crate) fn flag(&self) -> *const bool {
        self.0.is_requested.as_ptr()
    }

    /// Returns where a 1 says that a guest was told to stop.
    #[cfg(feature = "core")]
    pub(crate) fn told_flag(&self) -> *const bool {
        self.0.is_told.as_ptr()
    }

    /// Makes a new interrupt, which stops when `self` does.
    pub(crate) fn inner(&self) -> Self {
        Self(Arc::new(Inner { outer: Some(self.clone()), ..Inner::default() }))
    }

    /// Returns what stops more than `self` does.
    #[cfg(feature = "isolated")]
    pub(crate) fn outer(&self) -> Self {
        self.0.outer.clone().unwrap_or_default()
    }

    pub(crate) fn set_deadline(&self, after: Option<Duration>) {
        let has_clock = cfg!(not(all(target_arch = "wasm32", target_os = "unknown")));
        let deadline = after.map(|after| Deadline { start: has_clock.then(Instant::now), after });
        *self.0.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
        self.0.has_deadline.store(deadline.is_some(), Ordering::Relaxed);
    }

    /// Returns the reason to stop, if there is one.
    pub(crate) fn stop(&self) -> Option<Stop> {
        let mut next = Some(self);
        while let Some(Self(inner)) = next {
            if inner.is_requested.load(Ordering::Relaxed) {
                return Some(Stop::Requested);
            }
            if inner.has_deadline.load(Ordering::Relaxed)
                && let Some(Deadline { start, after }) = *inner.deadline.lock().unwrap_or_else(PoisonError::into_inner)
            {
                match start {
                    None => return Some(Stop::NoClock),
                    Some(start) if start.elapsed() >= after => return Some(Stop::Deadline(after)),
                    Some(_) => {}
                }
            }
            next = inner.outer.as_ref();
        }
        None
    }

    /// Returns the reason for a guest to stop, if there is one, and notes that the guest was told.
    #[cfg_attr(feature = "core", allow(dead_code))] // The host tells guests.
    pub(crate) fn tell(&self) -> Option<Stop> {
        let stop = self.stop();
        if stop.is_some() {
            self.0.is_told.store(true, Ordering::Relaxed);
        }
        stop
    }

    /// Returns whether a guest was told to stop, and forgets it.
    pub(crate) fn take_told(&self) -> bool {
        let was_told = self.0.is_told.load(Ordering::Relaxed) && self.0.is_told.swap(false, Ordering::Relaxed);
        // The host of a core tells the outermost one.
        let was_outer_told = cfg!(feature = "core") && self.0.outer.as_ref().is_some_and(Self::take_told);
        was_told || was_outer_told
    }

    /// Forgets that someone asked to stop.
    pub(crate) fn clear(&self) {
        self.0.is_requested.store(false, Ordering::Relaxed);
    }
}
