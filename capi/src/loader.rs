//! The function that finds files which a sandbox does not have.

use std::ffi::c_void;

use wasmlark::Value;

use crate::callback::{self, Context, Drop};
use crate::misuse::{Misuse, Status, status};
use crate::objects::Handle;
use crate::sandbox::change;

/// Finds a file that the sandbox does not have: a script that `load` names, a module or other data. `name` is the requested path in
/// UTF-8, with `/`, valid only during the call. Returns a string or bytes that it made, which the library frees; 0 for a name that it
/// does not know; or an error made by `wasmlark_error`, whose message becomes that of the run, with kind `WASMLARK_KIND_LOAD`. It
/// must return: no C++ exception, no `longjmp`.
pub type Loader = Option<unsafe extern "C" fn(context: *mut c_void, name: *const u8, length: usize) -> Handle>;

struct Callback {
    loader: unsafe extern "C" fn(*mut c_void, *const u8, usize) -> Handle,
    context: Context,
}

impl Callback {
    fn call(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        // SAFETY: the duty of whoever called `wasmlark_sandbox_loader`.
        let result = unsafe { (self.loader)(self.context.pointer, name.as_ptr(), name.len()) };
        match callback::result(result).map_err(|error| error.message().to_owned())? {
            None => Ok(None),
            Some(held) => match &held.value {
                Value::Str(text) => Ok(Some(text.as_bytes().to_vec())),
                Value::Bytes(bytes) => Ok(Some(bytes.to_vec())),
                other => Err(format!("the loader returned {other}, not a string or bytes")),
            },
        }
    }
}

/// Asks `loader` for each file that a script needs and the sandbox does not have, replacing a loader set before. `context` is passed
/// to each call. `drop`, which may be null, frees it once no script can need a file any more, or if this call fails.
///
/// # Safety
///
/// `loader` may be called from other threads, several at a time, with `context`, and then `drop`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_sandbox_loader(
    sandbox: Handle,
    loader: Loader,
    context: *mut c_void,
    drop: Drop,
) -> Status {
    status(|| {
        let context = Context::new(context, drop);
        let loader = loader.ok_or_else(|| Misuse::new(Status::Null, "the loader is null"))?;
        let callback = Callback { loader, context };
        change(sandbox, |sandbox| {
            *sandbox = std::mem::take(sandbox).loader(move |name| callback.call(name));
        })
    })
}
