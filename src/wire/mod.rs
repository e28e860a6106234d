//! Values and errors in the form in which messages carry them.

mod fault;
mod nodes;

pub(crate) use self::fault::Fault;
#[cfg(feature = "isolated")]
pub(crate) use self::fault::Source;
pub(crate) use self::nodes::{Nodes, named_values, value, values};
