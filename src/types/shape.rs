//! Functions of the commonest types, with less work for wasmi at each call: it looks at no types at run
//! time, takes one lock less, and makes no list of values.
//!
//! The table is what the exports and imports of the modules in `examples/real` have most often, nine in
//! ten of them. A row costs 2 to 4 KB of code; a type that has none is called just the same, slower.

use wasmi::{Caller, F64, Func, FuncType, StoreContextMut, Val, ValType};

use super::scope::StoreData;

/// Runs a macro for each row of the table.
macro_rules! for_each_shape {
    ($row:ident) => {
        $row!([] => [], [r I32], [r I64], [r F64]);
        $row!([a I32] => [], [r I32], [r I64]);
        $row!([a I32, b I32] => [], [r I32], [r I64]);
        $row!([a I32, b I32, c I32] => [], [r I32], [r I64]);
        $row!([a I32, b I32, c I32, d I32] => [], [r I32]);
        $row!([a I32, b I32, c I32, d I32, e I32] => [r I32]);
        $row!([a I32, b I32, c I32, d I32, e I32, f I32] => [r I32]);
        $row!([a I64] => [], [r I32], [r I64]);
        $row!([a I64, b I64] => [], [r I64]);
        $row!([a I32, b I64] => [], [r I32], [r I64]);
        $row!([a I32, b I32, c I64] => [r I32]);
        $row!([a F64] => [r F64]);
        $row!([a F64, b F64] => [r F64]);
    };
}

macro_rules! rust {
    (I32) => { i32 };
    (I64) => { i64 };
    (F64) => { F64 };
}

/// Calls a function as `wasmi::Func::call` does.
pub(crate) type Call =
    dyn Fn(&mut StoreContextMut<'_, StoreData>, &[Val], &mut [Val]) -> Result<(), wasmi::Error> + Send + Sync;

/// The faster way to call `func`, which has type `ty`, if there is one.
pub(crate) fn fast_call(func: Func, ty: &FuncType, context: &StoreContextMut<'_, StoreData>) -> Option<Box<Call>> {
    macro_rules! shape {
        ([$($param:ident $param_ty:ident),*] [$($result:ident $result_ty:ident),*]) => {
            if *ty.params() == [$(ValType::$param_ty),*] && *ty.results() == [$(ValType::$result_ty),*] {
                let typed = func.typed::<($(rust!($param_ty),)*), ($(rust!($result_ty),)*)>(context).ok()?;
                return Some(Box::new(move |context, inputs, outputs| match (inputs, outputs) {
                    (&[$(Val::$param_ty($param)),*], [$($result),*]) => {
                        let results: ($(rust!($result_ty),)*) = typed.call(context, ($($param,)*))?;
                        ($(*$result,)*) = deal!(results $($result_ty)*);
                        Ok(())
                    }
                    (inputs, outputs) => func.call(context, inputs, outputs),
                }));
            }
        };
        ($params:tt => $($results:tt),*) => { $( shape!($params $results); )* };
    }
    macro_rules! deal {
        ($results:ident) => { $results };
        ($results:ident $ty:ident) => { (Val::$ty($results.0),) };
    }
    for_each_shape!(shape);
    None
}

/// A function of type `ty` that runs `run`, with parameters and a place for results.
pub(crate) fn host(
    context: StoreContextMut<'_, StoreData>,
    ty: FuncType,
    run: impl Fn(&mut Caller<'_, StoreData>, &[Val], &mut [Val]) -> Result<(), wasmi::Error> + Send + Sync + 'static,
) -> Func {
    macro_rules! shape {
        ([$($param:ident $param_ty:ident),*] [$($result:ident $result_ty:ident),*]) => {
            if *ty.params() == [$(ValType::$param_ty),*] && *ty.results() == [$(ValType::$result_ty),*] {
                return Func::wrap(context, move |mut caller: Caller<'_, StoreData>, $($param: rust!($param_ty)),*| {
                    let mut results = [$(Val::default_for_ty(ValType::$result_ty)),*];
                    run(&mut caller, &[$(Val::$param_ty($param)),*], &mut results)?;
                    match results {
                        [$(Val::$result_ty($result)),*] => Ok(($($result,)*)),
                        #[allow(unreachable_patterns)]
                        _ => Err(wasmi::Error::new("a host function changed the type of its result")),
                    }
                });
            }
        };
        ($params:tt => $($results:tt),*) => { $( shape!($params $results); )* };
    }
    for_each_shape!(shape);
    Func::new(context, ty, move |mut caller, params, results| run(&mut caller, params, results))
}
