//! The types of a host function's result.

use std::error::Error as StdError;

#[cfg(feature = "serde")]
use super::argument::Serde;
use crate::error::Error;
use crate::value::Value;

/// A type that the result of a host function may have: all that have `Into<Value>`, and with the feature `serde`
/// [`Serde`](crate::Serde) of any type that it can serialise.
pub trait IntoValue {
    /// Converts into a value.
    ///
    /// # Errors
    ///
    /// If serde cannot serialise it.
    fn into_value(self) -> Result<Value, Error>;
}

impl<T: Into<Value>> IntoValue for T {
    fn into_value(self) -> Result<Value, Error> {
        Ok(self.into())
    }
}

#[cfg(feature = "serde")]
impl<T: serde::Serialize> IntoValue for Serde<T> {
    fn into_value(self) -> Result<Value, Error> {
        Value::from_serialize(&self.0)
    }
}

/// What a host function returns: a `Result` whose error is of any error type, or a string.
pub trait FunctionResult {
    #[doc(hidden)]
    fn into_result(self) -> Result<Value, Error>;
}

impl<T: IntoValue, E: Into<Box<dyn StdError + Send + Sync>>> FunctionResult for Result<T, E> {
    fn into_result(self) -> Result<Value, Error> {
        self.map_err(Error::host)?.into_value()
    }
}
