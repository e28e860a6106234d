//! Sessions: scripts that were run, and whose functions are called.

use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

use wasmlark::{CallLimits, Interrupt, Value};

use crate::misuse::{Misuse, Status, guard, status, text};
use crate::objects::{self, Handle, Object};
use crate::run::Run;
use crate::stack::on_a_stack_of;
use crate::value;

/// A script that was run, for one call at a time.
pub(crate) struct Session {
    /// `None` once it is dropped.
    inner: Mutex<Option<wasmlark::Session>>,
    /// That of `inner`, to be had while a call holds it.
    interrupt: Interrupt,
    /// Bytes that a call may need, and the end.
    stack: usize,
}

impl Session {
    /// Works with the session, on its stack. It does not wait for its turn: a function of the application that called the session
    /// that called it would wait for ever.
    fn with<R: Send>(
        &self,
        handle: Handle,
        work: impl FnOnce(&mut wasmlark::Session) -> R + Send,
    ) -> Result<R, Misuse> {
        let mut inner = match self.inner.try_lock() {
            Ok(inner) => inner,
            // The session itself tells that it ended.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let message = format!("session {handle} is in a call: it can have one at a time");
                return Err(Misuse::new(Status::Busy, message));
            }
        };
        match inner.as_mut() {
            Some(inner) => on_a_stack_of(self.stack, || work(inner)),
            None => Err(Misuse::new(Status::Handle, format!("session {handle} was freed"))),
        }
    }
}

/// Code as deep as the limit `nesting` allows is dropped level by level.
impl Drop for Session {
    fn drop(&mut self) {
        let mut inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if on_a_stack_of(self.stack, || drop(inner.take())).is_err() {
            // Without a thread for it, memory is lost, and the application lives.
            std::mem::forget(inner);
        }
    }
}

/// Runs a script and keeps it, with all that it made: its functions can be called. The result is a run, also where the script
/// failed; `session` gets the session, or 0 where there is none. 0 if it could not be started. Free both with
/// `wasmlark_free`, in any order; the sandbox may be freed before.
///
/// A session keeps the files, functions and limits that the sandbox has now. All its calls together have those limits, until
/// `wasmlark_session_refill`. It may be used from any thread, one call at a time: another one meanwhile is
/// `WASMLARK_STATUS_BUSY`. Sessions of one sandbox share what was compiled, and run side by side.
///
/// # Safety
///
/// `name_length` bytes can be read at `name`, and `script_length` at `script`; either may be null where its
/// length is 0. `session` is null, which is an error, or a `wasmlark_object` can be written there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_session_load(
    sandbox: Handle,
    name: *const u8,
    name_length: usize,
    script: *const u8,
    script_length: usize,
    session: *mut Handle,
) -> Handle {
    guard(
        || {
            if session.is_null() {
                return Err(Misuse::new(Status::Null, "the place for the session is null"));
            }
            // SAFETY: not null; the rest is the caller's duty, above.
            unsafe { session.write(0) };
            // SAFETY: the caller's duty, above.
            let (name, script) = unsafe { (text(name, name_length, "name")?, text(script, script_length, "script")?) };
            let sandbox = objects::sandbox(sandbox)?;
            let sandbox = sandbox.read().unwrap_or_else(|poisoned| poisoned.into_inner());
            let stack = sandbox.limits_ref().native_stack();
            let mut inner = match on_a_stack_of(stack, || sandbox.load(name, script))? {
                Ok(inner) => inner,
                Err(error) => return add(Run::new(String::new(), Err(error), None)),
            };
            let run = add(Run::new(inner.take_output(), Ok(Value::None), Some(inner.stats())))?;
            let interrupt = inner.interrupt();
            let made = Session { inner: Mutex::new(Some(inner)), interrupt, stack };
            let made = objects::add(Object::Session(Arc::new(made))).inspect_err(|_| objects::forget(run))?;
            // SAFETY: as above.
            unsafe { session.write(made) };
            Ok(run)
        },
        |_| 0,
    )
}

fn add(run: Run) -> Result<Handle, Misuse> {
    objects::add(Object::Run(Arc::new(run)))
}

