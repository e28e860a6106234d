//! Functions: those of guests, and those that guests call.
#![allow(clippy::type_complexity)] // The types of closures, as wasmi has them.

use wasmi_core::{F32, F64, ValType};

use crate::context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::edge;
use crate::error::Error;
use crate::outside::{answer, ask};
use crate::request::{DONE, FAILED, HOST_FAILED, Item, Request, Type};
use crate::types::{Extern, FuncType};
use crate::value::{Slot, Slots, Val};

/// How many slots a call has without allocating.
const INLINE: usize = 8;

#[derive(Debug, Copy, Clone)]
pub struct Func {
    #[allow(dead_code)] // Told by `Debug`: two handles are of the same function if they print the same.
    pub(crate) store: u32,
    pub(crate) index: u32,
}

type Run<T> = Box<dyn Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), Error> + Send + Sync>;

/// A function of this module that guests call.
pub(crate) struct Entry<T> {
    ty: FuncType,
    /// Where the host puts the parameters, and finds the results as soon as the function has returned.
    slots: Slots,
    run: Run<T>,
}

impl<T> Entry<T> {
    fn new(ty: FuncType, run: Run<T>) -> Self {
        let count = ty.params().len().max(ty.results().len());
        Self { ty, slots: Slots::new(count), run }
    }

    /// Runs the function with the parameters that are in its slots.
    pub(crate) fn call(&self, context: StoreContextMut<'_, T>) -> Result<(), Error> {
        let store = context.id();
        let count = self.ty.params().len();
        let results = self.ty.results().iter().map(|ty| Val::default_for_ty(*ty));
        let (mut inline, mut spilled);
        let total = count.saturating_add(self.ty.results().len());
        let values = match total {
            ..=INLINE => {
                inline = [const { Val::I32(0) }; INLINE];
                inline.get_mut(..total).unwrap_or_default()
            }
            _ => {
                spilled = vec![Val::I32(0); total];
                spilled.as_mut_slice()
            }
        };
        let Some((params, places)) = values.split_at_mut_checked(count) else { return Ok(()) };
        for (value, slot) in params.iter_mut().zip(self.slots.read()) {
            *value = slot.value(store);
        }
        for (place, result) in places.iter_mut().zip(results) {
            *place = result;
        }
        (self.run)(Caller { context }, params, places)?;
        self.slots.write(places);
        Ok(())
    }
}

impl Func {
    pub fn new<T>(
        mut context: impl AsContextMut<Data = T>,
        ty: FuncType,
        run: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        let mut context = context.as_context_mut();
        let (store, signature) = (context.id(), ty.signature());
        let entry = Box::new(Entry::new(ty, Box::new(run)));
        let slots = entry.slots.address();
        let address = context.keep_function(entry);
        Self { store, index: ask(&Request::Func { store, address, slots, signature }) }
    }

    pub fn wrap<T, Params, Results>(
        context: impl AsContextMut<Data = T>,
        function: impl IntoFunc<T, Params, Results>,
    ) -> Self {
        let (ty, run) = function.into_func();
        Self::new(context, ty, run)
    }

    pub fn ty(&self, context: impl AsContext) -> FuncType {
        let store = context.as_context().id();
        match ask(&Request::Type { store, item: Item::Func(self.index) }) {
            Type::Func(signature) => FuncType::of(&signature),
            _ => FuncType::new([], []),
        }
    }

    pub fn call<T>(
        &self,
        mut context: impl AsContextMut<Data = T>,
        inputs: &[Val],
        outputs: &mut [Val],
    ) -> Result<(), Error> {
        let mut context = context.as_context_mut();
        let store = context.id();
        let (mut inline, mut spilled);
        let slots = match inputs.len().max(outputs.len()) {
            count @ ..=INLINE => {
                inline = [Slot::default(); INLINE];
                inline.get_mut(..count).unwrap_or_default()
            }
            count => {
                spilled = vec![Slot::default(); count];
                spilled.as_mut_slice()
            }
        };
        for (slot, input) in slots.iter_mut().zip(inputs) {
            *slot = Slot::new(input);
        }
        match edge::call(store, self.index, slots, inputs.len(), outputs.len()) {
            DONE => {
                for (output, slot) in outputs.iter_mut().zip(slots) {
                    *output = slot.value(store);
                }
                Ok(())
            }
            HOST_FAILED => Err(context.take_pending().unwrap_or_else(|| Error::new("a host function failed"))),
            length => Err(Error::of(answer(length.saturating_sub(FAILED) as usize), None)),
        }
    }
}

/// What a function of this module gets of the guest that calls it.
pub struct Caller<'a, T> {
    context: StoreContextMut<'a, T>,
}

