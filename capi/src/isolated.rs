//! Isolated sandboxes, and their sessions as bytes.

use crate::misuse::{Misuse, Status, guard, status};
use crate::objects::Handle;

/// Sets whether scripts run isolated: in an evaluator that is itself a WebAssembly module, so that no script can end or
/// overflow the process. Not if `is_isolated` is 0, which is so in a new sandbox. `WASMLARK_LIMIT_COST` then bounds all that a
/// script does, which takes fifteen to thirty times as long, except in its guests. Its sessions can be saved and forked.
/// An error of the status `WASMLARK_STATUS_ARGUMENT` in a library that was built without the feature `isolated` or without the
/// evaluator's module.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_sandbox_isolated(sandbox: Handle, is_isolated: u32) -> Status {
    status(|| build::isolate(sandbox, is_isolated != 0))
}

/// Returns a session of an isolated sandbox as a value of bytes, from which `wasmlark_sandbox_restore` goes on, here or on another
/// machine. 0 if the sandbox was not isolated, if the session has ended, or if it still uses something of an instance that could
/// not be made because its segments did not fit. Free it.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_session_save(session: Handle) -> Handle {
    guard(|| build::save(session), |_| 0)
}

/// Makes a session that goes on from what this one, of an isolated sandbox, is now: what the one does, the other does not
/// see. 0 where `wasmlark_session_save` returns 0. Free it.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_session_fork(session: Handle) -> Handle {
    guard(|| build::fork(session), |_| 0)
}

/// Goes on with a session that `wasmlark_session_save` returned. The sandbox must be isolated, and give the functions and imports
/// that the one had in which the session began. 0 if the bytes are not a saved session, were damaged, or come from another
/// version of wasmlark. Free it.
///
/// # Safety
///
/// `length` bytes can be read at `saved`, which may be null if that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_sandbox_restore(sandbox: Handle, saved: *const u8, length: usize) -> Handle {
    // SAFETY: the caller's duty, above.
    guard(|| build::restore(sandbox, unsafe { crate::misuse::bytes(saved, length, "saved session") }?), |_| 0)
}

#[cfg(feature = "isolated")]
mod build {
    use super::*;
    use crate::objects;
    use crate::sandbox::change;
    use crate::session::Session;
    use crate::stack::on_a_stack_of;
    use crate::value;

    fn refused(error: wasmlark::Error) -> Misuse {
        Misuse::new(Status::Argument, error.message())
    }

    pub(super) fn isolate(sandbox: Handle, is_isolated: bool) -> Result<(), Misuse> {
        if is_isolated && !wasmlark::has_core() {
            return Err(Misuse::new(Status::Argument, "this library was built without the evaluator's module"));
        }
        change(sandbox, |sandbox| {
            *sandbox = std::mem::take(sandbox).isolated(is_isolated);
        })
    }

    pub(super) fn save(session: Handle) -> Result<Handle, Misuse> {
        let bytes = objects::session(session)?.with(session, |inner| inner.save())?;
        value::add(bytes.map_err(refused)?.into())
    }

    pub(super) fn fork(session: Handle) -> Result<Handle, Misuse> {
        let held = objects::session(session)?;
        let forked = held.with(session, |inner| inner.fork())?;
        Session::add(forked.map_err(refused)?, held.stack())
    }

    pub(super) fn restore(sandbox: Handle, saved: &[u8]) -> Result<Handle, Misuse> {
        let sandbox = objects::sandbox(sandbox)?;
        let sandbox = sandbox.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let stack = sandbox.limits_ref().native_stack();
        let restored = on_a_stack_of(stack, || sandbox.restore(saved))?;
        Session::add(restored.map_err(refused)?, stack)
    }
}

#[cfg(not(feature = "isolated"))]
mod build {
    use super::*;

    fn missing<T>() -> Result<T, Misuse> {
        Err(Misuse::new(Status::Argument, "this library was built without the feature `isolated`"))
    }

    pub(super) fn isolate(_sandbox: Handle, is_isolated: bool) -> Result<(), Misuse> {
        if is_isolated { missing() } else { Ok(()) }
    }

    pub(super) fn save(_session: Handle) -> Result<Handle, Misuse> {
        missing()
    }

    pub(super) fn fork(_session: Handle) -> Result<Handle, Misuse> {
        missing()
    }

    pub(super) fn restore(_sandbox: Handle, _saved: &[u8]) -> Result<Handle, Misuse> {
        missing()
    }
}
