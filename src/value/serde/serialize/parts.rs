//! The containers that the serialiser makes, part by part.

use std::cmp::Ordering;

use serde::Serialize;
use serde::ser::{self, SerializeMap};

use super::super::super::Value;
use super::super::build::{Build, Container, Made, Owned};
use super::super::{Fault, JSON_NUMBER, json_number, mark};
use super::Serializer;

/// The most elements that memory is reserved for before they are there. A type may announce any length.
const MAX_RESERVED: usize = 1024;

/// A list, tuple or set under construction.
pub(in super::super) struct Items<'b, B: Build> {
    builder: &'b mut B,
    depth: usize,
    values: Vec<B::Out>,
    is_tuple: bool,
    is_set: bool,
    variant: Option<&'static str>,
}

/// A dict from the fields of a struct, under construction.
pub(in super::super) struct Fields<'b, B: Build> {
    builder: &'b mut B,
    depth: usize,
    dict: B::Dict,
    count: usize,
    /// The number, if the only field is the mark of one.
    number: Option<Value>,
    variant: Option<&'static str>,
}

/// A dict from a map, or a marked struct, under construction.
pub(in super::super) struct Entries<'b, B: Build> {
    builder: &'b mut B,
    depth: usize,
    key: Option<Value>,
    entries: Vec<(Value, B::Out)>,
    /// The number, if the only key is the mark of one.
    number: Option<Value>,
    /// What the map stands for, if it is none of the application's: its order is kept.
    mark: Option<&'static str>,
}

/// Returns the value of an enum's variant with data.
fn variant<B: Build>(builder: &mut B, name: Option<&'static str>, data: Container<B>) -> Result<Made<B>, Fault> {
    let Some(name) = name else { return Ok(Made::Container(data)) };
    let data = builder.container(data)?;
    single(builder, name, data)
}

/// Returns a dict with a single entry.
pub(super) fn single<B: Build>(builder: &mut B, name: &'static str, data: B::Out) -> Result<Made<B>, Fault> {
    let (mut dict, name) = (builder.dict(1), builder.str(name));
    builder.insert(&mut dict, name, data)?;
    Ok(Made::Container(Container::Dict(dict)))
}

/// Reads the text of a JSON number, if `key` says that this is one.
fn number<T: Serialize + ?Sized>(key: &str, value: &T) -> Option<Value> {
    if key != JSON_NUMBER {
        return None;
    }
    let Ok(Made::Whole(Value::Str(text))) = value.serialize(Serializer::new(&mut Owned)) else { return None };
    json_number(&text)
}

impl<'b, B: Build> Items<'b, B> {
    pub(super) fn new(
        serializer: Serializer<'b, B>,
        length: usize,
        variant: Option<&'static str>,
        is_tuple: bool,
    ) -> Self {
        let (depth, values) = (serializer.inner(variant), Vec::with_capacity(length.min(MAX_RESERVED)));
        let is_set = serializer.mark == Some(mark::SET);
        Self { depth, values, is_tuple, is_set, variant, builder: serializer.builder }
    }

    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let at = self.values.len();
        let serializer = Serializer::at(&mut *self.builder, self.depth)?;
        let made = value.serialize(serializer).and_then(|made| made.whole(self.builder));
        self.values.push(made.map_err(|fault| fault.within(|| format!("[{at}]")))?);
        Ok(())
    }

    fn finish(self) -> Result<Made<B>, Fault> {
        let made = match (self.is_set, self.is_tuple) {
            (true, _) => Container::Set(self.values),
            (_, true) => Container::Tuple(self.values),
            _ => Container::List(self.values),
        };
        variant(self.builder, self.variant, made)
    }
}

impl<'b, B: Build> Fields<'b, B> {
    pub(super) fn new(serializer: Serializer<'b, B>, length: usize, variant: Option<&'static str>) -> Self {
        let (depth, dict) = (serializer.inner(variant), serializer.builder.dict(length.min(MAX_RESERVED)));
        Self { depth, dict, count: 0, number: None, variant, builder: serializer.builder }
    }

    fn push<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
        if self.count == 0 {
            self.number = number(name, value);
        }
        self.count = self.count.saturating_add(1);
        let serializer = Serializer::at(&mut *self.builder, self.depth)?;
        let made = value.serialize(serializer).and_then(|made| made.whole(self.builder));
        let made = made.map_err(|fault| fault.within(|| step(&name.into())))?;
        let name = self.builder.str(name);
        self.builder.insert(&mut self.dict, name, made)
    }

    fn finish(self) -> Result<Made<B>, Fault> {
        match self.number {
            Some(number) if self.count == 1 => self.builder.value(number).map(Made::Whole),
            _ => variant(self.builder, self.variant, Container::Dict(self.dict)),
        }
    }
}

impl<'b, B: Build> Entries<'b, B> {
    pub(super) fn new(serializer: Serializer<'b, B>) -> Self {
        let mark = serializer.mark.filter(|name| [mark::DICT, mark::STRUCT].contains(name));
        let depth = serializer.inner(None);
        Self { depth, key: None, entries: Vec::new(), number: None, mark, builder: serializer.builder }
    }

    fn push<T: Serialize + ?Sized>(&mut self, key: Value, value: &T) -> Result<(), Fault> {
        if self.entries.is_empty() && self.mark.is_none() {
            self.number = key.as_str().and_then(|key| number(key, value));
        }
        let serializer = Serializer::at(&mut *self.builder, self.depth)?;
        let made = value.serialize(serializer).and_then(|made| made.whole(self.builder));
        let made = made.map_err(|fault| fault.within(|| step(&key)))?;
        self.entries.push((key, made));
        Ok(())
    }

    fn finish(mut self) -> Result<Made<B>, Fault> {
        if let Some(number) = self.number
            && self.entries.len() == 1
        {
            return self.builder.value(number).map(Made::Whole);
        }
        if self.mark.is_none() {
            self.entries.sort_by(|(a, _), (b, _)| compare(a, b));
        }
        if self.mark == Some(mark::STRUCT) {
            let fields = self.entries.into_iter().map(|(key, value)| Ok((self.builder.value(key)?, value)));
            return Ok(Made::Container(Container::Struct(fields.collect::<Result<_, Fault>>()?)));
        }
        let mut dict = self.builder.dict(self.entries.len());
        for (key, value) in self.entries {
            let key = self.builder.value(key)?;
            self.builder.insert(&mut dict, key, value)?;
        }
        Ok(Made::Container(Container::Dict(dict)))
    }
}

/// Returns the step for a key in a message's path.
pub(in super::super) fn step(key: &Value) -> String {
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

macro_rules! items {
    ($($kind:ident::$push:ident),*) => {$(
        impl<B: Build> ser::$kind for Items<'_, B> {
            type Ok = Made<B>;
            type Error = Fault;

            fn $push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
                self.push(value)
            }

            fn end(self) -> Result<Self::Ok, Fault> {
                self.finish()
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
        impl<B: Build> ser::$kind for Fields<'_, B> {
            type Ok = Made<B>;
            type Error = Fault;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
                self.push(name, value)
            }

            fn end(self) -> Result<Self::Ok, Fault> {
                self.finish()
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);

impl<B: Build> SerializeMap for Entries<'_, B> {
    type Ok = Made<B>;
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        let made = key.serialize(Serializer::at(&mut Owned, self.depth)?)?;
        self.key = Some(made.whole(&mut Owned)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let key = self.key.take().ok_or_else(|| Fault::new("a map gave a value before its key"))?;
        self.push(key, value)
    }

    fn end(self) -> Result<Self::Ok, Fault> {
        self.finish()
    }
}
