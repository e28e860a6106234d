//! A Starlark callable as a function that WebAssembly imports.

use std::sync::Arc;

use starlark::eval::Evaluator;
use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{Value, ValueLike};
use wasmi::{Caller, FuncType, Val};

use super::convert;
use super::crossing::{self, Watch};
use super::function::{Function, INLINE_VALS, fill, to_starlark};
use super::host_module;
use super::scope::StoreData;
use super::store::{Callback, Store};
use super::store_ref::LiveStore;
use super::typed_calls;
use crate::error::{Error, ErrorKind};
use crate::module::types;

/// Makes `callback` a function of the store, of type `ty`; `name` is for messages, and `watch` is told of each call.
pub(crate) fn define<'v>(
    store: &Store<'v>,
    callback: Callback<'v>,
    ty: FuncType,
    name: String,
    watch: Option<Watch>,
) -> Result<wasmi::Func, Error> {
    // A wasm function of another store knows nothing of callers.
    let has_caller = callback.function.downcast_ref::<Function<'v>>().is_none();
    let index = store.add_callback(callback);
    let run = move |caller: &mut Caller<'_, StoreData>, params: &[Val], results: &mut [Val]| {
        crossing::leave(caller, |store, eval| {
            let call = HostCall { name: &name, index, has_caller, params };
            let value = call.call(store, eval)?;
            call.deliver(value, store, results).map_err(starlark::Error::from)
        })
    };
    store.with(|context| match watch {
        None => typed_calls::host_func(context, ty, run),
        Some(watch) => host_module::func(context, ty, Some(Arc::new(watch)), run),
    })
}

struct HostCall<'a> {
    name: &'a str,
    index: usize,
    has_caller: bool,
    params: &'a [Val],
}

impl HostCall<'_> {
    #[inline(always)]
    fn call<'v>(&self, store: LiveStore<'v>, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<Value<'v>> {
        let heap = eval.heap();
        let Some(Callback { function, caller }) = store.callback(self.index) else {
            return Err(Error::new(ErrorKind::Handle, "the store of this function is closed").into());
        };
        let mut inline = [Value::new_none(); INLINE_VALS];
        let mut spilled;
        let args = match inline.get_mut(..self.params.len() + 1) {
            Some(args) => args,
            None => {
                spilled = vec![Value::new_none(); self.params.len() + 1];
                spilled.as_mut_slice()
            }
        };
        let Some((first, rest)) = args.split_first_mut() else { return Ok(Value::new_none()) };
        *first = caller;
        for (slot, param) in rest.iter_mut().zip(self.params) {
            *slot = to_starlark(param, store, heap)?;
        }
        let args = if self.has_caller { &*args } else { &*rest };
        store.evaluation.as_ref().call_back(eval, function, args)
    }

    /// Describes what the function returned, and names it.
    #[cold]
    fn returned<'v>(&self, value: Value<'v>, store: &Store<'v>) -> String {
        let value = match value.get_type() {
            ty @ ("tuple" | "list") => format!("a {ty} of {}", value.length().unwrap_or_default()),
            _ => convert::describe(value),
        };
        match store.callback(self.index) {
            Some(callback) => {
                let definitions = &store.evaluation.as_ref().notes.definitions;
                format!("{value} from {}", definitions.describe(&callback.function.to_str()))
            }
            None => value,
        }
    }

    #[inline(always)]
    fn deliver<'v>(&self, value: Value<'v>, store: LiveStore<'v>, results: &mut [Val]) -> Result<(), Error> {
        let set = |slot: &mut Val, index: usize, value: Value<'v>| {
            let ty = slot.ty();
            fill(slot, value, ty, store).map_err(|expected| {
                Error::value(format!(
                    "result {index} of import `{}` must be {expected} ({}), got {}",
                    self.name,
                    types::type_name(ty),
                    self.returned(value, &store)
                ))
            })
        };
        match results {
            [] if value.is_none() => Ok(()),
            [] => Err(Error::value(format!(
                "import `{}` has no result, so its function must return None, got {}",
                self.name,
                self.returned(value, &store)
            ))),
            [one] => set(one, 0, value),
            many => {
                let count = many.len();
                let values = match (TupleRef::from_value(value), ListRef::from_value(value)) {
                    (Some(tuple), _) => tuple.content(),
                    (_, Some(list)) => list.content(),
                    _ => &[],
                };
                if values.len() != count {
                    return Err(Error::value(format!(
                        "import `{}` has {count} results, so its function must return a tuple or list of {count}, got {}",
                        self.name,
                        self.returned(value, &store)
                    )));
                }
                many.iter_mut().zip(values).enumerate().try_for_each(|(i, (slot, value))| set(slot, i, *value))
            }
        }
    }
}
