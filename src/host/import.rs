//! Rust closures that WebAssembly code calls, with no script in between.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::marker::PhantomData;
use std::sync::Arc;

use wasmi::{FuncType, StoreContextMut, Val, ValType};

use super::caller::Caller;
use super::dynamic_import::{DynamicImport, Number, NumberType};
use super::guarded::{guarded, watched};
use crate::api::host_module::{CallWatch, HostImport, HostModule, MemorySlot};
use crate::api::scope::StoreData;
use crate::error::{Error, ErrorKind};

mod sealed {
    use super::*;

    /// A number that both languages have.
    pub trait Numeric: wasmi::WasmTy + Copy {
        const TYPE: ValType;
        fn val(self) -> Val;
        fn of(val: &Val) -> Option<Self>;
    }

    /// What a wasmi function returns.
    pub trait Returned {
        type Wasm: wasmi::WasmRet;
        fn types() -> Vec<ValType>;
        fn into_wasm(self) -> Self::Wasm;
        fn failed(error: Error) -> Self::Wasm;
        /// The same, for whoever watches.
        fn vals(returned: &Self::Wasm) -> Result<Vec<Val>, &wasmi::Error>;
    }

    /// Where a closure is defined as a function.
    pub struct Target<'a> {
        pub(super) context: StoreContextMut<'a, StoreData>,
        pub(super) memory: MemorySlot,
        pub(super) watch: Option<Arc<dyn CallWatch>>,
    }
}

use sealed::{Numeric, Returned, Target};

/// A WebAssembly type as a Rust type: `i32` and `u32`, `i64` and `u64`, `f32`, `f64`. Only functions of a script can
/// take references and vectors.
pub trait WasmNumber: Numeric {}

macro_rules! numbers {
    ($($number:ty = $type:ident, |$value:ident| $val:expr, |$wasm:ident| $of:expr;)*) => {$(
        impl Numeric for $number {
            const TYPE: ValType = ValType::$type;

            fn val(self) -> Val {
                let $value = self;
                $val
            }

            fn of(val: &Val) -> Option<Self> {
                match val {
                    Val::$type($wasm) => Some($of),
                    _ => None,
                }
            }
        }

        impl WasmNumber for $number {}
    )*};
}

numbers! {
    i32 = I32, |value| Val::I32(value), |val| *val;
    u32 = I32, |value| Val::I32(value.cast_signed()), |val| val.cast_unsigned();
    i64 = I64, |value| Val::I64(value), |val| *val;
    u64 = I64, |value| Val::I64(value.cast_signed()), |val| val.cast_unsigned();
    f32 = F32, |value| Val::F32(value.into()), |val| val.to_float();
    f64 = F64, |value| Val::F64(value.into()), |val| val.to_float();
}

/// What an import returns: a `Result` of `()`, a [`WasmNumber`] or a tuple of up to four. The error is of any error type,
/// or a string.
pub trait ImportResult: Returned {}

macro_rules! results {
    ($($pattern:pat => $result:ty, $wasm:ty, $wasm_pattern:pat, [$($value:ident $type:ident),*], $made:expr;)*) => {$(
        impl<$($type: WasmNumber,)* Fault: Into<Box<dyn StdError + Send + Sync>>> Returned for Result<$result, Fault> {
            type Wasm = Result<$wasm, wasmi::Error>;

            fn types() -> Vec<ValType> {
                vec![$(<$type as Numeric>::TYPE),*]
            }

            #[inline]
            fn into_wasm(self) -> Self::Wasm {
                match self {
                    Ok($pattern) => Ok($made),
                    Err(error) => Self::failed(Error::host(error)),
                }
            }

            #[cold]
            fn failed(error: Error) -> Self::Wasm {
                Err(error.into_wasmi())
            }

            fn vals(returned: &Self::Wasm) -> Result<Vec<Val>, &wasmi::Error> {
                returned.as_ref().map(|returned| {
                    let $wasm_pattern = *returned;
                    vec![$($value.val()),*]
                })
            }
        }

        impl<$($type: WasmNumber,)* Fault: Into<Box<dyn StdError + Send + Sync>>> ImportResult
            for Result<$result, Fault> {}
    )*};
}

results! {
    () => (), (), (), [], ();
    a => A, (A,), (a,), [a A], (a,);
    (a, b) => (A, B), (A, B), (a, b), [a A, b B], (a, b);
    (a, b, c) => (A, B, C), (A, B, C), (a, b, c), [a A, b B, c C], (a, b, c);
    (a, b, c, d) => (A, B, C, D), (A, B, C, D), (a, b, c, d), [a A, b B, c C, d D], (a, b, c, d);
}

