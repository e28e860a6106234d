//! The language of the sandbox: starlark's, as this crate parses it.

pub(crate) mod compat;
pub(crate) mod names;
pub(crate) mod nesting;
