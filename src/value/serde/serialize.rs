//! Makes a value from anything that serde can serialise.

use std::cmp::Ordering;

use serde::Serialize;
use serde::ser::{self, SerializeMap};

use super::super::{Int, Struct, Value};
use super::{Fault, JSON_NUMBER, MAX_DEPTH, json_number, mark};

/// Makes a value with at most this many levels of nesting.
pub(super) struct Serializer {
    depth: usize,
    /// The mark of the newtype around the value that follows.
    mark: Option<&'static str>,
}

impl Serializer {
    pub(super) fn new() -> Self {
        Self { depth: MAX_DEPTH, mark: None }
    }

    /// Makes a part of a container that has this many levels left.
    fn at(depth: usize) -> Result<Self, Fault> {
        if depth == 0 { Err(Fault::too_deep()) } else { Ok(Self { depth, mark: None }) }
    }

    /// Returns the number of levels that the parts of a container have left.
    fn inner(&self) -> usize {
        self.depth.saturating_sub(1)
    }

    fn items(self, variant: Option<&'static str>, is_tuple: bool) -> Result<Items, Fault> {
        // A variant with data adds a dict around it.
        let depth = self.inner().saturating_sub(usize::from(variant.is_some()));
        Ok(Items { depth, values: Vec::new(), is_tuple, is_set: self.mark == Some(mark::SET), variant })
    }

    fn entries(self, variant: Option<&'static str>, is_sorted: bool) -> Result<Entries, Fault> {
        let depth = self.inner().saturating_sub(usize::from(variant.is_some()));
        Ok(Entries { depth, key: None, entries: Vec::new(), is_sorted, mark: self.mark, variant })
    }
}

/// A list, tuple or set under construction.
pub(super) struct Items {
    depth: usize,
    values: Vec<Value>,
    is_tuple: bool,
    is_set: bool,
    variant: Option<&'static str>,
}

/// A dict or struct under construction.
pub(super) struct Entries {
    depth: usize,
    key: Option<Value>,
    entries: Vec<(Value, Value)>,
    is_sorted: bool,
    mark: Option<&'static str>,
    variant: Option<&'static str>,
}

/// Returns the value of an enum's variant with data.
fn variant(name: Option<&'static str>, data: Value) -> Value {
    match name {
        None => data,
        Some(name) => Value::Dict(vec![(name.into(), data)]),
    }
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let at = self.values.len();
        let serializer = Serializer::at(self.depth)?;
        self.values.push(value.serialize(serializer).map_err(|fault| fault.within(|| format!("[{at}]")))?);
        Ok(())
    }

    fn finish(self) -> Value {
        let made = match (self.is_set, self.is_tuple) {
            (true, _) => Value::Set(self.values),
            (_, true) => Value::Tuple(self.values),
            _ => Value::List(self.values),
        };
        variant(self.variant, made)
    }
}

impl Entries {
    fn push<T: Serialize + ?Sized>(&mut self, key: Value, value: &T) -> Result<(), Fault> {
        let serializer = Serializer::at(self.depth)?;
        let value = value.serialize(serializer).map_err(|fault| fault.within(|| step(&key)))?;
        self.entries.push((key, value));
        Ok(())
    }

    fn finish(mut self) -> Value {
        if self.mark.is_none()
            && let [(Value::Str(key), Value::Str(text))] = self.entries.as_slice()
            && key == JSON_NUMBER
            && let Some(number) = json_number(text)
        {
            return number;
        }
        if self.mark == Some(mark::STRUCT) {
            let name = |key| if let Value::Str(name) = key { name } else { key.to_string() };
            return Value::Struct(Struct::new(self.entries.into_iter().map(|(key, value)| (name(key), value))));
        }
        if self.is_sorted && self.mark != Some(mark::DICT) {
            self.entries.sort_by(|(a, _), (b, _)| compare(a, b));
        }
        variant(self.variant, Value::Dict(self.entries))
    }
}

/// Returns the step for a key in a message's path.
pub(super) fn step(key: &Value) -> String {
    match key {
        Value::Str(name) if name.len() <= 60 => format!(".{name}"),
        Value::Int(_) | Value::Bool(_) => format!("[{key}]"),
        _ => "[…]".to_owned(),
    }
}