/// A closure that [`Sandbox::import`](crate::Sandbox::import) accepts: it takes a [`Caller`] and up to twelve arguments,
/// each a [`WasmNumber`], and returns an [`ImportResult`]. `Args` is inferred.
pub trait Import<Args>: Send + Sync + 'static + Sized {
    #[doc(hidden)]
    fn ty() -> FuncType;

    #[doc(hidden)]
    fn define(this: Arc<Self>, name: Arc<str>, target: Target<'_>) -> wasmi::Func;

    /// Calls it for a guest that runs elsewhere.
    #[doc(hidden)]
    fn call(&self, name: &str, caller: &mut Caller<'_>, params: &[Val]) -> Result<Vec<Val>, Error>;
}

macro_rules! imports {
    ($(($($type:ident $arg:ident),*);)*) => {$(
        impl<F, R, $($type),*> Import<(R, $($type,)*)> for F
        where
            F: for<'a, 'b> Fn(&'a mut Caller<'b>, $($type),*) -> R + Send + Sync + 'static,
            R: ImportResult,
            $($type: WasmNumber,)*
        {
            fn ty() -> FuncType {
                FuncType::new(<[ValType]>::iter(&[$(<$type as Numeric>::TYPE),*]).copied(), R::types())
            }

            fn define(this: Arc<Self>, name: Arc<str>, Target { context, memory, watch }: Target<'_>) -> wasmi::Func {
                let run = move |caller: &mut Caller<'_>, $($arg: $type),*| {
                    guarded(&name, || this(caller, $($arg),*).into_wasm()).unwrap_or_else(R::failed)
                };
                match watch {
                    None => wasmi::Func::wrap(context, move |caller: wasmi::Caller<'_, StoreData>, $($arg: $type),*| {
                        run(&mut Caller::new(caller, &memory), $($arg),*)
                    }),
                    Some(watch) => {
                        wasmi::Func::wrap(context, move |caller: wasmi::Caller<'_, StoreData>, $($arg: $type),*| {
                            let params = [$($arg.val()),*];
                            watched(&*watch, caller, &memory, &params, |caller| run(caller, $($arg),*), R::vals)
                        })
                    }
                }
            }

            #[allow(unused)]
            fn call(&self, name: &str, caller: &mut Caller<'_>, params: &[Val]) -> Result<Vec<Val>, Error> {
                let mut params = params.iter();
                $(let $arg = params.next().and_then($type::of).ok_or_else(|| unlike(name))?;)*
                let result = guarded(name, || self(caller, $($arg),*).into_wasm())?;
                R::vals(&result).map_err(|error| match Error::of_host(error) {
                    Some(ours) => ours.copy(),
                    None => Error::host(error.to_string()),
                })
            }
        }
    )*};
}

#[cold]
fn unlike(name: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("import `{name}` is called with arguments of other types than its own"))
}

imports! {
    ();
    (A a);
    (A a, B b);
    (A a, B b, C c);
    (A a, B b, C c, D d);
    (A a, B b, C c, D d, E e);
    (A a, B b, C c, D d, E e, G g);
    (A a, B b, C c, D d, E e, G g, H h);
    (A a, B b, C c, D d, E e, G g, H h, I i);
    (A a, B b, C c, D d, E e, G g, H h, I i, J j);
    (A a, B b, C c, D d, E e, G g, H h, I i, J j, K k);
    (A a, B b, C c, D d, E e, G g, H h, I i, J j, K k, L l);
    (A a, B b, C c, D d, E e, G g, H h, I i, J j, K k, L l, M m);
}

/// A closure of any type with its name.
struct Named<F, Args> {
    name: Arc<str>,
    function: Arc<F>,
    args: PhantomData<fn(Args)>,
}

impl<Args, F: Import<Args>> HostImport for Named<F, Args> {
    fn ty(&self) -> FuncType {
        F::ty()
    }

    fn origin(&self) -> &'static str {
        "the application gives"
    }

    fn define(
        self: Arc<Self>,
        context: StoreContextMut<'_, StoreData>,
        memory: &MemorySlot,
        watch: Option<Arc<dyn CallWatch>>,
    ) -> wasmi::Func {
        F::define(self.function.clone(), self.name.clone(), Target { context, memory: memory.clone(), watch })
    }
}

/// An import of the application.
pub(crate) trait Granted: HostImport {
    /// Calls it for a guest that runs elsewhere.
    #[cfg(feature = "isolated")]
    fn call(&self, caller: &mut Caller<'_>, params: &[Val]) -> Result<Vec<Val>, Error>;
}

impl<Args, F: Import<Args>> Granted for Named<F, Args> {
    #[cfg(feature = "isolated")]
    fn call(&self, caller: &mut Caller<'_>, params: &[Val]) -> Result<Vec<Val>, Error> {
        self.function.call(&self.name, caller, params)
    }
}

/// The imports that an application provides, by namespace and name.
#[derive(Clone, Default)]
pub(crate) struct Imports(BTreeMap<String, BTreeMap<String, Arc<dyn Granted>>>);

impl Imports {
    pub(crate) fn set<Args: 'static>(&mut self, module: String, name: String, function: impl Import<Args>) {
        let full = format!("{module}.{name}").into();
        let named = Named { name: full, function: Arc::new(function), args: PhantomData };
        self.0.entry(module).or_default().insert(name, Arc::new(named));
    }

    pub(crate) fn set_dynamic<F, Fault>(
        &mut self,
        module: String,
        name: String,
        (params, results): (&[NumberType], &[NumberType]),
        function: F,
    ) -> Result<(), Error>
    where
        F: Fn(&mut Caller<'_>, &[Number], &mut [Number]) -> Result<(), Fault> + Send + Sync + 'static,
        Fault: Into<Box<dyn StdError + Send + Sync>> + 'static,
    {
        let import = DynamicImport::new(format!("{module}.{name}"), params, results, function)?;
        self.0.entry(module).or_default().insert(name, Arc::new(import));
        Ok(())
    }
}

impl Imports {
    /// Returns all of them, sorted by namespace and name.
    #[cfg(feature = "isolated")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str, &Arc<dyn Granted>)> {
        self.0.iter().flat_map(|(module, names)| {
            names.iter().map(move |(name, import)| (module.as_str(), name.as_str(), import))
        })
    }
}

impl HostModule for Imports {
    fn find(&self, module: &str, name: &str) -> Option<Arc<dyn HostImport>> {
        let import: Arc<dyn HostImport> = self.0.get(module)?.get(name)?.clone();
        Some(import)
    }

    fn namespaces(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    fn names(&self, module: &str) -> Vec<&str> {
        self.0.get(module).into_iter().flat_map(BTreeMap::keys).map(String::as_str).collect()
    }
}
