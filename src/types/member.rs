//! A typed reference from one of our values to another, where the two may refer to each other.

use std::marker::PhantomData;

use starlark::values::{StarlarkValue, Trace, Value, ValueLike, ValueTyped};

/// `ValueTyped`, except that it may be part of a cycle: that one asserts, in the midst of a collection,
/// that what it refers to has been moved whole, which in a cycle is yet to come.
#[derive(Trace)]
pub(crate) struct Member<'v, T> {
    value: Value<'v>,
    #[trace(unsafe_ignore)]
    ty: PhantomData<fn() -> T>,
}

impl<'v, T: StarlarkValue<'v>> Member<'v, T> {
    #[inline]
    pub(crate) fn to_value(&self) -> Value<'v> {
        self.value
    }

    #[inline]
    pub(crate) fn as_ref(&self) -> &'v T {
        match self.value.downcast_ref() {
            Some(value) => value,
            None => unreachable!("made of a `ValueTyped`, and values keep their types"),
        }
    }
}

impl<'v, T: StarlarkValue<'v>> From<ValueTyped<'v, T>> for Member<'v, T> {
    fn from(value: ValueTyped<'v, T>) -> Self {
        Self { value: value.to_value(), ty: PhantomData }
    }
}
