//! Functions and values that an application gives to scripts.

use std::ffi::c_void;

use wasmlark::{Error, Rest, Value};

use crate::callback::{self, Context, Drop, failed};
use crate::misuse::{Misuse, Status, status, text};
use crate::objects::{self, Handle, Object};
use crate::sandbox::change;
use crate::value;

/// A function of the application. Its arguments are values, which the library frees after it has returned. It returns a value that
/// it made, or an error made by `wasmlark_error`, which the library frees; 0 is an error too. It must return: no C++ exception, no
/// `longjmp`.
pub type Function =
    Option<unsafe extern "C" fn(context: *mut c_void, arguments: *const Handle, count: usize) -> Handle>;

/// A function and its context.
struct Callback {
    function: unsafe extern "C" fn(*mut c_void, *const Handle, usize) -> Handle,
    context: Context,
}

/// Objects that are freed at the end of a call.
struct Arguments(Vec<Handle>);

impl std::ops::Drop for Arguments {
    fn drop(&mut self) {
        self.0.drain(..).for_each(objects::forget);
    }
}

impl Callback {
    fn call(&self, args: Vec<Value>) -> Result<Value, Error> {
        let mut handles = Arguments(Vec::new());
        for arg in args {
            handles.0.push(value::add(arg).map_err(failed)?);
        }
        // SAFETY: the duty of whoever called `wasmlark_sandbox_function`.
        let result = unsafe { (self.function)(self.context.pointer, handles.0.as_ptr(), handles.0.len()) };
        let held = callback::result(result)?.ok_or_else(|| Error::host("the function returned no value"))?;
        Ok(held.value.clone())
    }
}

/// Makes an error for a function to return. The run then ends with its message and the kind
/// `WASMLARK_KIND_HOST`.
///
/// # Safety
///
/// `length` bytes can be read at `message`, which may be null if that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_error(message: *const u8, length: usize) -> Handle {
    crate::misuse::guard(
        || {
            // SAFETY: the caller's duty, above.
            let message = unsafe { text(message, length, "message") }?;
            objects::add(Object::Error(message.into()))
        },
        |_| 0,
    )
}

/// Gives scripts a function with positional arguments, under a name that no builtin has. `context` is passed to each call. `drop`, which
/// may be null, frees it once no script can call the function any more, or if this call fails.
///
/// # Safety
///
/// `name_length` bytes can be read at `name`, which may be null if that is 0. `function` may be called from other threads, several
/// at a time, with `context`, and then `drop`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_sandbox_function(
    sandbox: Handle,
    name: *const u8,
    name_length: usize,
    function: Function,
    context: *mut c_void,
    drop: Drop,
) -> Status {
    status(|| {
        let context = Context::new(context, drop);
        let function = function.ok_or_else(|| Misuse::new(Status::Null, "the function is null"))?;
        let callback = Callback { function, context };
        // SAFETY: the caller's duty, above.
        let name = unsafe { text(name, name_length, "name") }?;
        change(sandbox, |sandbox| {
            sandbox.function(name, move |Rest(args): Rest<Value>| callback.call(args));
        })
    })
}

/// Gives scripts a value, copied and frozen, under a name that no builtin has.
///
/// # Safety
///
/// `name_length` bytes can be read at `name`, which may be null if that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_sandbox_value(
    sandbox: Handle,
    name: *const u8,
    name_length: usize,
    value: Handle,
) -> Status {
    status(|| {
        // SAFETY: the caller's duty, above.
        let name = unsafe { text(name, name_length, "name") }?;
        let value = objects::value(value)?;
        change(sandbox, |sandbox| sandbox.set_value(name, value.value.clone()).map(|_| ()))?
            .map_err(|error| Misuse::new(Status::Argument, error.message()))
    })
}
