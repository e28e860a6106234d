//! What the deserialiser reads: a [`Value`], or a value on a script's heap.

use super::super::{Int, Struct, Value};
use super::Fault;
use super::serialize::step;

/// A value, or a part of one.
pub(super) trait Node<'de>: Copy {
    type Seq: ExactSizeIterator<Item = Self>;
    type Map: Iterator<Item = (Key<'de, Self>, Self)>;

    fn view(self) -> Result<View<'de, Self>, Fault>;
    fn is_none(self) -> bool;
    /// Returns the fault for a value that is nested too deeply.
    fn too_deep(self) -> Fault;
    /// Returns the step for this key in a message's path.
    fn step(self) -> String;
}

/// The value itself, or the parts of a container.
pub(super) enum View<'de, N: Node<'de>> {
    None,
    Bool(bool),
    Int(i64),
    /// An int that is wider than 64 bits.
    Wide(Int),
    Float(f64),
    Str(&'de str),
    Bytes(&'de [u8]),
    Seq(N::Seq),
    Map(N::Map),
    /// A value that cannot leave its script, as text.
    Opaque(String),
}

/// The key of a dict, or the name of a field.
#[derive(Clone, Copy)]
pub(super) enum Key<'de, N> {
    Value(N),
    Field(&'de str),
}

impl<'de, N: Node<'de>> Key<'de, N> {
    pub(super) fn step(self) -> String {
        match self {
            Self::Value(key) => key.step(),
            Self::Field(name) => format!(".{name}"),
        }
    }
}

impl<'de> Node<'de> for &'de Value {
    type Seq = std::slice::Iter<'de, Value>;
    type Map = Entries<'de>;

    fn view(self) -> Result<View<'de, Self>, Fault> {
        Ok(match self {
            Value::None => View::None,
            Value::Bool(value) => View::Bool(*value),
            Value::Int(int) => i64::try_from(int).map_or_else(|_| View::Wide(int.clone()), View::Int),
            Value::Float(value) => View::Float(*value),
            Value::Str(value) => View::Str(value),
            Value::Bytes(value) => View::Bytes(value),
            Value::List(values) | Value::Tuple(values) | Value::Set(values) => View::Seq(values.iter()),
            Value::Dict(entries) => View::Map(Entries::Dict(entries.iter())),
            Value::Struct(Struct { fields, .. }) => View::Map(Entries::Fields(fields.iter())),
            Value::Opaque(text) => View::Opaque(text.clone()),
        })
    }

    fn is_none(self) -> bool {
        Value::is_none(self)
    }

    fn too_deep(self) -> Fault {
        Fault::too_deep()
    }

    fn step(self) -> String {
        step(self)
    }
}

/// The entries of a dict, or the fields of a struct.
pub(super) enum Entries<'de> {
    Dict(std::slice::Iter<'de, (Value, Value)>),
    Fields(std::slice::Iter<'de, (String, Value)>),
}

impl<'de> Iterator for Entries<'de> {
    type Item = (Key<'de, &'de Value>, &'de Value);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Dict(entries) => entries.next().map(|(key, value)| (Key::Value(key), value)),
            Self::Fields(fields) => fields.next().map(|(name, value)| (Key::Field(name), value)),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Dict(entries) => entries.size_hint(),
            Self::Fields(fields) => fields.size_hint(),
        }
    }
}
