//! How a script type becomes a handle: the parts that all handles share.
//!
//! A handle cannot outlive its evaluation. When the file that made it is frozen for `load`, its frozen twin takes its
//! place, and every use of the twin is the error `store::frozen()`. There are two kinds:
//!
//! - `handle!` is for what consists of a [`StoreRef`](super::store_ref::StoreRef) and a wasmi handle, which both
//!   freeze. The twin is the same type over frozen values, and its `StoreRef` refuses.
//! - `ended!` is for what owns live data, which cannot be frozen: the twin keeps the named fields alone, or none.

/// Defines a handle: a store reference and a wasmi handle, with its frozen twin, and how it prints.
macro_rules! handle {
    ($(#[$attribute:meta])* $generic:ident as $name:ident { $inner:ident: $ty:ty } prints $text:literal) => {
        $(#[$attribute])*
        #[derive(
            starlark::any::ProvidesStaticType,
            starlark::values::NoSerialize,
            allocative::Allocative,
            starlark::values::StarlarkPagablePanic,
            starlark::values::Trace,
            starlark::values::Freeze,
            starlark::coerce::Coerce,
            Clone,
        )]
        #[allocative(skip)]
        #[repr(C)]
        pub(crate) struct $generic<V> {
            pub(crate) owner: StoreRef<V>,
            #[trace(unsafe_ignore)]
            #[freeze(identity)]
            pub(crate) $inner: $ty,
        }

        // The user imports this macro, which calls itself by this name, and `StoreRef`, which is a tier above.
        starlark_complex_value!(pub(crate) $name);

        impl<V> std::fmt::Debug for $generic<V> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($text)
            }
        }

        impl<V> std::fmt::Display for $generic<V> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($text)
            }
        }
    };
}

/// Gives a type that owns live data its frozen twin, with the fields that outlive the evaluation, and says how the twin prints.
macro_rules! ended {
    ($(#[$attribute:meta])* $name:ident becomes $twin:ident $({ $($field:ident: $ty:ty),+ })? prints $text:literal) => {
        impl<'v> starlark::values::AllocValue<'v> for $name<'v> {
            fn alloc_value(self, heap: starlark::values::Heap<'v>) -> starlark::values::Value<'v> {
                heap.alloc_complex(self)
            }
        }

        impl starlark::values::Freeze for $name<'_> {
            type Frozen = $twin;

            fn freeze(self, _freezer: &starlark::values::Freezer) -> starlark::values::FreezeResult<$twin> {
                Ok($twin { $($($field: self.$field),+)? })
            }
        }

        $(#[$attribute])*
        #[derive(
            starlark::any::ProvidesStaticType,
            starlark::values::NoSerialize,
            allocative::Allocative,
            starlark::values::StarlarkPagablePanic,
        )]
        #[allocative(skip)]
        pub(crate) struct $twin { $($($field: $ty),+)? }

        impl std::fmt::Debug for $twin {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($text)
            }
        }

        impl std::fmt::Display for $twin {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($text)
            }
        }
    };
}

pub(super) use {ended, handle};
