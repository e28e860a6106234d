//! Sandboxes: limits, arguments, files, and running scripts.

use std::ffi::c_void;
use std::sync::{Arc, RwLock, RwLockWriteGuard, TryLockError};

use wasmlark::{Limit, Sandbox};

use crate::misuse::{Misuse, Status, bytes, guard, status, text};
use crate::objects::{self, Handle, Object};
use crate::stack::on_a_stack_of;

/// Receives what a script prints, one line at a time with its line feed, on the thread that runs the script.
pub type Print = Option<unsafe extern "C" fn(context: *mut c_void, text: *const u8, length: usize)>;

/// Makes a sandbox with default limits and no files; 0 if no object number is left. Free it with
/// `wasmlark_free`.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_sandbox_new() -> Handle {
    guard(|| objects::add(Object::Sandbox(Arc::new(RwLock::new(Sandbox::new())))), |_| 0)
}

/// Sets one of the limits, a `wasmlark_limit`. A value below the limit's minimum is raised to it. `UINT64_MAX`
/// turns off a limit that can be turned off.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_sandbox_limit(sandbox: Handle, limit: u32, value: u64) -> Status {
    status(|| {
        let known = Limit::ALL.iter().copied().find(|known| *known as u32 == limit);
        let limit = known.ok_or_else(|| Misuse::unknown("limit", limit))?;
        let value = if limit.is_optional() && value == u64::MAX { None } else { Some(value) };
        change(sandbox, |sandbox| sandbox.limits_mut().put(limit, value))?
            .map_err(|error| Misuse::new(Status::Argument, error.message()))
    })
}

/// Adds a file, a script or a module, under the name by which `load` and `wasm.Module` find it: a
/// path with `/`, in UTF-8. A file of the same name is replaced.
///
/// # Safety
///
/// `name_length` bytes can be read at `name`, and `content_length` at `content`; either may be null if
/// its length is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_sandbox_file(
    sandbox: Handle,
    name: *const u8,
    name_length: usize,
    content: *const u8,
    content_length: usize,
) -> Status {
    status(|| {
        // SAFETY: the caller's duty, above.
        let (name, content) = unsafe { (text(name, name_length, "name")?, bytes(content, content_length, "content")?) };
        change(sandbox, |sandbox| {
            sandbox.file(name, content);
        })
    })
}

/// Appends an element, in UTF-8, to the `argv` of scripts.
///
/// # Safety
///
/// `length` bytes can be read at `argument`, which may be null if that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_sandbox_argument(sandbox: Handle, argument: *const u8, length: usize) -> Status {
    status(|| {
        // SAFETY: the caller's duty, above.
        let argument = unsafe { text(argument, length, "argument") }?;
        change(sandbox, |sandbox| {
            sandbox.arg(argument);
        })
    })
}

/// Sets the standard input of scripts, which each run reads from its beginning. Without it, a script that asks for standard input
/// fails.
///
/// # Safety
///
/// `length` bytes can be read at `content`, which may be null if that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_sandbox_stdin(sandbox: Handle, content: *const u8, length: usize) -> Status {
    status(|| {
        // SAFETY: the caller's duty, above.
        let content = unsafe { bytes(content, length, "standard input") }?;
        change(sandbox, |sandbox| {
            *sandbox = std::mem::take(sandbox).stdin(content);
        })
    })
}

/// Sets whether scripts may write files, which `wasmlark_run_files` returns: not if `is_writable` is 0, which is so in a new
/// sandbox. `WASMLARK_LIMIT_FILES` bounds their bytes.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_sandbox_writable(sandbox: Handle, is_writable: u32) -> Status {
    status(|| {
        change(sandbox, |sandbox| {
            *sandbox = std::mem::take(sandbox).writable(is_writable != 0);
        })
    })
}

/// Passes each line that a script prints to `print` at once, instead of keeping it. `context` is passed
/// to each call. The text is valid only during the call. The function must return: no C++ exception, no
/// `longjmp`.
///
/// # Safety
///
/// `print` may be called from other threads, with `context`, until the sandbox is freed and its scripts
/// have ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_sandbox_on_print(sandbox: Handle, print: Print, context: *mut c_void) -> Status {
    struct Sink(unsafe extern "C" fn(*mut c_void, *const u8, usize), *mut c_void);
    // SAFETY: it may be called from other threads: the caller's duty, above.
    unsafe impl Send for Sink {}
    // SAFETY: as above.
    unsafe impl Sync for Sink {}
    impl Sink {
        fn call(&self, text: &str) {
            // SAFETY: the caller's duty, above.
            unsafe { (self.0)(self.1, text.as_ptr(), text.len()) }
        }
    }
    status(|| {
        let sink = Sink(print.ok_or_else(|| Misuse::new(Status::Null, "the print function is null"))?, context);
        change(sandbox, |sandbox| {
            *sandbox = std::mem::take(sandbox).on_print(move |text| sink.call(text));
        })
    })
}

