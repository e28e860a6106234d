//! What is measured.

pub mod call;
pub mod compute;
pub mod growth;
pub mod host;
mod machine;
pub mod memory;
pub mod module;
mod raw;
pub mod real;
// starlark's derives expand to `unsafe`.
#[allow(unsafe_code)]
mod script;
pub mod startup;
