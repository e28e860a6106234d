//! Faster calls of functions with the most common types. wasmi does not look at types at run time, takes one lock less, and
//! makes no list of values.
//!
//! The table has the types that are most common in the modules of `examples/real`: more than eight in ten of the functions
//! that they export and import. The pair of results and the eight parameters are in it because the benchmarks measure them.
//! Each type adds a few kilobytes of code. A function whose type is not in the table works too, but is called more slowly.
//!
//! In the core the table is empty: its calls cross to the host, which is the same work for all types.
#![cfg_attr(
    all(feature = "core", target_family = "wasm"),
    allow(dead_code, unused_imports, unused_macros, unused_variables)
)]

use starlark::eval::{Arguments, Evaluator};
use starlark::values::{Heap, Value};
use wasmi::{Caller, F64, Func, FuncType, StoreContextMut, Val, ValType};

use super::callers;
use super::convert;
use super::crossing;
use super::scope::StoreData;
use super::store_ref::LiveStore;
use crate::frames::Framed;
use crate::slices::{self, Sliced};

#[cfg(all(feature = "core", target_family = "wasm"))]
macro_rules! for_each_signature {
    ($row:ident) => {};
}

/// Runs a macro for each row of the table.
#[cfg(not(all(feature = "core", target_family = "wasm")))]
macro_rules! for_each_signature {
    ($row:ident) => {
        $row!([] => [], [r i32], [r i64], [r F64]);
        $row!([a i32] => [], [r i32], [r i64]);
        $row!([a i32, b i32] => [], [r i32], [r i64], [r i32, s i32]);
        $row!([a i32, b i32, c i32] => [], [r i32], [r i64]);
        $row!([a i32, b i32, c i32, d i32] => [], [r i32]);
        $row!([a i32, b i32, c i32, d i32, e i32] => [r i32]);
        $row!([a i32, b i32, c i32, d i32, e i32, f i32] => [r i32]);
        $row!([a i64] => [], [r i32], [r i64]);
        $row!([a i64, b i64] => [], [r i64]);
        $row!([a i32, b i64] => [], [r i32], [r i64]);
        $row!([a i32, b i32, c i64] => [r i32]);
        $row!([a F64] => [r F64]);
        $row!([a F64, b F64] => [r F64]);
        $row!([a i64, b i64, c i64, d i64, e i64, f i64, g i64, h i64] => [r i64]);
    };
}

