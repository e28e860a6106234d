//! A [`Value`] in any serde format.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeTuple, Serializer};
use serde::{Deserialize, Serialize};

use super::super::{Int, Value};
use super::{JSON_NUMBER, MAX_DEPTH, json_number, mark};

/// `None` becomes a unit, a set a sequence, a struct a map from its field names, an opaque value its text. An int beyond 128
/// bits becomes a string. The format itself reports what it cannot represent: keys in JSON must be strings, ints or bools.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serialize_int(value, serializer),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Str(value) => serializer.serialize_str(value),
            Self::Bytes(value) => serializer.serialize_bytes(value),
            Self::List(values) => serializer.collect_seq(values),
            Self::Tuple(values) => {
                let mut tuple = serializer.serialize_tuple(values.len())?;
                values.iter().try_for_each(|value| tuple.serialize_element(value))?;
                tuple.end()
            }
            Self::Dict(entries) => serializer.serialize_newtype_struct(mark::DICT, &Entries(entries)),
            Self::Set(values) => serializer.serialize_newtype_struct(mark::SET, values),
            Self::Struct(value) => serializer.serialize_newtype_struct(mark::STRUCT, &Entries(&value.fields)),
            Self::Opaque(text) => serializer.serialize_newtype_struct(mark::OPAQUE, text),
        }
    }
}

fn serialize_int<S: Serializer>(value: &Int, serializer: S) -> Result<S::Ok, S::Error> {
    if let Ok(value) = i64::try_from(value) {
        serializer.serialize_i64(value)
    } else if let Ok(value) = u64::try_from(value) {
        serializer.serialize_u64(value)
    } else if let Ok(value) = i128::try_from(value) {
        serializer.serialize_i128(value)
    } else if let Ok(value) = u128::try_from(value) {
        serializer.serialize_u128(value)
    } else {
        serializer.serialize_newtype_struct(mark::INT, &value.to_string())
    }
}

/// Pairs, serialised as a map in their order.
struct Entries<'a, K>(&'a [(K, Value)]);

impl<K: Serialize> Serialize for Entries<'_, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// A sequence becomes a list, a map a dict in its order. Fails for values nested deeper than 200 levels.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Seed { depth: MAX_DEPTH }.deserialize(deserializer)
    }
}

/// Makes a value with at most this many levels of nesting.
struct Seed {
    depth: usize,
}

impl Seed {
    /// Returns the seed for the parts of a container.
    fn inner(&self) -> Self {
        Self { depth: self.depth.saturating_sub(1) }
    }
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.depth == 0 {
            return Err(de::Error::custom(format_args!("the value is nested deeper than {MAX_DEPTH} levels")));
        }
        deserializer.deserialize_any(self)
    }
}

macro_rules! visit {
    ($($name:ident($ty:ty) => $make:expr;)*) => {$(
        fn $name<E: de::Error>(self, value: $ty) -> Result<Value, E> {
            let make: fn($ty) -> Value = $make;
            Ok(make(value))
        }
    )*};
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that a script can have")
    }

    visit! {
        visit_bool(bool) => Value::Bool;
        visit_i64(i64) => Value::from;
        visit_i128(i128) => Value::from;
        visit_u64(u64) => Value::from;
        visit_u128(u128) => Value::from;
        visit_f64(f64) => Value::from;
        visit_str(&str) => |value| Value::from(value);
        visit_string(String) => Value::Str;
        visit_bytes(&[u8]) => |value| Value::from(value);
        visit_byte_buf(Vec<u8>) => Value::Bytes;
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::None)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self.inner())? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut made = Vec::new();
        while let Some(key) = entries.next_key_seed(self.inner())? {
            made.push((key, entries.next_value_seed(self.inner())?));
        }
        match made.as_slice() {
            [(Value::Str(key), Value::Str(text))] if key == JSON_NUMBER => {
                json_number(text).ok_or_else(|| de::Error::custom(format_args!("`{text}` is not a number")))
            }
            _ => Ok(Value::Dict(made)),
        }
    }
}
