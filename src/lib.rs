//! WIP
// starlark's derives expand to `unsafe` trait implementations, in the modules that say so.
mod compile;
mod convert;
mod error;
#[allow(unsafe_code)]
mod globals;
mod host;
mod inspect;
mod limits;
mod loader;
mod meter;
mod sandbox;
mod source;
#[allow(unsafe_code)]
mod types;

pub use error::{Error, ErrorKind, Limit, Location, TrapCode};
pub use globals::globals;
pub use host::Host;
pub use inspect::{Inspection, Item, inspect};
pub use limits::Limits;
pub use sandbox::{Report, Run, Sandbox, Stats};
