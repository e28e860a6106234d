//! Converts a value to any type that serde can deserialise.

use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{self, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::super::Int;
use super::node::{Key, Node, View};
use super::{Fault, MAX_DEPTH};

/// Reads a value with at most this many levels of nesting.
pub(super) struct Deserializer<N> {
    value: N,
    depth: usize,
}

impl<'de, N: Node<'de>> Deserializer<N> {
    pub(super) fn new(value: N) -> Self {
        Self { value, depth: MAX_DEPTH }
    }

    /// Reads a part of a container that has this many levels left.
    fn at(value: N, depth: usize) -> Result<Self, Fault> {
        if depth == 0 { Err(value.too_deep()) } else { Ok(Self { value, depth }) }
    }

    fn inner(&self) -> usize {
        self.depth.saturating_sub(1)
    }

    fn visit<V: Visitor<'de>>(&self, view: View<'de, N>, visitor: V) -> Result<V::Value, Fault> {
        match view {
            View::None => visitor.visit_unit(),
            View::Bool(value) => visitor.visit_bool(value),
            View::Int(value) => visitor.visit_i64(value),
            View::Wide(int) => visit_wide(&int, visitor),
            View::Float(value) => visitor.visit_f64(value),
            View::Str(value) => visitor.visit_borrowed_str(value),
            View::Bytes(value) => visitor.visit_borrowed_bytes(value),
            View::Seq(values) => self.seq(values, visitor),
            View::Map(entries) => visitor.visit_map(Entries { entries, value: None, depth: self.inner() }),
            View::Opaque(text) => Err(Fault::new(format!("{text} belongs to the script that made it"))),
        }
    }

    fn seq<V: Visitor<'de>>(&self, values: N::Seq, visitor: V) -> Result<V::Value, Fault> {
        let length = values.len();
        let mut items = Items { values, at: 0, depth: self.inner() };
        let made = visitor.visit_seq(&mut items)?;
        match items.values.len() {
            0 => Ok(made),
            _ => Err(de::Error::invalid_length(length, &"fewer elements")),
        }
    }
}

fn visit_wide<'de, V: Visitor<'de>>(int: &Int, visitor: V) -> Result<V::Value, Fault> {
    if let Ok(value) = u64::try_from(int) {
        visitor.visit_u64(value)
    } else if let Ok(value) = i128::try_from(int) {
        visitor.visit_i128(value)
    } else if let Ok(value) = u128::try_from(int) {
        visitor.visit_u128(value)
    } else {
        Err(Fault::new("the int does not fit 128 bits"))
    }
}

impl<'de, N: Node<'de>> de::Deserializer<'de> for Deserializer<N> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit(self.value.view()?, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value.is_none() {
            true => visitor.visit_none(),
            false => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    /// Bytes are also a sequence of `u8`, which `Vec<u8>` asks for.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value.view()? {
            View::Bytes(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            view => self.visit(view, visitor),
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
        let no_variant = || Fault::new("expected a variant: its name, or a dict from its name to its data");
        match self.value.view()? {
            View::Str(name) => visitor.visit_enum(Variant { name, data: None::<N>, depth: self.depth }),
            View::Map(mut entries) => match (entries.next(), entries.next()) {
                (Some((Key::Value(key), data)), None) => match key.view()? {
                    View::Str(name) => visitor.visit_enum(Variant { name, data: Some(data), depth: self.inner() }),
                    _ => Err(no_variant()),
                },
                _ => Err(no_variant()),
            },
            view => self.visit(view, visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct map struct
        identifier ignored_any
    }
}

struct Items<I> {
    values: I,
    at: usize,
    depth: usize,
}

impl<'de, N: Node<'de>, I: ExactSizeIterator<Item = N>> SeqAccess<'de> for &mut Items<I> {
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

struct Entries<'de, N, I> {
    entries: I,
    value: Option<(Key<'de, N>, N)>,
    depth: usize,
}

impl<'de, N: Node<'de>, I: Iterator<Item = (Key<'de, N>, N)>> MapAccess<'de> for Entries<'de, N, I> {
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
        let made = Deserializer::at(value, self.depth).and_then(|value| seed.deserialize(value));
        made.map_err(|fault| fault.within(|| key.step()))
    }

    fn size_hint(&self) -> Option<usize> {
        self.entries.size_hint().1
    }
}

struct Variant<'de, N> {
    name: &'de str,
    data: Option<N>,
    depth: usize,
}

impl<'de, N: Node<'de>> EnumAccess<'de> for Variant<'de, N> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let name: StrDeserializer<'_, Fault> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de, N: Node<'de>> Variant<'de, N> {
    fn data(&self) -> Result<Deserializer<N>, Fault> {
        let value = self.data.ok_or_else(|| Fault::new(format!("the variant `{}` needs data", self.name)))?;
        Deserializer::at(value, self.depth)
    }
}

impl<'de, N: Node<'de>> VariantAccess<'de> for Variant<'de, N> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.data {
            Some(data) if !data.is_none() => Err(Fault::new(format!("the variant `{}` has no data", self.name))),
            _ => Ok(()),
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
