//! `wasm.Function`: a WebAssembly function as a Starlark callable, and references between the two
//! languages.

use std::fmt;
use std::sync::Arc;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::coerce::Coerce;
use starlark::collections::StarlarkHasher;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::eval::{Arguments, Evaluator};
use starlark::values::tuple::{AllocTuple, TupleRef};
use starlark::values::{
    Freeze, Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Trace, Value, ValueLike, starlark_value,
};
use starlark::{starlark_complex_value, starlark_module};
use wasmi::{FuncType, Nullable, Val, ValType};

use super::convert::{self, Expected};
use super::crossing::{self, GuestName, Watch};
use super::identity::{Identity, are_same};
use super::store_ref::{LiveStore, StoreRef};
use super::typed_calls;
use crate::error::{Error, ErrorKind, GuestCall, Limit};
use crate::host_failure::HostFailure;
use crate::module::types::{self, signature};
use crate::observe::Side;
use crate::slices;
use crate::wording;

/// The number of values that a call in either direction keeps on the native stack. If there are more, they go to a vector.
pub(super) const INLINE_VALS: usize = 12;

/// The name of a function that was reached through a reference.
const NAMELESS: &str = "func";

#[derive(ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic, Trace, Freeze, Coerce, Clone)]
#[allocative(skip)]
#[repr(C)]
pub(crate) struct FunctionGen<V> {
    pub(crate) owner: StoreRef<V>,
    #[trace(unsafe_ignore)]
    #[freeze(identity)]
    pub(crate) func: wasmi::Func,
    #[trace(unsafe_ignore)]
    #[freeze(identity)]
    pub(crate) ty: FuncType,
    /// The faster way to call it, if its type has one.
    #[trace(unsafe_ignore)]
    #[freeze(identity)]
    typed: Option<Arc<typed_calls::TypedCall>>,
    #[trace(unsafe_ignore)]
    #[freeze(identity)]
    name: Option<Box<str>>,
}

starlark_complex_value!(pub(crate) Function);

impl<'v> Function<'v> {
    /// Returns the handle of a function. If it is reached through an export, it has that export's name. A reference becomes
    /// the handle that was made first for its function, with whatever name that has.
    pub(crate) fn wrap(
        store: LiveStore<'v>,
        func: wasmi::Func,
        name: Option<&str>,
        guest: &GuestName,
        heap: Heap<'v>,
    ) -> Result<Value<'v>, Error> {
        let make = || {
            let observation = store.evaluation.as_ref().observation.as_ref();
            let (ty, typed) = store.with(|context| {
                let ty = func.ty(&context);
                let typed = match observation {
                    None => typed_calls::typed_call(func, &ty, &context),
                    Some(observation) => {
                        let watch = Watch::of_export(observation, guest, Side::Script, name.unwrap_or(NAMELESS));
                        Some(watched_call(func, ty.clone(), name.map(Into::into), watch))
                    }
                };
                (ty, typed.map(Arc::from))
            })?;
            let owner = store.to_ref();
            Ok(heap.alloc(Self { owner, func, ty, typed, name: name.map(Into::into) }))
        };
        if name.is_some() { Ok(store.name_function(&func, make()?)) } else { store.function(&func, make) }
    }

    /// Calls a function of any type, and reports wrong arguments for all types.
    #[inline(never)]
    fn call(
        &self,
        store: LiveStore<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let heap = eval.heap();
        let params = self.ty.params();
        let (inputs, outputs) = (params.len(), self.ty.results().len());
        let (mut inline, mut spilled);
        let values = match inputs + outputs {
            count @ ..=INLINE_VALS => {
                inline = [const { Val::I32(0) }; INLINE_VALS];
                inline.get_mut(..count).unwrap_or_default()
            }
            count => {
                spilled = vec![Val::I32(0); count];
                spilled.as_mut_slice()
            }
        };
        let (inputs, outputs) = values.split_at_mut(inputs);
        let mut count = 0;
        for arg in args.positions(heap)? {
            let (Some(slot), Some(ty)) = (inputs.get_mut(count), params.get(count)) else {
                return Err(self.wrong_arity(args.len()?).into());
            };
            fill(slot, arg, *ty, store).map_err(|e| self.bad_argument(count, arg, e))?;
            count += 1;
        }
        if count != inputs.len() {
            return Err(self.wrong_arity(count).into());
        }
        crossing::enter(store, eval, |context| slices::call(&self.func, context, inputs, outputs))?
            .map_err(|error| self.failed(store, error))?;
        let back = |val: &Val| to_starlark(val, store, heap);
        match outputs {
            [] => Ok(Value::new_none()),
            [one] => Ok(back(one)?),
            [one, two] => Ok(heap.alloc((back(one)?, back(two)?))),
            many => {
                let values: Result<Vec<_>, _> = many.iter().map(back).collect();
                Ok(heap.alloc(AllocTuple(values?)))
            }
        }
    }

    #[cold]
    fn wrong_arity(&self, count: usize) -> Error {
        let takes = self.ty.params().len();
        let plural = if takes == 1 { "" } else { "s" };
        Error::value(format!("`{}` takes {takes} argument{plural}, got {count}", self.described()))
    }

    #[cold]
    fn bad_argument(&self, index: usize, arg: Value<'v>, expected: Expected) -> Error {
        Error::value(format!(
            "argument {index} of `{}` must be {expected}, got {}",
            self.described(),
            convert::describe(arg)
        ))
    }
}

