//! The store of a handle: the reference that the handle keeps, and the store while it is used.
//!
//! Each use of a handle, be it a call or an access to memory, begins with its store. Asking starlark for the type of a value
//! is a call through a pointer, and took a tenth of the time of a typed read. So a `StoreRef` is made of a value that is
//! known to be a store, and then checks only one bit: whether the value has been frozen since.
#![allow(unsafe_code)]

use std::ops::Deref;

use starlark::coerce::Coerce;
use starlark::values::{Freeze, Trace, Value, ValueLike, ValueTyped};

use super::store::{self, Store};
use crate::error::Error;

/// The value of a `Store`, or, once its evaluation has ended, of the `EndedStore` that it became.
#[derive(Clone, Copy, Trace, Freeze, Coerce)]
#[repr(transparent)]
pub(crate) struct StoreRef<V>(V);

/// A store whose evaluation is running, for one use. It comes with its own value, by which handles, the holder of the fuel,
/// and entries into wasm name the store.
#[derive(Clone, Copy)]
pub(crate) struct LiveStore<'v> {
    value: Value<'v>,
    store: &'v Store<'v>,
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
    pub(crate) fn store(self) -> Result<LiveStore<'v>, Error> {
        let value = self.0.to_value();
        if value.unpack_frozen().is_some() {
            return Err(store::frozen());
        }
        // SAFETY: all references come from `LiveStore::to_ref`, and all live stores from here or from `LiveStore::new`, which
        // has seen a `Store`. Tracing does not change a value's type. Freezing does, but makes the value a frozen one, which
        // was refused above.
        let store = unsafe { ValueTyped::<Store<'v>>::new_unchecked(value) }.as_ref();
        Ok(LiveStore { value, store })
    }
}

impl<'v> LiveStore<'v> {
    /// Returns the store that a value is, or an error if its evaluation has ended.
    #[inline]
    pub(crate) fn new(value: Value<'v>) -> Result<Self, Error> {
        Ok(Self { value, store: Store::live(value)? })
    }

    #[inline]
    pub(crate) fn to_value(self) -> Value<'v> {
        self.value
    }

    /// Returns the reference for a handle to keep.
    pub(crate) fn to_ref(self) -> StoreRef<Value<'v>> {
        StoreRef(self.value)
    }

    /// Returns whether `value` is the value of this store.
    #[inline]
    pub(crate) fn is(self, value: Value<'v>) -> bool {
        self.value.ptr_eq(value)
    }
}

impl<'v> Deref for LiveStore<'v> {
    type Target = Store<'v>;

    #[inline]
    fn deref(&self) -> &Store<'v> {
        self.store
    }
}