/// Sets whether interrupts and deadlines stop a guest that runs for long without calling the script. Off in a new sandbox,
/// and if `is_interruptible` is 0, since such guests run faster. The script itself can always be stopped, and so can the guests of an
/// isolated sandbox.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_sandbox_interruptible(sandbox: Handle, is_interruptible: u32) -> Status {
    status(|| {
        change(sandbox, |sandbox| {
            *sandbox = std::mem::take(sandbox).interruptible(is_interruptible != 0);
        })
    })
}

/// Sets whether guests keep frames, so that the report of a trap names the functions that were running: not if `has_backtrace`
/// is 0, which is so in a new sandbox. Guests that do spend about a third more fuel, and take up to twice the time.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_sandbox_backtrace(sandbox: Handle, has_backtrace: u32) -> Status {
    status(|| {
        change(sandbox, |sandbox| {
            *sandbox = std::mem::take(sandbox).backtrace(has_backtrace != 0);
        })
    })
}

/// Sets whether runs have `WASMLARK_TEXT_PROFILE`, the fuel by functions of both languages: not if `has_profile` is 0, which is so
/// in a new sandbox. Guests then keep no frames. They spend the same fuel, and each of their calls takes longer.
///
/// Each line of the text has the functions that called each other, outermost first, with semicolons between them, then a space
/// and the fuel that the last one spent itself. Tools for flame graphs read it.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_sandbox_profile(sandbox: Handle, has_profile: u32) -> Status {
    status(|| {
        change(sandbox, |sandbox| {
            *sandbox = std::mem::take(sandbox).profile(has_profile != 0);
        })
    })
}

/// Sets how many bytes of compiled code a sandbox keeps for its next run; 256 MiB in a new sandbox. Compiled code takes about eight
/// times the size of its modules. A run that finds more than this kept starts with none. Code that running scripts and sessions use
/// is not dropped: 0 keeps only that.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_sandbox_keep_code(sandbox: Handle, bytes: u64) -> Status {
    status(|| {
        change(sandbox, |sandbox| {
            *sandbox = std::mem::take(sandbox).max_kept_code(bytes);
        })
    })
}

/// Runs a script to its end. `name`, in UTF-8, appears in messages, and names in the script that begin
/// with `./` are relative to it. Returns a run, even if the script failed: `wasmlark_run_kind` tells. 0
/// if it could not be started. Free it with `wasmlark_free`.
///
/// # Safety
///
/// `name_length` bytes can be read at `name`, and `script_length` at `script`; either may be null if its
/// length is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_sandbox_run(
    sandbox: Handle,
    name: *const u8,
    name_length: usize,
    script: *const u8,
    script_length: usize,
) -> Handle {
    guard(
        || {
            // SAFETY: the caller's duty, above.
            let (name, script) = unsafe { (text(name, name_length, "name")?, text(script, script_length, "script")?) };
            let sandbox = objects::sandbox(sandbox)?;
            let sandbox = sandbox.read().unwrap_or_else(|poisoned| poisoned.into_inner());
            let report = on_a_stack_of(sandbox.limits_ref().native_stack(), || sandbox.report(name, script))?;
            objects::add(Object::Run(Arc::new(report.into())))
        },
        |_| 0,
    )
}

/// Changes a sandbox, unless a script runs in it: a script waiting for its own end would wait forever.
pub(crate) fn change<R>(sandbox: Handle, f: impl FnOnce(&mut Sandbox) -> R) -> Result<R, Misuse> {
    let found = objects::sandbox(sandbox)?;
    let mut found: RwLockWriteGuard<'_, Sandbox> = match found.try_write() {
        Ok(found) => found,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => {
            let message = format!("sandbox {sandbox} is in use by another call and cannot be changed now");
            return Err(Misuse::new(Status::Busy, message));
        }
    };
    Ok(f(&mut found))
}
