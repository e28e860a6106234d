//! Conversions between values and Rust's types.

use std::collections::BTreeMap;

use super::{Int, Struct, Value};
use crate::error::Error;

macro_rules! from {
    ($($from:ty => |$value:ident| $to:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $to
            }
        }
    )*};
}

from! {
    () => |_value| Self::None;
    bool => |value| Self::Bool(value);
    i16 => |value| Self::Int(value.into());
    i32 => |value| Self::Int(value.into());
    i64 => |value| Self::Int(value.into());
    i128 => |value| Self::Int(value.into());
    isize => |value| Self::Int(value.into());
    u16 => |value| Self::Int(value.into());
    u32 => |value| Self::Int(value.into());
    u64 => |value| Self::Int(value.into());
    u128 => |value| Self::Int(value.into());
    usize => |value| Self::Int(value.into());
    Int => |value| Self::Int(value);
    f32 => |value| Self::Float(value.into());
    f64 => |value| Self::Float(value);
    &str => |value| Self::Str(value.to_owned());
    String => |value| Self::Str(value);
    &String => |value| Self::Str(value.clone());
    // There is no conversion from `u8`, so that this one and lists of other types do not overlap.
    Vec<u8> => |value| Self::Bytes(value);
    &[u8] => |value| Self::Bytes(value.to_vec());
    Struct => |value| Self::Struct(value);
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(values: [T; N]) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<A: Into<Value>, B: Into<Value>> From<(A, B)> for Value {
    fn from((a, b): (A, B)) -> Self {
        Self::Tuple(vec![a.into(), b.into()])
    }
}

impl<A: Into<Value>, B: Into<Value>, C: Into<Value>> From<(A, B, C)> for Value {
    fn from((a, b, c): (A, B, C)) -> Self {
        Self::Tuple(vec![a.into(), b.into(), c.into()])
    }
}

/// A dict in the order of its keys.
impl<K: Into<Value>, V: Into<Value>> From<BTreeMap<K, V>> for Value {
    fn from(entries: BTreeMap<K, V>) -> Self {
        Self::Dict(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

fn mismatch<T>(value: &Value, wanted: &str) -> Result<T, Error> {
    Err(Error::value(format!("expected {wanted}, got a value of type {}", value.type_name())))
}

macro_rules! to_int {
    ($($int:ty),*) => {$(
        impl TryFrom<Value> for $int {
            type Error = Error;

            /// Fails for another type, and for an int that does not fit.
            fn try_from(value: Value) -> Result<Self, Error> {
                match &value {
                    Value::Int(int) => int.try_into(),
                    _ => mismatch(&value, "an int"),
                }
            }
        }
    )*};
}

to_int!(i16, i32, i64, i128, isize, u16, u32, u64, u128, usize);

macro_rules! to {
    ($($variant:ident => $to:ty, $wanted:literal;)*) => {$(
        impl TryFrom<Value> for $to {
            type Error = Error;

            /// Fails for another type.
            fn try_from(value: Value) -> Result<Self, Error> {
                match value {
                    Value::$variant(value) => Ok(value),
                    value => mismatch(&value, $wanted),
                }
            }
        }
    )*};
}

to! {
    Bool => bool, "a bool";
    Int => Int, "an int";
    Float => f64, "a float";
    Str => String, "a string";
    Bytes => Vec<u8>, "bytes";
    Struct => Struct, "a struct or record";
}

impl TryFrom<Value> for Vec<Value> {
    type Error = Error;

    /// Returns the elements of a list, tuple or set. Fails for another type.
    fn try_from(value: Value) -> Result<Self, Error> {
        match value {
            Value::List(values) | Value::Tuple(values) | Value::Set(values) => Ok(values),
            value => mismatch(&value, "a list, tuple or set"),
        }
    }
}