/// A total order of keys: keys of the same comparable type are ordered by value.
fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
        (Value::Str(a), Value::Str(b)) => a.cmp(b),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Tuple(a), Value::Tuple(b)) | (Value::List(a), Value::List(b)) => {
            let parts = a.iter().zip(b).map(|(a, b)| compare(a, b));
            parts.fold(Ordering::Equal, Ordering::then).then(a.len().cmp(&b.len()))
        }
        _ => a.type_name().cmp(b.type_name()).then_with(|| a.to_string().cmp(&b.to_string())),
    }
}

macro_rules! scalars {
    ($($name:ident($ty:ty) => $make:expr;)*) => {$(
        fn $name(self, value: $ty) -> Result<Value, Fault> {
            let make: fn($ty) -> Value = $make;
            Ok(make(value))
        }
    )*};
}

impl ser::Serializer for Serializer {
    type Ok = Value;
    type Error = Fault;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    scalars! {
        serialize_bool(bool) => Value::Bool;
        serialize_i8(i8) => |value| Value::Int(value.into());
        serialize_i16(i16) => Value::from;
        serialize_i32(i32) => Value::from;
        serialize_i64(i64) => Value::from;
        serialize_i128(i128) => Value::from;
        serialize_u8(u8) => |value| Value::Int(value.into());
        serialize_u16(u16) => Value::from;
        serialize_u32(u32) => Value::from;
        serialize_u64(u64) => Value::from;
        serialize_u128(u128) => Value::from;
        serialize_f32(f32) => Value::from;
        serialize_f64(f64) => Value::from;
        serialize_char(char) => |value| Value::Str(value.into());
        serialize_bytes(&[u8]) => |value| Value::from(value);
    }

    fn serialize_str(self, value: &str) -> Result<Value, Fault> {
        match self.mark {
            Some(mark::OPAQUE) => Ok(Value::Opaque(value.to_owned())),
            Some(mark::INT) => Int::parse(value).map(Value::Int).ok_or_else(|| Fault::new("no int")),
            _ => Ok(value.into()),
        }
    }

    fn serialize_none(self) -> Result<Value, Fault> {
        Ok(Value::None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Fault> {
        Ok(Value::None)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, Fault> {
        Ok(Value::None)
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Result<Value, Fault> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<Value, Fault> {
        value.serialize(Self { depth: self.depth, mark: Some(name) })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        name: &'static str,
        value: &T,
    ) -> Result<Value, Fault> {
        let serializer = Self::at(self.inner())?;
        value
            .serialize(serializer)
            .map(|data| variant(Some(name), data))
            .map_err(|fault| fault.within(|| format!(".{name}")))
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Items, Fault> {
        self.items(None, false)
    }

    fn serialize_tuple(self, _len: usize) -> Result<Items, Fault> {
        self.items(None, true)
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Items, Fault> {
        self.items(None, true)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Items, Fault> {
        self.items(Some(variant), true)
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Entries, Fault> {
        self.entries(None, true)
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Entries, Fault> {
        self.entries(None, false)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Entries, Fault> {
        self.entries(Some(variant), false)
    }
}

macro_rules! items {
    ($($kind:ident::$push:ident),*) => {$(
        impl ser::$kind for Items {
            type Ok = Value;
            type Error = Fault;

            fn $push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
                self.push(value)
            }

            fn end(self) -> Result<Value, Fault> {
                Ok(self.finish())
            }
        }
    )*};
}

items!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! fields {
    ($($kind:ident),*) => {$(
        impl ser::$kind for Entries {
            type Ok = Value;
            type Error = Fault;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
                self.push(name.into(), value)
            }

            fn end(self) -> Result<Value, Fault> {
                Ok(self.finish())
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Entries {
    type Ok = Value;
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.key = Some(key.serialize(Serializer::at(self.depth)?)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let key = self.key.take().ok_or_else(|| Fault::new("a map gave a value before its key"))?;
        self.push(key, value)
    }

    fn end(self) -> Result<Value, Fault> {
        Ok(self.finish())
    }
}
