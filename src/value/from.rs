//! Conversions between values and Rust types.

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
    // There is no conversion from `u8`, so that this one does not overlap with lists of other types.
    Vec<u8> => |value| Self::Bytes(value);
    &[u8] => |value| Self::Bytes(value.to_vec());
    Struct => |value| Self::Struct(value);
    i8 => |value| Self::Int(value.into());
    char => |value| Self::Str(value.into());
    std::borrow::Cow<'_, str> => |value| Self::Str(value.into_owned());
}

/// Copies the value.
impl From<&Value> for Value {
    fn from(value: &Value) -> Self {
        value.clone()
    }
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

macro_rules! tuples {
    ($($(#[$attribute:meta])* ($($type:ident $name:ident),*) $count:literal;)*) => {$(
        impl<$($type: Into<Value>),*> From<($($type,)*)> for Value {
            fn from(($($name,)*): ($($type,)*)) -> Self {
                Self::Tuple(vec![$($name.into()),*])
            }
        }

        impl<$($type: TryFrom<Value, Error = Error>),*> TryFrom<Value> for ($($type,)*) {
            type Error = Error;

            /// Fails for another type, a different number of elements, or an element that does not fit.
            fn try_from(value: Value) -> Result<Self, Error> {
                let values = Vec::<Value>::try_from(value)?;
                let count = values.len();
                let Ok([$($name),*]) = <[Value; $count]>::try_from(values) else {
                    return Err(Error::value(format!("expected {} elements, got {count}", $count)));
                };
                Ok(($($name.try_into()?,)*))
            }
        }
    )*};
}

tuples! {
    (A a) 1;
    (A a, B b) 2;
    (A a, B b, C c) 3;
    (A a, B b, C c, D d) 4;
    (A a, B b, C c, D d, E e) 5;
    (A a, B b, C c, D d, E e, F f) 6;
}

/// Makes a dict in the order of the keys.
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

to_int!(u8, i8, i16, i32, i64, i128, isize, u16, u32, u64, u128, usize);

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

impl TryFrom<Value> for () {
    type Error = Error;

    /// Fails for anything but `None`.
    fn try_from(value: Value) -> Result<(), Error> {
        if value.is_none() { Ok(()) } else { mismatch(&value, "None") }
    }
}

macro_rules! containers {
    ($($item:ty),*) => {$(
        impl TryFrom<Value> for Vec<$item> {
            type Error = Error;

            /// Returns the elements of a list, tuple or set. Fails for another type, and for an element that does not fit.
            fn try_from(value: Value) -> Result<Self, Error> {
                Vec::<Value>::try_from(value)?.into_iter().map(TryInto::try_into).collect()
            }
        }

        impl TryFrom<Value> for Option<$item> {
            type Error = Error;

            /// Returns `None` for `None`. Fails for a value that does not fit.
            fn try_from(value: Value) -> Result<Self, Error> {
                if value.is_none() { Ok(None) } else { value.try_into().map(Some) }
            }
        }

        impl TryFrom<Value> for BTreeMap<String, $item> {
            type Error = Error;

            /// Returns the entries of a dict whose keys are strings. Fails for another type, and for a value that does not fit.
            fn try_from(value: Value) -> Result<Self, Error> {
                match value {
                    Value::Dict(entries) => {
                        entries.into_iter().map(|(key, value)| Ok((key.try_into()?, value.try_into()?))).collect()
                    }
                    value => mismatch(&value, "a dict"),
                }
            }
        }
    )*};
}

// One by one, since a blanket implementation would overlap with the standard library's, and with `Vec<u8>`, which is bytes.
containers!(bool, i8, i16, i32, i64, i128, isize, u16, u32, u64, u128, usize, Int, f64, String, Vec<u8>, Struct);

impl TryFrom<Value> for Option<Vec<Value>> {
    type Error = Error;

    /// Returns `None` for `None`, and the elements of a list, tuple or set. Fails for another type.
    fn try_from(value: Value) -> Result<Self, Error> {
        if value.is_none() { Ok(None) } else { value.try_into().map(Some) }
    }
}
