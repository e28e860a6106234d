//! What the functions of an application have in common: a context that is dropped once, and a result.

use std::ffi::c_void;
use std::sync::Arc;

use wasmlark::Error;

use crate::misuse::Misuse;
use crate::objects::{self, Handle, Object};
use crate::value::Held;

/// Frees what a function has as its context, once, in whatever thread ends its last use. It must not use the sandbox.
pub type Drop = Option<unsafe extern "C" fn(context: *mut c_void)>;

/// A context, which goes where its function goes.
pub(crate) struct Context {
    pub(crate) pointer: *mut c_void,
    drop: Drop,
}

// SAFETY: other threads may pass it to its function, and drop it: the duty of whoever gave it, as each function of the interface that
// takes one says.
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
            // SAFETY: once, at the end: the duty of whoever gave it.
            unsafe { drop(self.pointer) }
        }
    }
}

pub(crate) fn failed(misuse: Misuse) -> Error {
    Error::host(misuse.message)
}

/// Takes what a function returned, which is freed: a value, `None` for 0, or an error that it made.
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
