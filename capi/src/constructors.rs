//! The constructors of statics, in a build for wasm32.
//!
//! starlark registers types in them. Elsewhere the system runs them. In a module that does not name
//! `__wasm_call_ctors`, the linker wraps each exported function in one that runs all of them first. Each call then
//! takes some fourteen thousand instructions more, and registers everything again.

use std::sync::atomic::{AtomicBool, Ordering};

unsafe extern "C" {
    /// Runs the constructors. The linker makes it.
    safe fn __wasm_call_ctors();
}

/// Runs the constructors at the first call.
pub(crate) fn run_once() {
    static HAVE_RUN: AtomicBool = AtomicBool::new(false);
    if !HAVE_RUN.swap(true, Ordering::Relaxed) {
        __wasm_call_ctors();
    }
}
