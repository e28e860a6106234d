//! Where starlark-rust is not what the sandbox promises: one file for each difference.

#[allow(unsafe_code, clippy::panic)]
pub(crate) mod builtins;
#[cfg(any(test, all(target_arch = "wasm32", target_os = "unknown")))]
mod libm;
#[allow(unsafe_code, clippy::panic)]
pub(crate) mod shift;
pub(crate) mod shift_assign;