impl<V> FunctionGen<V> {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(NAMELESS)
    }

    #[cold]
    fn named_arguments(&self) -> Error {
        Error::value(format!("`{}` takes its arguments by position, not by name", self.described()))
    }

    #[cold]
    fn failed(&self, store: LiveStore<'_>, error: wasmi::Error) -> starlark::Error {
        store.failure(error, || GuestCall::Export(self.described()))
    }

    /// `add(i32, i32) -> i32`.
    pub(crate) fn described(&self) -> String {
        format!("{}{}", wording::shown(self.name()), signature(&self.ty))
    }
}

/// Makes a call of `func` of which an observer is told: the slower way, between two events. The call begins only if the
/// arguments fit.
fn watched_call(func: wasmi::Func, ty: FuncType, name: Option<Box<str>>, watch: Watch) -> Box<typed_calls::TypedCall> {
    let (params, returns) = (Box::<[ValType]>::from(ty.params()), Box::<[ValType]>::from(ty.results()));
    Box::new(move |store, args, eval| {
        if args.len().ok()? != params.len() {
            return None;
        }
        let given = args.positions(eval.heap()).ok()?.collect::<Vec<_>>();
        let inputs = crossing::values_of(&given, &params)?;
        let function = Function { owner: store.to_ref(), func, ty: ty.clone(), typed: None, name: name.clone() };
        let call = || function.call(store, args, eval);
        let outcome = watch.call(&store, &inputs, call, |returned| {
            let results = match (returns.len(), TupleRef::from_value(*returned)) {
                (1, _) => vec![*returned],
                (_, Some(tuple)) => tuple.content().to_vec(),
                _ => Vec::new(),
            };
            crossing::values_of(&results, &returns).unwrap_or_default()
        });
        Some(outcome.map_err(|error| HostFailure::new(error).into_wasmi()))
    })
}

/// Converts any value to one of a wasm type, for use in `store`.
#[inline]
pub(crate) fn to_wasm<'v>(value: Value<'v>, ty: ValType, store: LiveStore<'v>) -> Result<Val, Expected> {
    match ty {
        ValType::FuncRef | ValType::ExternRef => reference_to_wasm(value, ty, store),
        _ => convert::to_wasm(value, ty),
    }
}

/// Converts in place, since returning a `Val` in a result costs more than converting an integer.
#[inline(always)]
pub(crate) fn fill<'v>(slot: &mut Val, value: Value<'v>, ty: ValType, store: LiveStore<'v>) -> Result<(), Expected> {
    *slot = match ty {
        ValType::I32 => Val::I32(convert::to_i32(value)?),
        ValType::I64 => Val::I64(convert::to_i64(value)?),
        _ => to_wasm(value, ty, store)?,
    };
    Ok(())
}

