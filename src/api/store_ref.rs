//! A handle's checked reference to the store of the thing that it stands for.
//!
//! Each use of a handle, be it a call or an access to memory, begins with its store. Asking starlark for the type of a value
//! is a call through a pointer, and took a tenth of the time of a typed read. So a `StoreRef` is made of a value that is
//! known to be a store, and then checks only one bit: whether the value has been frozen since.
#![allow(unsafe_code)]

use starlark::coerce::Coerce;
use starlark::values::{Freeze, Trace, Value, ValueLike, ValueTyped};

use super::store::{self, Store};
use crate::error::Error;

/// The value of a `Store`, or, once its evaluation has ended, of the `EndedStore` that it became.
#[derive(Clone, Copy, Trace, Freeze, Coerce)]
#[repr(transparent)]
pub(crate) struct StoreRef<V>(V);

impl<'v> StoreRef<Value<'v>> {
    /// Makes a reference to a store, or returns an error if the value is not a live one.
    pub(crate) fn new(store: Value<'v>) -> Result<Self, Error> {
        Store::live(store)?;
        Ok(Self(store))
    }
}

impl<'v, V: ValueLike<'v>> StoreRef<V> {
    #[inline]
    pub(crate) fn to_value(self) -> Value<'v> {
        self.0.to_value()
    }

    /// Converts a reference of any kind of handle.
    #[inline]
    pub(crate) fn to_store_ref(self) -> StoreRef<Value<'v>> {
        StoreRef(self.0.to_value())
    }

    /// Returns the store, or an error if its evaluation has ended.
    #[inline]
    pub(crate) fn store(self) -> Result<&'v Store<'v>, Error> {
        let value = self.0.to_value();
        if value.unpack_frozen().is_some() {
            return Err(store::frozen());
        }
        // SAFETY: all references come from `new`, which has seen a `Store`. Tracing does not change a value's type. Freezing
        // does, but makes the value a frozen one, which was refused above.
        Ok(unsafe { ValueTyped::<Store<'v>>::new_unchecked(value) }.as_ref())
    }
}
