//! Where starlark-rust is not what the sandbox promises: one file for each difference.

#[allow(unsafe_code, clippy::panic)]
mod builtins;
#[cfg(any(test, all(target_arch = "wasm32", target_os = "unknown")))]
mod libm;
#[allow(unsafe_code, clippy::panic)]
pub(super) mod shift;
pub(crate) mod shift_assign;

use starlark::environment::GlobalsBuilder;

/// Replaces what differs among starlark's globals.
pub(crate) fn globals(builder: &mut GlobalsBuilder) {
    shift::globals(builder);
    builtins::globals(builder);
}