/// A number type of the table.
trait Scalar: Sized {
    const TYPE: ValType;
    /// Converts a value of a script; `None` if that is not possible.
    fn from_starlark(value: Value<'_>) -> Option<Self>;
    /// Converts the number to a value of a script.
    fn to_starlark(self, heap: Heap<'_>) -> Value<'_>;
    fn from_val(val: &Val) -> Result<Self, wasmi::Error>;
}

macro_rules! scalar {
    ($scalar:ty, $variant:ident, $convert:path, |$x:ident, $heap:ident| $alloc:expr) => {
        impl Scalar for $scalar {
            const TYPE: ValType = ValType::$variant;

            #[inline]
            fn from_starlark(value: Value<'_>) -> Option<Self> {
                $convert(value).ok()
            }

            #[inline]
            fn to_starlark(self, heap: Heap<'_>) -> Value<'_> {
                let ($x, $heap) = (self, heap);
                $alloc
            }

            #[inline]
            fn from_val(val: &Val) -> Result<Self, wasmi::Error> {
                match val {
                    Val::$variant(x) => Ok(*x),
                    _ => Err(wasmi::Error::new("a host function gave a result of another type")),
                }
            }
        }
    };
}

scalar!(i32, I32, convert::to_i32, |x, heap| heap.alloc(x));
scalar!(i64, I64, convert::to_i64, |x, heap| convert::int(x, heap));
scalar!(F64, F64, convert::to_f64, |x, heap| heap.alloc(convert::float(x.to_float())));

/// Calls a function of a store with a script's arguments. Returns `None`, before anything has run, if something is wrong with
/// them or with the store: the slower way then reports it.
pub(crate) type TypedCall = dyn for<'v> Fn(LiveStore<'v>, &Arguments<'v, '_>, &mut Evaluator<'v, '_, '_>) -> Option<Result<Value<'v>, wasmi::Error>>
    + Send
    + Sync;

/// Returns the faster way to call `func`, whose type is `ty`, if there is one.
pub(crate) fn typed_call(
    func: Func,
    ty: &FuncType,
    context: &StoreContextMut<'_, StoreData>,
) -> Option<Box<TypedCall>> {
    // Only the slower way begins and ends the frames of a call.
    if context.data().frames().is_some() {
        return None;
    }
    if context.data().has_profile() {
        return Some(Box::new(|store, _, eval| {
            callers::note(&store, eval);
            None
        }));
    }
    macro_rules! typed {
        ([$($param:ident $param_ty:ty),*] [$($result:ident $result_ty:ty),*]) => {
            if *ty.params() == [$(<$param_ty>::TYPE),*] && *ty.results() == [$(<$result_ty>::TYPE),*] {
                let typed = func.typed::<($($param_ty,)*), ($($result_ty,)*)>(context).ok()?;
                macro_rules! calling {
                    ($call:expr) => {
                        Box::new(move |store, args, eval| {
                            let heap = eval.heap();
                            // Checked first, since `positional` would make a list of any number of `*args`.
                            if args.len().ok()? != <[ValType]>::len(&[$(<$param_ty>::TYPE),*]) {
                                return None;
                            }
                            let [$($param),*] = args.positional(heap).ok()?;
                            let params = ($(<$param_ty>::from_starlark($param)?,)*);
                            let results =
                                crossing::enter(store, eval, |context| $call(&typed, context, params)).ok()?;
                            Some(results.map(|($($result,)*)| returned!(heap $($result)*)))
                        })
                    };
                }
                // Two closures, not a branch in one: the result of a call in slices is larger, which would slow down every call.
                return Some(match context.data().slices() {
                    None => calling!(wasmi::TypedFunc::call),
                    Some(_) => calling!(slices::call_typed),
                });
            }
        };
        ($params:tt => $($results:tt),*) => { $( typed!($params $results); )* };
    }
    macro_rules! returned {
        ($heap:ident) => { Value::new_none() };
        ($heap:ident $result:ident) => { $result.to_starlark($heap) };
        ($heap:ident $($result:ident)*) => { $heap.alloc(($($result.to_starlark($heap),)*)) };
    }
    for_each_signature!(typed);
    None
}

/// Defines a function of type `ty` that runs `run` with the parameters and a place for the results.
pub(crate) fn host_func(
    context: StoreContextMut<'_, StoreData>,
    ty: FuncType,
    run: impl Fn(&mut Caller<'_, StoreData>, &[Val], &mut [Val]) -> Result<(), wasmi::Error> + Send + Sync + 'static,
) -> Func {
    macro_rules! typed {
        ([$($param:ident $param_ty:ty),*] [$($result:ident $result_ty:ty),*]) => {
            if *ty.params() == [$(<$param_ty>::TYPE),*] && *ty.results() == [$(<$result_ty>::TYPE),*] {
                return Func::wrap(context, move |mut caller: Caller<'_, StoreData>, $($param: $param_ty),*| {
                    let mut results = [$(Val::default_for_ty(<$result_ty>::TYPE)),*];
                    run(&mut caller, &[$(Val::from($param)),*], &mut results)?;
                    let [$($result),*] = &results;
                    Ok(($(<$result_ty>::from_val($result)?,)*))
                });
            }
        };
        ($params:tt => $($results:tt),*) => { $( typed!($params $results); )* };
    }
    for_each_signature!(typed);
    Func::new(context, ty, move |mut caller, params, results| run(&mut caller, params, results))
}