impl<T> Caller<'_, T> {
    pub fn get_export(&self, name: &str) -> Option<Extern> {
        let store = self.context.id();
        let item: Option<Item> = ask(&Request::CallerExport { store, name: name.to_owned() });
        item.map(|item| Extern::of(store, item))
    }

    pub fn data(&self) -> &T {
        self.context.data()
    }

    pub fn data_mut(&mut self) -> &mut T {
        self.context.data_mut()
    }

    pub fn get_fuel(&self) -> Result<u64, Error> {
        self.context.get_fuel()
    }

    pub fn set_fuel(&mut self, fuel: u64) -> Result<(), Error> {
        self.context.set_fuel(fuel)
    }
}

impl<T> AsContext for Caller<'_, T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        self.context.as_context()
    }
}

impl<T> AsContextMut for Caller<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        self.context.as_context_mut()
    }
}

/// A number type.
pub trait WasmTy: Sized {
    #[doc(hidden)]
    const TYPE: ValType;
    #[doc(hidden)]
    fn of_val(value: &Val) -> Option<Self>;
    #[doc(hidden)]
    fn into_val(self) -> Val;
}

macro_rules! numbers {
    ($($number:ty = $type:ident, |$value:ident| $val:expr, |$wasm:ident| $of:expr;)*) => {$(
        impl WasmTy for $number {
            const TYPE: ValType = ValType::$type;

            fn of_val(value: &Val) -> Option<Self> {
                match value {
                    Val::$type($wasm) => Some($of),
                    _ => None,
                }
            }

            fn into_val(self) -> Val {
                let $value = self;
                Val::$type($val)
            }
        }
    )*};
}

numbers! {
    i32 = I32, |value| value, |wasm| *wasm;
    u32 = I32, |value| value.cast_signed(), |wasm| wasm.cast_unsigned();
    i64 = I64, |value| value, |wasm| *wasm;
    u64 = I64, |value| value.cast_signed(), |wasm| wasm.cast_unsigned();
    f32 = F32, |value| F32::from(value), |wasm| wasm.to_float();
    f64 = F64, |value| F64::from(value), |wasm| wasm.to_float();
    F32 = F32, |value| value, |wasm| *wasm;
    F64 = F64, |value| value, |wasm| *wasm;
}

/// What a closure returns.
pub trait WasmRet {
    #[doc(hidden)]
    fn types() -> Vec<ValType>;
    #[doc(hidden)]
    fn into_vals(self) -> Result<Vec<Val>, Error>;
}

/// A closure that guests can call.
pub trait IntoFunc<T, Params, Results>: Send + Sync + 'static {
    #[doc(hidden)]
    fn into_func(
        self,
    ) -> (FuncType, impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), Error> + Send + Sync + 'static);
}

macro_rules! returns {
    ($(($($type:ident $value:ident),*);)*) => {$(
        impl<$($type: WasmTy),*> WasmRet for ($($type,)*) {
            fn types() -> Vec<ValType> {
                vec![$($type::TYPE),*]
            }

            fn into_vals(self) -> Result<Vec<Val>, Error> {
                let ($($value,)*) = self;
                Ok(vec![$($value.into_val()),*])
            }
        }
    )*};
}

returns! {
    ();
    (A a);
    (A a, B b);
    (A a, B b, C c);
    (A a, B b, C c, D d);
}

impl<R: WasmRet> WasmRet for Result<R, Error> {
    fn types() -> Vec<ValType> {
        R::types()
    }

    fn into_vals(self) -> Result<Vec<Val>, Error> {
        self.and_then(R::into_vals)
    }
}

macro_rules! closures {
    ($(($($type:ident $arg:ident),*);)*) => {$(
        impl<T, F, R, $($type),*> IntoFunc<T, (Caller<'_, T>, $($type,)*), R> for F
        where
            F: Fn(Caller<'_, T>, $($type),*) -> R + Send + Sync + 'static,
            R: WasmRet,
            $($type: WasmTy,)*
        {
            #[allow(unused_mut, unused_variables)]
            fn into_func(
                self,
            ) -> (FuncType, impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), Error> + Send + Sync + 'static) {
                let params: Vec<ValType> = vec![$($type::TYPE),*];
                let run = move |caller: Caller<'_, T>, params: &[Val], results: &mut [Val]| {
                    let mut params = params.iter();
                    $(let $arg = params.next().and_then($type::of_val).ok_or_else(|| Error::new("other parameters"))?;)*
                    for (place, value) in results.iter_mut().zip(self(caller, $($arg),*).into_vals()?) {
                        *place = value;
                    }
                    Ok(())
                };
                (FuncType::new(params, R::types()), run)
            }
        }
    )*};
}

closures! {
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
