//! Interrupts: what ends a script from another thread.

use std::time::Duration;

use crate::misuse::{Status, guard, status};
use crate::objects::{self, Handle, Object};

/// Makes an interrupt that ends all that a sandbox runs: scripts, loads, and the calls of its sessions; also while they run.
/// 0 if it is no sandbox. Free it.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_sandbox_interrupt(sandbox: Handle) -> Handle {
    let made = || {
        let sandbox = objects::sandbox(sandbox)?;
        let interrupt = sandbox.read().unwrap_or_else(|poisoned| poisoned.into_inner()).interrupt();
        objects::add(Object::Interrupt(interrupt))
    };
    guard(made, |_| 0)
}

/// Ends what runs now, which is then `WASMLARK_KIND_INTERRUPTED`, and what is started later, as soon as that spends a thousand
/// ticks. It returns at once, from any thread, and waits for nothing. For a session this lasts until one call has ended because of
/// it; for a sandbox, until `wasmlark_interrupt_reset`. It reaches a guest in a loop only as
/// `wasmlark_sandbox_interruptible` says.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_interrupt_now(interrupt: Handle) -> Status {
    status(|| {
        objects::interrupt(interrupt)?.now();
        Ok(())
    })
}

/// Ends what still runs so many milliseconds from now, which is then `WASMLARK_KIND_DEADLINE`, and what is started after that,
/// until `wasmlark_interrupt_reset`.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_interrupt_after(interrupt: Handle, milliseconds: u64) -> Status {
    status(|| {
        objects::interrupt(interrupt)?.after(Duration::from_millis(milliseconds));
        Ok(())
    })
}

/// Takes `wasmlark_interrupt_now` and `wasmlark_interrupt_after` back.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_interrupt_reset(interrupt: Handle) -> Status {
    status(|| {
        objects::interrupt(interrupt)?.reset();
        Ok(())
    })
}
