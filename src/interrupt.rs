//! The means to stop what runs from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stops what a [`Session`](crate::Session) runs. [`Session::interrupt`](crate::Session::interrupt) returns it; clones
/// stop the same session.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Ends the call that the session runs now with an error of the kind
    /// [`Interrupted`](crate::ErrorKind::Interrupted); if it runs none, or one that is about to return, the next call
    /// that takes long enough. A call takes long enough if it spends a hundred ticks, or a slice of fuel of a guest.
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether someone asked to stop, and no call has ended for that yet.
    pub(crate) fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
