//! Sessions: scripts that have run, whose functions can be called.

use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

use wasmlark::{CallLimits, Interrupt, Value};

use crate::misuse::{Misuse, Status, guard, status, text};
use crate::objects::{self, Handle, Object};
use crate::run::Run;
use crate::stack::on_a_stack_of;
use crate::value;

/// A script that has run, for one call at a time.
pub(crate) struct Session {
    /// `None` once dropped.
    inner: Mutex<Option<wasmlark::Session>>,
    /// The interrupt of `inner`, available while a call holds `inner`.
    interrupt: Interrupt,
    /// The stack in bytes that a call, or dropping the session, may need.
    stack: usize,
}

impl Session {
    /// Keeps a session whose calls may need so much stack, in bytes.
    pub(crate) fn add(inner: wasmlark::Session, stack: usize) -> Result<Handle, Misuse> {
        let interrupt = inner.interrupt();
        objects::add(Object::Session(Arc::new(Self { inner: Mutex::new(Some(inner)), interrupt, stack })))
    }

    /// The stack in bytes that a call may need.
    #[cfg(feature = "isolated")]
    pub(crate) fn stack(&self) -> usize {
        self.stack
    }

    /// Runs `work` with the session, on a stack of its own. It does not wait for its turn: a function of the application that called
    /// the session from within one of that session's calls would wait forever.
    pub(crate) fn with<R: Send>(
        &self,
        handle: Handle,
        work: impl FnOnce(&mut wasmlark::Session) -> R + Send,
    ) -> Result<R, Misuse> {
        let mut inner = match self.inner.try_lock() {
            Ok(inner) => inner,
            // If it has ended, the session itself reports that.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let message = format!("session {handle} is in a call, and can have only one at a time");
                return Err(Misuse::new(Status::Busy, message));
            }
        };
        match inner.as_mut() {
            Some(inner) => on_a_stack_of(self.stack, || work(inner)),
            None => Err(Misuse::new(Status::Handle, format!("session {handle} was freed"))),
        }
    }
}

/// Dropping code that is nested as deep as the limit `nesting` allows recurses once per level.
impl Drop for Session {
    fn drop(&mut self) {
        let mut inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if on_a_stack_of(self.stack, || drop(inner.take())).is_err() {
            // If no thread can be started, memory leaks, but the application survives.
            std::mem::forget(inner);
        }
    }
}

/// Runs a script and keeps it with its state, so that its functions can be called. Returns a run, even if the script failed.
/// `session` is set to the session, or to 0 if there is none. Returns 0 if the script could not be started. Free both with
/// `wasmlark_free`, in any order; the sandbox may be freed before them.
///
/// A session keeps the files, functions and limits that the sandbox has at this time. The limits apply to all its calls
/// together, until `wasmlark_session_refill`. Any thread may use it, one call at a time: another call meanwhile returns
/// `WASMLARK_STATUS_BUSY`. Sessions of one sandbox share compiled modules and run in parallel.
///
/// # Safety
///
/// `name_length` bytes can be read at `name`, and `script_length` at `script`; either may be null if its
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
            let (run, inner) = on_a_stack_of(stack, || {
                let (mut inner, result) = sandbox.open(name, script);
                let is_loaded = result.is_ok();
                (Run::take(&mut inner, result.map(|_| Value::None)), is_loaded.then_some(inner))
            })?;
            let run = add(run)?;
            let Some(inner) = inner else { return Ok(run) };
            let made = Session::add(inner, stack).inspect_err(|_| objects::forget(run))?;
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

/// Calls the function of this name in a session's script, with copies of `count` values as positional arguments. Returns a
/// run, even if the call failed: `wasmlark_run_kind` tells, `wasmlark_run_value` returns the value, and `WASMLARK_TEXT_OUTPUT`
/// is what the call printed. 0 if it could not be started. Free it with `wasmlark_free`, and the arguments too.
///
/// After a failed call, even one ended by a trap or an interrupt, the session can be called again; changes that the
/// call made remain.
///
/// # Safety
///
/// `name_length` bytes can be read at `name`, and `count` objects at `arguments`; either may be null if its length is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_session_call(
    session: Handle,
    name: *const u8,
    name_length: usize,
    arguments: *const Handle,
    count: usize,
) -> Handle {
    // SAFETY: the caller's duty, above.
    unsafe { call(session, (name, name_length), (arguments, count), 0, CallLimits::new()) }
}

