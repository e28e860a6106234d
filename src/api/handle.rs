//! Macros that make a script type a handle: the parts that all handles share.
//!
//! A handle cannot outlive its evaluation. When the file that made it is frozen for `load`, its frozen twin replaces it, and
//! every use of the twin is the error `store::frozen()`. There are two kinds:
//!
//! - `handle!` is for a [`StoreRef`](super::store_ref::StoreRef) with a wasmi handle, which both can be frozen. The twin is
//!   the same type with a frozen `StoreRef`, which refuses every use.
//! - `ended!` is for a type that owns live data, which cannot be frozen. The twin keeps only the named fields, or none.

/// Defines a handle, which is a store reference and a wasmi handle, with its frozen twin and its text.
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

        // Users of `handle!` import this macro, since it calls itself by this name, and `StoreRef`, which is a tier above.
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

/// Defines the frozen twin of a type that owns live data: the fields that outlive the evaluation, and the twin's text.
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
