//! The functions that find and list files which a sandbox does not have.

use std::ffi::c_void;
use std::sync::Arc;

use wasmlark::Value;

use crate::callback::{self, Context, Drop};
use crate::misuse::{Misuse, Status, status};
use crate::objects::Handle;
use crate::sandbox::change;
use crate::value::Held;

/// Finds a file that the sandbox does not have: a script that `load` names, a module or other data. `name` is the requested path in
/// UTF-8, with `/`, valid only during the call. Returns a string or bytes that it made, which the library frees; 0 for a name that it
/// does not know; or an error made by `wasmlark_error`, whose message becomes that of the run, with kind `WASMLARK_KIND_LOAD`. It
/// must return: no C++ exception, no `longjmp`.
pub type Loader = Option<unsafe extern "C" fn(context: *mut c_void, name: *const u8, length: usize) -> Handle>;

/// Lists the files of a folder that the loader has. `folder` is its path in UTF-8, without a slash at the end, empty for the root,
/// valid only during the call. Returns a list of strings that it made, which the library frees: the names in the folder, in any
/// order, those of folders with a slash at the end; 0 for a folder that does not exist; or an error made by `wasmlark_error`, with
/// which the script fails. It must return: no C++ exception, no `longjmp`.
pub type Lister = Option<unsafe extern "C" fn(context: *mut c_void, folder: *const u8, length: usize) -> Handle>;

/// A loader or a lister.
struct Callback {
    function: unsafe extern "C" fn(*mut c_void, *const u8, usize) -> Handle,
    context: Context,
}

impl Callback {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let Some(held) = self.call(name)? else { return Ok(None) };
        match &held.value {
            Value::Str(text) => Ok(Some(text.as_bytes().to_vec())),
            Value::Bytes(bytes) => Ok(Some(bytes.to_vec())),
            other => Err(format!("the loader returned {other}, not a string or bytes")),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let Some(held) = self.call(folder)? else { return Ok(Vec::new()) };
        let wrong = |what: &Value| format!("the lister returned {what}, not a list of strings");
        let Value::List(names) = &held.value else { return Err(wrong(&held.value)) };
        names.iter().map(|name| name.as_str().map(str::to_owned).ok_or_else(|| wrong(&held.value))).collect()
    }

    fn call(&self, name: &str) -> Result<Option<Arc<Held>>, String> {
        // SAFETY: the duty of whoever called `wasmlark_sandbox_loader` or `wasmlark_sandbox_lister`.
        let result = unsafe { (self.function)(self.context.pointer, name.as_ptr(), name.len()) };
        callback::result(result).map_err(|error| error.message().to_owned())
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
        let callback = Callback { function: loader, context };
        change(sandbox, |sandbox| {
            *sandbox = std::mem::take(sandbox).loader(move |name| callback.load(name));
        })
    })
}

/// Asks `lister` for the names in a folder when a script lists files or looks for one, replacing a lister set before. Without one, a
/// sandbox with a loader cannot list its files. `context` is passed to each call. `drop`, which may be null, frees it once no script
/// can list files any more, or if this call fails.
///
/// # Safety
///
/// `lister` may be called from other threads, several at a time, with `context`, and then `drop`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_sandbox_lister(
    sandbox: Handle,
    lister: Lister,
    context: *mut c_void,
    drop: Drop,
) -> Status {
    status(|| {
        let context = Context::new(context, drop);
        let lister = lister.ok_or_else(|| Misuse::new(Status::Null, "the lister is null"))?;
        let callback = Callback { function: lister, context };
        change(sandbox, |sandbox| {
            *sandbox = std::mem::take(sandbox).lister(move |folder| callback.list(folder));
        })
    })
}
