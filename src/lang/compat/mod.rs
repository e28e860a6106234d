//! Workarounds for starlark-rust, one file each: what upstream does, the upstream change that ends it, and the condition
//! under which the file goes.

#[allow(unsafe_code, clippy::panic)]
mod builtins;
pub(crate) mod collect;
pub(crate) mod endless_types;
#[allow(unsafe_code, clippy::panic)]
mod json;
#[cfg(any(test, all(target_arch = "wasm32", target_os = "unknown")))]
mod libm;
pub(crate) mod limits;
#[allow(unsafe_code, clippy::panic)]
mod long_range;
pub(crate) mod messages;
pub(crate) mod places;
mod room;
#[allow(unsafe_code, clippy::panic)]
pub(crate) mod shift;
pub(crate) mod shift_assign;
#[allow(unsafe_code)]
pub(crate) mod ticks;

use starlark::environment::GlobalsBuilder;

/// Replaces the globals of starlark's that a workaround is for.
pub(crate) fn globals(builder: &mut GlobalsBuilder) {
    shift::globals(builder);
    builtins::globals(builder);
    json::globals(builder);
    long_range::globals(builder);
}