fn reference_to_wasm<'v>(value: Value<'v>, ty: ValType, store: LiveStore<'v>) -> Result<Val, Expected> {
    let is_func = ty == ValType::FuncRef;
    if value.is_none() {
        return Ok(if is_func { Val::FuncRef(Nullable::Null) } else { Val::ExternRef(Nullable::Null) });
    }
    if is_func {
        return match Function::from_value(value) {
            Some(function) if store.is(function.owner.to_value()) => Ok(Val::from(function.func)),
            Some(_) => Err("a wasm.Function of the same store"),
            None => Err("a wasm.Function or None"),
        };
    }
    match store.extern_reference(value) {
        Ok(reference) => Ok(Val::from(reference)),
        Err(error) if error.kind() == ErrorKind::Limit(Limit::Heap) => {
            Err("one of fewer references: the limit `heap` is reached")
        }
        Err(_) => Err("a value for an open store"),
    }
}

/// Converts a wasm value to a Starlark value. A reference becomes the same handle or value to which it refers.
#[inline]
pub(crate) fn to_starlark<'v>(val: &Val, store: LiveStore<'v>, heap: Heap<'v>) -> Result<Value<'v>, Error> {
    match convert::to_starlark(val, heap) {
        Some(value) => Ok(value),
        None => reference_to_starlark(val, store, heap),
    }
}

fn reference_to_starlark<'v>(val: &Val, store: LiveStore<'v>, heap: Heap<'v>) -> Result<Value<'v>, Error> {
    match val {
        Val::FuncRef(Nullable::Val(func)) => Function::wrap(store, *func, None, &GuestName::default(), heap),
        Val::ExternRef(Nullable::Val(reference)) => {
            let index = store.with(|context| reference.data(&context).downcast_ref::<usize>().copied())?;
            index
                .and_then(|index| store.extern_value(index))
                .ok_or_else(|| Error::new(ErrorKind::Handle, "an externref that no script made"))
        }
        _ => Ok(Value::new_none()),
    }
}

starlark::methods_static!(FUNCTION = function_methods);

/// A function of an instance. Call it with positional arguments; no result is `None`, one is the
/// value, several are a tuple.
#[starlark_module]
fn function_methods(builder: &mut MethodsBuilder) {
    /// The name of the export that the function was reached by; `func` for one reached otherwise.
    #[starlark(attribute)]
    fn name<'v>(this: &Function<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(heap.alloc(this.name()))
    }

    /// The names of the parameters' types, as a list: `["i32", "i64"]`.
    #[starlark(attribute)]
    fn params<'v>(this: &Function<'v>) -> starlark::Result<Vec<&'static str>> {
        Ok(this.ty.params().iter().map(|t| types::type_name(*t)).collect())
    }

    /// The names of the results' types, as a list.
    #[starlark(attribute)]
    fn results<'v>(this: &Function<'v>) -> starlark::Result<Vec<&'static str>> {
        Ok(this.ty.results().iter().map(|t| types::type_name(*t)).collect())
    }
}

#[starlark_value(type = "wasm.Function")]
impl<'v, V: ValueLike<'v>> StarlarkValue<'v> for FunctionGen<V>
where
    Self: ProvidesStaticType<'v>,
{
    type Canonical = FrozenFunction;

    fn get_methods() -> Option<&'static Methods> {
        Some(FUNCTION.methods())
    }

    fn invoke(
        &self,
        this: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        args.no_named_args().map_err(|_| self.named_arguments())?;
        let store = self.owner.store()?;
        match self.typed.as_ref().and_then(|call| call(store, args, eval)) {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => Err(self.failed(store, error)),
            None => match Function::from_value(this) {
                Some(function) => function.call(store, args, eval),
                None => Err(Error::new(ErrorKind::Handle, "not a wasm.Function").into()),
            },
        }
    }

    fn name_for_call_stack(&self, _this: Value<'v>) -> String {
        format!("wasm function {}", wording::shown(self.name()))
    }

    fn write_hash(&self, hasher: &mut StarlarkHasher) -> starlark::Result<()> {
        // Not by name: a function that is exported under two names has two handles, which are equal.
        std::hash::Hash::hash(&Identity::of(&self.func), hasher);
        Ok(())
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(Function::from_value(other).is_some_and(|other| {
            other.owner.to_value().ptr_eq(self.owner.to_value()) && are_same(&other.func, &self.func)
        }))
    }
}

impl<V> fmt::Debug for FunctionGen<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<V> fmt::Display for FunctionGen<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<wasm.Function {}>", self.described())
    }
}