/// Calls a function like `wasmlark_session_call`, also with named arguments, and with limits for this call.
///
/// `named` is a dict whose keys are the names, as strings; 0 for no named arguments.
///
/// The limits apply within what is left of the session's: units of WebAssembly fuel, Starlark ticks, and milliseconds.
/// `UINT64_MAX` means no limit. Reaching one of the first two is `WASMLARK_KIND_LIMIT`, at the same point on every machine.
/// Reaching the last is `WASMLARK_KIND_DEADLINE`, which depends on the machine and its load. Whether it stops a guest in a loop
/// is set by `wasmlark_sandbox_interruptible`.
///
/// # Safety
///
/// As `wasmlark_session_call`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_session_call_with(
    session: Handle,
    name: *const u8,
    name_length: usize,
    arguments: *const Handle,
    count: usize,
    named: Handle,
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
    unsafe { call(session, (name, name_length), (arguments, count), named, limits) }
}

/// # Safety
///
/// As [`wasmlark_session_call`].
unsafe fn call(
    session: Handle,
    (name, name_length): (*const u8, usize),
    (arguments, count): (*const Handle, usize),
    named: Handle,
    limits: CallLimits,
) -> Handle {
    guard(
        || {
            // SAFETY: the caller's duty, above.
            let (name, args) = unsafe { (text(name, name_length, "name")?, value::copies(arguments, count)?) };
            let held = (named != 0).then(|| objects::value(named)).transpose()?;
            let named = held.as_ref().map(|held| named_arguments(&held.value)).transpose()?.unwrap_or_default();
            let run = objects::session(session)?.with(session, |inner| {
                let result = inner.call_values_with(name, &args, &named, limits);
                Run::take(inner, result)
            })?;
            add(run)
        },
        |_| 0,
    )
}

/// Returns the entries of a dict as named arguments.
fn named_arguments(dict: &Value) -> Result<Vec<(&str, Value)>, Misuse> {
    let Value::Dict(entries) = dict else {
        let message = format!("the named arguments must be a dict, not {}", dict.type_name());
        return Err(Misuse::new(Status::Argument, message));
    };
    let mut named = Vec::new();
    for (name, value) in entries {
        let name = name.as_str().ok_or_else(|| {
            Misuse::new(Status::Argument, format!("a named argument has the name {name}, which is not a string"))
        })?;
        named.push((name, value.clone()));
    }
    Ok(named)
}

/// Returns a copy of a global variable of a session's script. 0 if there is none of this name, or its value is too deep or
/// too large to leave the script. Free it.
///
/// # Safety
///
/// `name_length` bytes can be read at `name`, which may be null if that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_session_get(session: Handle, name: *const u8, name_length: usize) -> Handle {
    guard(
        || {
            // SAFETY: the caller's duty, above.
            let name = unsafe { text(name, name_length, "name") }?;
            let value = objects::session(session)?.with(session, |inner| inner.get(name))?;
            match value.map_err(|error| Misuse::new(Status::Argument, error.message()))? {
                Some(value) => value::add(value),
                None => Err(Misuse::new(Status::Absent, format!("the script has no global variable `{name}`"))),
            }
        },
        |_| 0,
    )
}

/// Restores what a session may use of the sandbox's limits: fuel, ticks and printed bytes. What is
/// in use, such as memory, still counts.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_session_refill(session: Handle) -> Status {
    status(|| {
        let refilled = objects::session(session)?.with(session, wasmlark::Session::refill)?;
        refilled.map_err(|error| Misuse::new(Status::Argument, error.message()))
    })
}

/// Makes an interrupt that stops a session's calls, even one that is running. 0 if the object is not a
/// session. Free it.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_session_interrupt(session: Handle) -> Handle {
    guard(|| objects::add(Object::Interrupt(objects::session(session)?.interrupt.clone())), |_| 0)
}
