//! Interrupts, which stop a script from another thread.

use std::time::Duration;

use crate::misuse::{Status, guard, status};
use crate::objects::{self, Handle, Object};

/// Makes an interrupt that stops everything a sandbox runs, even what is running now: scripts, loads, and the calls of its
/// sessions. 0 if the object is not a sandbox. Free it.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_sandbox_interrupt(sandbox: Handle) -> Handle {
    let made = || {
        let sandbox = objects::sandbox(sandbox)?;
        let interrupt = sandbox.read().unwrap_or_else(|poisoned| poisoned.into_inner()).interrupt();
        objects::add(Object::Interrupt(interrupt))
    };
    guard(made, |_| 0)
}

/// Stops what is running, which then ends with `WASMLARK_KIND_INTERRUPTED`; what is started later also stops, as soon as it has
/// used a thousand ticks. It may be called from any thread and returns at once. For a session this lasts until it has ended one
/// call; for a sandbox, until `wasmlark_interrupt_reset`. Whether it stops a guest in a loop is set by
/// `wasmlark_sandbox_interruptible`.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_interrupt_now(interrupt: Handle) -> Status {
    status(|| {
        objects::interrupt(interrupt)?.now();
        Ok(())
    })
}

/// Stops what is still running after this many milliseconds, which then ends with `WASMLARK_KIND_DEADLINE`, and what is
/// started after that, until `wasmlark_interrupt_reset`.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_interrupt_after(interrupt: Handle, milliseconds: u64) -> Status {
    status(|| {
        objects::interrupt(interrupt)?.after(Duration::from_millis(milliseconds));
        Ok(())
    })
}

/// Undoes `wasmlark_interrupt_now` and `wasmlark_interrupt_after`.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_interrupt_reset(interrupt: Handle) -> Status {
    status(|| {
        objects::interrupt(interrupt)?.reset();
        Ok(())
    })
}
