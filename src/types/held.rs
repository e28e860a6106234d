//! A heap value whose type is known, held by another heap value.

use std::marker::PhantomData;

use starlark::values::{StarlarkValue, Trace, Tracer, Value, ValueLike, ValueTyped};

/// As starlark's [`ValueTyped`], but fit for a cycle: that one looks at its value's type while it is
/// traced, with debug assertions at least, and in a cycle the value is on its way then, and has none.
pub(crate) struct Held<'v, T> {
    value: Value<'v>,
    ty: PhantomData<fn() -> T>,
}

impl<'v, T: StarlarkValue<'v>> Held<'v, T> {
    #[inline]
    pub(crate) fn as_ref(&self) -> &'v T {
        match self.value.downcast_ref::<T>() {
            Some(value) => value,
            None => unreachable!("made of a `ValueTyped` of the same type"),
        }
    }

    #[inline]
    pub(crate) fn to_value(&self) -> Value<'v> {
        self.value
    }
}

impl<'v, T: StarlarkValue<'v>> From<ValueTyped<'v, T>> for Held<'v, T> {
    fn from(value: ValueTyped<'v, T>) -> Self {
        Self { value: value.to_value(), ty: PhantomData }
    }
}

// SAFETY: traces the one value that there is.
unsafe impl<'v, T> Trace<'v> for Held<'v, T> {
    fn trace(&mut self, tracer: &Tracer<'v>) {
        self.value.trace(tracer);
    }
}
