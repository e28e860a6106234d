//! Converts a value to any type that serde can deserialise.

use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{self, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::super::Value;
use super::serialize::step;
use super::{Fault, MAX_DEPTH};

/// Reads a value with at most this many levels of nesting.
pub(super) struct Deserializer<'de> {
    value: &'de Value,
    depth: usize,
}

impl<'de> Deserializer<'de> {
    pub(super) fn new(value: &'de Value) -> Self {
        Self { value, depth: MAX_DEPTH }
    }

    /// Reads a part of a container that has this many levels left.
    fn at(value: &'de Value, depth: usize) -> Result<Self, Fault> {
        if depth == 0 { Err(Fault::too_deep()) } else { Ok(Self { value, depth }) }
    }

    fn inner(&self) -> usize {
        self.depth.saturating_sub(1)
    }

    fn seq<V: Visitor<'de>>(&self, values: &'de [Value], visitor: V) -> Result<V::Value, Fault> {
        let mut items = Items { values: values.iter(), at: 0, depth: self.inner() };
        let made = visitor.visit_seq(&mut items)?;
        match items.values.len() {
            0 => Ok(made),
            _ => Err(de::Error::invalid_length(values.len(), &"fewer elements")),
        }
    }

    fn map<V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Fault> {
        let depth = self.inner();
        match self.value {
            Value::Struct(value) => {
                let fields = value.fields.iter().map(|(name, value)| (Key::Field(name), value));
                visitor.visit_map(Entries { entries: fields, value: None, depth })
            }
            Value::Dict(entries) => {
                let entries = entries.iter().map(|(key, value)| (Key::Value(key), value));
                visitor.visit_map(Entries { entries, value: None, depth })
            }
            _ => visitor.visit_unit(),
        }
    }
}

impl<'de> de::Deserializer<'de> for Deserializer<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::None => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(int) => {
                if let Ok(value) = i64::try_from(int) {
                    visitor.visit_i64(value)
                } else if let Ok(value) = u64::try_from(int) {
                    visitor.visit_u64(value)
                } else if let Ok(value) = i128::try_from(int) {
                    visitor.visit_i128(value)
                } else if let Ok(value) = u128::try_from(int) {
                    visitor.visit_u128(value)
                } else {
                    Err(Fault::new("the int does not fit 128 bits"))
                }
            }
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Str(value) => visitor.visit_borrowed_str(value),
            Value::Bytes(value) => visitor.visit_borrowed_bytes(value),
            Value::List(values) | Value::Tuple(values) | Value::Set(values) => self.seq(values, visitor),
            Value::Dict(_) | Value::Struct(_) => self.map(visitor),
            Value::Opaque(text) => Err(Fault::new(format!("{text} belongs to the script that made it"))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::None => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    /// Bytes are also a sequence of `u8`, which `Vec<u8>` asks for.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::Bytes(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.value {
            Value::Str(name) => visitor.visit_enum(Variant { name, data: None, depth: self.depth }),
            Value::Dict(entries) => match entries.as_slice() {
                [(Value::Str(name), data)] => {
                    visitor.visit_enum(Variant { name, data: Some(data), depth: self.inner() })
                }
                _ => Err(Fault::new("expected a variant: its name, or a dict from its name to its data")),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct map struct
        identifier ignored_any
    }
}

struct Items<'de> {
    values: std::slice::Iter<'de, Value>,
    at: usize,
    depth: usize,
}

impl<'de> SeqAccess<'de> for &mut Items<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some(value) = self.values.next() else { return Ok(None) };
        let at = self.at;
        self.at = at.saturating_add(1);
        let made = Deserializer::at(value, self.depth).and_then(|value| seed.deserialize(value));
        made.map(Some).map_err(|fault| fault.within(|| format!("[{at}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.values.len())
    }
}

/// The key of a dict, or the name of a field.
#[derive(Clone, Copy)]
enum Key<'de> {
    Value(&'de Value),
    Field(&'de str),
}

struct Entries<'de, I> {
    entries: I,
    value: Option<(Key<'de>, &'de Value)>,
    depth: usize,
}

impl<'de, I: Iterator<Item = (Key<'de>, &'de Value)>> MapAccess<'de> for Entries<'de, I> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some((key, value));
        match key {
            Key::Value(value) => {
                Deserializer::at(value, self.depth).and_then(|value| seed.deserialize(value)).map(Some)
            }
            Key::Field(name) => seed.deserialize(de::value::BorrowedStrDeserializer::new(name)).map(Some),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        let Some((key, value)) = self.value.take() else {
            return Err(Fault::new("a value was asked for before its key"));
        };
        Deserializer::at(value, self.depth).and_then(|value| seed.deserialize(value)).map_err(|fault| {
            fault.within(|| match key {
                Key::Value(key) => step(key),
                Key::Field(name) => format!(".{name}"),
            })
        })
    }

    fn size_hint(&self) -> Option<usize> {
        self.entries.size_hint().1
    }
}

struct Variant<'de> {
    name: &'de str,
    data: Option<&'de Value>,
    depth: usize,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let name: StrDeserializer<'_, Fault> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> Variant<'de> {
    fn data(&self) -> Result<Deserializer<'de>, Fault> {
        let value = self.data.ok_or_else(|| Fault::new(format!("the variant `{}` needs data", self.name)))?;
        Deserializer::at(value, self.depth)
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.data {
            None | Some(Value::None) => Ok(()),
            Some(_) => Err(Fault::new(format!("the variant `{}` has no data", self.name))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.data()?).map_err(|fault| fault.within(|| format!(".{}", self.name)))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Fault> {
        let made = de::Deserializer::deserialize_seq(self.data()?, visitor);
        made.map_err(|fault| fault.within(|| format!(".{}", self.name)))
    }

    fn struct_variant<V: Visitor<'de>>(self, _fields: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        let made = de::Deserializer::deserialize_map(self.data()?, visitor);
        made.map_err(|fault| fault.within(|| format!(".{}", self.name)))
    }
}
