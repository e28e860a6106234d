//! The language of the sandbox: starlark's, as this crate parses it.

pub(crate) mod compat;
mod complete;
pub(crate) mod definitions;
mod dialect;
pub(crate) mod names;
mod nesting;

pub(crate) use complete::complete;
pub(crate) use dialect::{is_incomplete, parse, script_text};
