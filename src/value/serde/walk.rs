//! Converts values on a script's heap to an application's types, with no [`Value`] between.

use std::cell::Cell;
use std::iter::Copied;
use std::{slice, vec};

use num_bigint::BigInt;
use serde::de::DeserializeOwned;
use starlark::values::bytes::StarlarkBytes;
use starlark::values::dict::DictRef;
use starlark::values::float::StarlarkFloat;
use starlark::values::list::ListRef;
use starlark::values::record::Record;
use starlark::values::set::SetRef;
use starlark::values::structs::StructRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{Heap, UnpackValue, Value as Starlark, ValueLike};

use super::super::starlark::{MAX_SIZE, parts, too_large};
use super::super::{Int, Value};
use super::Fault;
use super::deserialize::Deserializer;
use super::node::{Key, Node, View};
use super::serialize::step;
use crate::error::Error;

/// Converts a value to a type of the application's.
///
/// # Errors
///
/// The inner one if the value does not fit the type, the outer one if it is nested too deeply or too large to leave its
/// script.
pub(crate) fn deserialize<'v, T: DeserializeOwned>(
    value: Starlark<'v>,
    heap: Heap<'v>,
) -> Result<Result<T, Error>, Error> {
    let walk = Walk { heap, left: Cell::new(MAX_SIZE), is_too_large: Cell::new(false) };
    let made = T::deserialize(Deserializer::new(Live { value, walk: &walk }));
    match walk.is_too_large.get() {
        true => Err(too_large(value)),
        false => Ok(made.map_err(Error::from)),
    }
}

/// A reading of one value.
struct Walk<'v> {
    heap: Heap<'v>,
    /// The size that the rest of the value may have.
    left: Cell<usize>,
    is_too_large: Cell<bool>,
}

impl Walk<'_> {
    /// Counts a part of the value with this much text.
    fn take(&self, text: usize) -> Result<(), Fault> {
        match self.left.get().checked_sub(parts(text)) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(self.too_large()),
        }
    }

    fn too_large(&self) -> Fault {
        self.is_too_large.set(true);
        Fault::too_deep()
    }
}

/// A value on a heap.
#[derive(Clone, Copy)]
struct Live<'a, 'v> {
    value: Starlark<'v>,
    walk: &'a Walk<'v>,
}

impl<'a, 'v> Node<'v> for Live<'a, 'v> {
    type Seq = Seq<'a, 'v>;
    type Map = vec::IntoIter<(Key<'v, Self>, Self)>;

    fn view(self) -> Result<View<'v, Self>, Fault> {
        let Self { value, walk } = self;
        if value.is_none() {
            walk.take(0)?;
            return Ok(View::None);
        }
        if let Some(value) = value.unpack_bool() {
            walk.take(0)?;
            return Ok(View::Bool(value));
        }
        if let Some(value) = value.unpack_i32() {
            walk.take(0)?;
            return Ok(View::Int(value.into()));
        }
        if let Some(value) = value.unpack_str() {
            walk.take(value.len())?;
            return Ok(View::Str(value));
        }
        let part = |value| Self { value, walk };
        if let Some(entries) = DictRef::from_value(value) {
            walk.take(0)?;
            let entries = entries.iter().map(|(key, value)| (Key::Value(part(key)), part(value)));
            return Ok(View::Map(entries.collect::<Vec<_>>().into_iter()));
        }
        if let Some(values) = ListRef::from_value(value) {
            walk.take(0)?;
            return Ok(View::Seq(Seq { values: Values::Borrowed(values.iter()), walk }));
        }
        if let Some(values) = TupleRef::from_value(value) {
            walk.take(0)?;
            return Ok(View::Seq(Seq { values: Values::Borrowed(values.iter()), walk }));
        }
        self.view_rare()
    }

    fn is_none(self) -> bool {
        self.value.is_none()
    }

    fn too_deep(self) -> Fault {
        self.walk.too_large()
    }

    fn step(self) -> String {
        let key = Value::from_starlark_or_name(self.value, self.walk.heap);
        step(&key)
    }
}

impl<'v> Live<'_, 'v> {
    fn view_rare(self) -> Result<View<'v, Self>, Fault> {
        let Self { value, walk } = self;
        let part = |value| Self { value, walk };
        if let Some(value) = value.downcast_ref::<StarlarkFloat>() {
            walk.take(0)?;
            return Ok(View::Float(value.0));
        }
        if let Ok(Some(value)) = BigInt::unpack_value(value) {
            walk.take(usize::try_from(value.bits() / 8).unwrap_or(usize::MAX))?;
            let int = Int::from_big(value);
            return Ok(i64::try_from(&int).map_or_else(|_| View::Wide(int), View::Int));
        }
        if let Some(value) = value.downcast_ref::<StarlarkBytes>() {
            walk.take(value.as_bytes().len())?;
            return Ok(View::Bytes(value.as_bytes()));
        }
        walk.take(0)?;
        if let Ok(Some(_)) = SetRef::unpack_value(value) {
            let values = value.iterate(walk.heap).map_err(|_| walk.too_large())?;
            return Ok(View::Seq(Seq { values: Values::Owned(values.collect::<Vec<_>>().into_iter()), walk }));
        }
        let mut fields = Vec::new();
        let mut push = |name: &'v str, value| {
            fields.push((Key::Field(name), part(value)));
            walk.take(name.len())
        };
        if let Some(all) = StructRef::from_value(value) {
            all.iter().try_for_each(|(name, value)| push(name.as_str(), value))?;
        } else if let Some(all) = Record::from_value(value) {
            all.iter().try_for_each(|(name, value)| push(name, value))?;
        } else {
            let text = value.to_repr();
            walk.take(text.len())?;
            return Ok(View::Opaque(text));
        }
        Ok(View::Map(fields.into_iter()))
    }
}

/// The elements of a list, tuple or set.
struct Seq<'a, 'v> {
    values: Values<'v>,
    walk: &'a Walk<'v>,
}

enum Values<'v> {
    Borrowed(Copied<slice::Iter<'v, Starlark<'v>>>),
    Owned(vec::IntoIter<Starlark<'v>>),
}

impl<'a, 'v> Iterator for Seq<'a, 'v> {
    type Item = Live<'a, 'v>;

    fn next(&mut self) -> Option<Self::Item> {
        let value = match &mut self.values {
            Values::Borrowed(values) => values.next(),
            Values::Owned(values) => values.next(),
        };
        value.map(|value| Live { value, walk: self.walk })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.values {
            Values::Borrowed(values) => values.size_hint(),
            Values::Owned(values) => values.size_hint(),
        }
    }
}

impl ExactSizeIterator for Seq<'_, '_> {}
