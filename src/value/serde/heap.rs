//! Makes values on a script's heap from an application's types, with no [`Value`] between.

use serde::Serialize;
use starlark::collections::SmallMap;
use starlark::values::bytes::StarlarkBytes;
use starlark::values::dict::Dict;
use starlark::values::list::AllocList;
use starlark::values::structs::AllocStruct;
use starlark::values::tuple::AllocTuple;
use starlark::values::{Heap, Value as Starlark};

use super::super::Value;
use super::super::starlark::{Arguments, MakeSet};
use super::Fault;
use super::arguments::{Parts, arguments, name_wanted};
use super::build::{Build, Container};
use crate::error::Error;

impl<'v> Arguments<'v, 'v> {
    /// Makes the arguments from a tuple or list, and a map or struct.
    ///
    /// # Errors
    ///
    /// The inner one if they cannot be serialised, the outer one if a value made of them fails in Starlark.
    pub(crate) fn serialize(
        positional: &(impl Serialize + ?Sized),
        named: &(impl Serialize + ?Sized),
        heap: Heap<'v>,
        make_set: &mut MakeSet<'_, 'v>,
    ) -> starlark::Result<Result<Self, Error>> {
        let mut builder = OnHeap { heap, make_set, error: None };
        let made = arguments(positional, named, &mut builder).and_then(Self::with_names);
        match builder.error {
            Some(error) => Err(error),
            None => Ok(made.map_err(Error::from)),
        }
    }

    fn with_names((positional, named): Parts<Starlark<'v>>) -> Result<Self, Fault> {
        let name = |(name, value): (Starlark<'v>, _)| {
            let text = name.unpack_str().ok_or_else(|| name_wanted(name.get_type()))?;
            Ok((text, value))
        };
        Ok(Self { positional, named: named.into_iter().map(name).collect::<Result<_, Fault>>()? })
    }
}

/// Makes values on a heap.
struct OnHeap<'a, 'b, 'v> {
    heap: Heap<'v>,
    make_set: &'a mut MakeSet<'b, 'v>,
    /// The error of Starlark's that ended the work.
    error: Option<starlark::Error>,
}

impl OnHeap<'_, '_, '_> {
    fn check<T>(&mut self, result: starlark::Result<T>) -> Result<T, Fault> {
        result.map_err(|error| {
            self.error = Some(error);
            Fault::new("the script's heap refuses it")
        })
    }
}

impl<'v> Build for OnHeap<'_, '_, 'v> {
    type Out = Starlark<'v>;
    type Dict = SmallMap<Starlark<'v>, Starlark<'v>>;

    fn none(&mut self) -> Starlark<'v> {
        Starlark::new_none()
    }

    fn bool(&mut self, value: bool) -> Starlark<'v> {
        Starlark::new_bool(value)
    }

    fn int(&mut self, value: i64) -> Starlark<'v> {
        self.heap.alloc(value)
    }

    fn float(&mut self, value: f64) -> Starlark<'v> {
        self.heap.alloc(value)
    }

    fn str(&mut self, value: &str) -> Starlark<'v> {
        self.heap.alloc(value)
    }

    fn bytes(&mut self, value: &[u8]) -> Starlark<'v> {
        self.heap.alloc(StarlarkBytes::new(value))
    }

    fn value(&mut self, value: Value) -> Result<Starlark<'v>, Fault> {
        let made = value.to_starlark(self.heap, self.make_set);
        self.check(made)
    }

    fn dict(&mut self, capacity: usize) -> Self::Dict {
        SmallMap::with_capacity(capacity)
    }

    #[inline]
    fn insert(&mut self, dict: &mut Self::Dict, key: Starlark<'v>, value: Starlark<'v>) -> Result<(), Fault> {
        let key = key.get_hashed();
        dict.insert_hashed(self.check(key)?, value);
        Ok(())
    }

    fn container(&mut self, made: Container<Self>) -> Result<Starlark<'v>, Fault> {
        Ok(match made {
            Container::List(values) => self.heap.alloc(AllocList(values)),
            Container::Tuple(values) => self.heap.alloc(AllocTuple(values)),
            Container::Set(values) => {
                let list = self.heap.alloc(AllocList(values));
                let set = (self.make_set)(list);
                self.check(set)?
            }
            Container::Dict(dict) => self.heap.alloc(Dict::new(dict)),
            Container::Struct(fields) => {
                let name = |(name, value): (Starlark<'v>, _)| (name.unpack_str().unwrap_or_default(), value);
                self.heap.alloc(AllocStruct(fields.into_iter().map(name)))
            }
        })
    }

    fn is_none(out: &Starlark<'v>) -> bool {
        out.is_none()
    }

    fn type_name(out: &Starlark<'v>) -> &'static str {
        out.get_type()
    }
}
