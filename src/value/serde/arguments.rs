//! The arguments of a call, from types of the application's.

use serde::Serialize;

#[cfg(feature = "isolated")]
use super::super::Value;
use super::Fault;
use super::build::{Build, Container, Made};
use super::serialize::Serializer;

/// Arguments by position, and by name.
pub(super) type Parts<T> = (Vec<T>, Vec<(T, T)>);

/// The same as values, with names that are strings.
#[cfg(feature = "isolated")]
pub(crate) type Owned = (Vec<Value>, Vec<(String, Value)>);

/// Makes the arguments from a tuple or list, and a map or struct.
pub(super) fn arguments<B: Build>(
    positional: &(impl Serialize + ?Sized),
    named: &(impl Serialize + ?Sized),
    builder: &mut B,
) -> Result<Parts<B::Out>, Fault> {
    let positional = match positional.serialize(Serializer::new(builder))? {
        Made::Container(Container::Tuple(values) | Container::List(values)) => values,
        Made::Whole(value) if B::is_none(&value) => Vec::new(),
        other => {
            return Err(Fault::new(format!(
                "the arguments of a call must be a tuple or a list, such as `(x,)` for a single one, got a value of type {}",
                other.type_name()
            )));
        }
    };
    let named = match named.serialize(Serializer::new(builder))? {
        Made::Container(Container::Dict(dict)) => dict.into_iter().collect(),
        Made::Container(Container::Struct(fields)) => fields,
        Made::Whole(value) if B::is_none(&value) => Vec::new(),
        other => {
            return Err(Fault::new(format!(
                "the named arguments of a call must be a map or a struct, got a value of type {}",
                other.type_name()
            )));
        }
    };
    Ok((positional, named))
}

/// Returns the fault for the name of an argument that is a value of another type.
pub(super) fn name_wanted(got: &str) -> Fault {
    Fault::new(format!("the name of an argument must be a string, got a value of type {got}"))
}
