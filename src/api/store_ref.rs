//! A handle's checked reference to the store that owns what is behind it.
//!
//! A handle that is used reaches for its store first, at each call and each access to memory. To ask starlark
//! whether a value has a type is a call through a pointer, and was a tenth of a typed read. So a `StoreRef` is made
//! of what is known to be a store, and from then on looks at one bit alone: whether the value was frozen since.
#![allow(unsafe_code)]

use starlark::coerce::Coerce;
use starlark::values::{Freeze, Trace, Value, ValueLike, ValueTyped};

use super::store::{self, Store};
use crate::error::Error;

/// The value of a `Store`; after its evaluation, of the `EndedStore` that it became.
#[derive(Clone, Copy, Trace, Freeze, Coerce)]
#[repr(transparent)]
pub(crate) struct StoreRef<V>(V);

impl<'v> StoreRef<Value<'v>> {
    /// An error for what is no live store.
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

    /// The same, of a handle of any kind.
    #[inline]
    pub(crate) fn to_store_ref(self) -> StoreRef<Value<'v>> {
        StoreRef(self.0.to_value())
    }

    /// The store; an error if its evaluation is over.
    #[inline]
    pub(crate) fn store(self) -> Result<&'v Store<'v>, Error> {
        let value = self.0.to_value();
        if value.unpack_frozen().is_some() {
            return Err(store::frozen());
        }
        // SAFETY: `new`, which all others come from, saw a `Store`. Tracing keeps a value's type, and freezing,
        // which does not, makes it a frozen value: such a one was turned away above.
        Ok(unsafe { ValueTyped::<Store<'v>>::new_unchecked(value) }.as_ref())
    }
}
