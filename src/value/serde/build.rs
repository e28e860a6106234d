//! What the serialiser makes: a [`Value`], or a value on a script's heap.

use super::super::{Int, Struct, Value};
use super::Fault;

/// Makes values of one kind.
pub(super) trait Build: Sized {
    type Out;
    /// A dict under construction.
    type Dict: IntoIterator<Item = (Self::Out, Self::Out)>;

    fn none(&mut self) -> Self::Out;
    fn bool(&mut self, value: bool) -> Self::Out;
    fn int(&mut self, value: i64) -> Self::Out;
    fn float(&mut self, value: f64) -> Self::Out;
    fn str(&mut self, value: &str) -> Self::Out;
    fn bytes(&mut self, value: &[u8]) -> Self::Out;
    /// Makes any value, such as an int that is wider than 64 bits, or the key of a map.
    fn value(&mut self, value: Value) -> Result<Self::Out, Fault>;
    fn dict(&mut self, capacity: usize) -> Self::Dict;
    fn insert(&mut self, dict: &mut Self::Dict, key: Self::Out, value: Self::Out) -> Result<(), Fault>;
    fn container(&mut self, made: Container<Self>) -> Result<Self::Out, Fault>;
    fn is_none(out: &Self::Out) -> bool;
    /// Returns the name of the value's type, as Starlark's `type` does.
    fn type_name(out: &Self::Out) -> &'static str;
}

/// What serialising gives. A container is made by whoever holds its parts: those of the outermost one are the arguments of a
/// call.
pub(super) enum Made<B: Build> {
    Whole(B::Out),
    Container(Container<B>),
}

pub(super) enum Container<B: Build> {
    List(Vec<B::Out>),
    Tuple(Vec<B::Out>),
    Set(Vec<B::Out>),
    Dict(B::Dict),
    /// Its keys are strings.
    Struct(Vec<(B::Out, B::Out)>),
}

impl<B: Build> Made<B> {
    #[inline]
    pub(super) fn whole(self, builder: &mut B) -> Result<B::Out, Fault> {
        match self {
            Self::Whole(value) => Ok(value),
            Self::Container(container) => builder.container(container),
        }
    }

    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Whole(value) => B::type_name(value),
            Self::Container(Container::List(_)) => "list",
            Self::Container(Container::Tuple(_)) => "tuple",
            Self::Container(Container::Set(_)) => "set",
            Self::Container(Container::Dict(_)) => "dict",
            Self::Container(Container::Struct(_)) => "struct",
        }
    }
}

/// Makes owned values.
pub(super) struct Owned;

impl Build for Owned {
    type Out = Value;
    type Dict = Vec<(Value, Value)>;

    fn none(&mut self) -> Value {
        Value::None
    }

    fn bool(&mut self, value: bool) -> Value {
        Value::Bool(value)
    }

    fn int(&mut self, value: i64) -> Value {
        Value::from(value)
    }

    fn float(&mut self, value: f64) -> Value {
        Value::Float(value)
    }

    fn str(&mut self, value: &str) -> Value {
        Value::from(value)
    }

    fn bytes(&mut self, value: &[u8]) -> Value {
        Value::from(value)
    }

    fn value(&mut self, value: Value) -> Result<Value, Fault> {
        Ok(value)
    }

    fn dict(&mut self, capacity: usize) -> Self::Dict {
        Vec::with_capacity(capacity)
    }

    fn insert(&mut self, dict: &mut Self::Dict, key: Value, value: Value) -> Result<(), Fault> {
        dict.push((key, value));
        Ok(())
    }

    fn container(&mut self, made: Container<Self>) -> Result<Value, Fault> {
        Ok(match made {
            Container::List(values) => Value::List(values),
            Container::Tuple(values) => Value::Tuple(values),
            Container::Set(values) => Value::Set(values),
            Container::Dict(entries) => Value::Dict(entries),
            Container::Struct(fields) => {
                let name = |key| if let Value::Str(name) = key { name } else { key.to_string() };
                Value::Struct(Struct::new(fields.into_iter().map(|(key, value)| (name(key), value))))
            }
        })
    }

    fn is_none(out: &Value) -> bool {
        out.is_none()
    }

    fn type_name(out: &Value) -> &'static str {
        out.type_name()
    }
}

/// Makes an int of any width.
#[inline]
pub(super) fn wide<B: Build>(builder: &mut B, value: impl TryInto<i64> + Into<Int> + Copy) -> Result<Made<B>, Fault> {
    Ok(Made::Whole(match value.try_into() {
        Ok(value) => builder.int(value),
        Err(_) => builder.value(Value::Int(value.into()))?,
    }))
}