/// Calls the function that a session's script has under this name, with copies of `count` values, by position. The result is a
/// run, also where the call failed: `wasmlark_run_kind` tells, `wasmlark_run_value` has the value, `WASMLARK_TEXT_OUTPUT` what
/// the call printed. 0 if it could not be started. Free it with `wasmlark_free`, and the values as before.
///
/// After a call that failed, a trap or an interrupt among the reasons, the session can be called again; what the call
/// changed stays changed.
///
/// # Safety
///
/// `name_length` bytes can be read at `name`, and `count` objects at `arguments`; either may be null where its length is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_session_call(
    session: Handle,
    name: *const u8,
    name_length: usize,
    arguments: *const Handle,
    count: usize,
) -> Handle {
    // SAFETY: the caller's duty, above.
    unsafe { call(session, (name, name_length), (arguments, count), CallLimits::new()) }
}

/// Does what `wasmlark_session_call` does, with limits for this call, within what the session has left: units of WebAssembly
/// fuel, Starlark ticks, and milliseconds. `UINT64_MAX` is none. What the first two end is `WASMLARK_KIND_LIMIT`, and the same
/// everywhere; what the last one ends is `WASMLARK_KIND_DEADLINE`, and depends on the machine and its load. It reaches a guest
/// in a loop only as `wasmlark_sandbox_interruptible` says.
///
/// # Safety
///
/// As `wasmlark_session_call`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_session_call_within(
    session: Handle,
    name: *const u8,
    name_length: usize,
    arguments: *const Handle,
    count: usize,
    fuel: u64,
    ticks: u64,
    milliseconds: u64,
) -> Handle {
    let mut limits = CallLimits::new();
    if fuel != u64::MAX {
        limits = limits.fuel(fuel);
    }
    if ticks != u64::MAX {
        limits = limits.ticks(ticks);
    }
    if milliseconds != u64::MAX {
        limits = limits.deadline(Duration::from_millis(milliseconds));
    }
    // SAFETY: the caller's duty, above.
    unsafe { call(session, (name, name_length), (arguments, count), limits) }
}

/// # Safety
///
/// As [`wasmlark_session_call`].
unsafe fn call(
    session: Handle,
    (name, name_length): (*const u8, usize),
    (arguments, count): (*const Handle, usize),
    limits: CallLimits,
) -> Handle {
    guard(
        || {
            // SAFETY: the caller's duty, above.
            let (name, args) = unsafe { (text(name, name_length, "name")?, value::copies(arguments, count)?) };
            let run = objects::session(session)?.with(session, |inner| {
                let result = inner.call_values_with(name, &args, &[], limits);
                Run::new(inner.take_output(), result, Some(inner.stats()))
            })?;
            add(run)
        },
        |_| 0,
    )
}

/// A copy of the value of a global variable of a session's script. 0 if it has none of this name, or its value is too deep or
/// too large to leave the script. Free it.
///
/// # Safety
///
/// `name_length` bytes can be read at `name`, which may be null where that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_session_get(session: Handle, name: *const u8, name_length: usize) -> Handle {
    guard(
        || {
            // SAFETY: the caller's duty, above.
            let name = unsafe { text(name, name_length, "name") }?;
            let value = objects::session(session)?.with(session, |inner| inner.get(name))?;
            match value.map_err(|error| Misuse::new(Status::Argument, error.message()))? {
                Some(value) => value::add(value),
                None => Err(Misuse::new(Status::Absent, format!("the script has no global `{name}`"))),
            }
        },
        |_| 0,
    )
}

/// Gives a session once more what the sandbox's limits allow to be spent: fuel, ticks and printed bytes. What is in use counts
/// as before.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_session_refill(session: Handle) -> Status {
    status(|| {
        let refilled = objects::session(session)?.with(session, wasmlark::Session::refill)?;
        refilled.map_err(|error| Misuse::new(Status::Argument, error.message()))
    })
}

/// Makes an interrupt that ends a session's calls: also while one runs. 0 if it is no session. Free it.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_session_interrupt(session: Handle) -> Handle {
    guard(|| objects::add(Object::Interrupt(objects::session(session)?.interrupt.clone())), |_| 0)
}
