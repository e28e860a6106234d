//! What all functions of an application share: a context that is dropped once, and a result.

use std::ffi::c_void;
use std::sync::Arc;

use wasmlark::Error;

use crate::misuse::Misuse;
use crate::objects::{self, Handle, Object};
use crate::value::Held;

/// Frees the context of a function, once, on whichever thread uses it last. It must not use the sandbox.
pub type Drop = Option<unsafe extern "C" fn(context: *mut c_void)>;

/// A context, which moves with its function.
pub(crate) struct Context {
    pub(crate) pointer: *mut c_void,
    drop: Drop,
}

// SAFETY: other threads may pass it to its function, and drop it: the duty of whoever gave it, as each C function that takes a
// context says.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    pub(crate) fn new(pointer: *mut c_void, drop: Drop) -> Self {
        Self { pointer, drop }
    }
}

impl std::ops::Drop for Context {
    fn drop(&mut self) {
        if let Some(drop) = self.drop {
            // SAFETY: called once, at the end; the rest is the duty of whoever gave it.
            unsafe { drop(self.pointer) }
        }
    }
}

pub(crate) fn failed(misuse: Misuse) -> Error {
    Error::host(misuse.message)
}

/// Takes and frees what a function returned: a value, `None` for 0, or an error that it made.
pub(crate) fn result(handle: Handle) -> Result<Option<Arc<Held>>, Error> {
    if handle == 0 {
        return Ok(None);
    }
    match objects::take(handle).map_err(failed)? {
        Object::Value(held) => Ok(Some(held)),
        Object::Error(message) => Err(Error::host(&*message)),
        other => Err(Error::host(format!("the function returned {}, not a value", other.kind()))),
    }
}
