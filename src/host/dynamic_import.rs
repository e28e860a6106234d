//! A Rust closure that WebAssembly code calls, with a type that is known only at run time.

use std::error::Error as StdError;
use std::sync::Arc;

use wasmi::{Func, FuncType, StoreContextMut, Val, ValType};

use super::caller::Caller;
use super::guarded::{guarded, watched};
use crate::api::host_module::{CallWatch, HostImport, MemorySlot};
use crate::api::scope::StoreData;
use crate::error::Error;
use crate::wording::shown;

/// The type of a [`Number`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
pub enum NumberType {
    /// A 32-bit integer.
    I32,
    /// A 64-bit integer.
    I64,
    /// A 32-bit float.
    F32,
    /// A 64-bit float.
    F64,
}

/// A WebAssembly number.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
pub enum Number {
    /// A 32-bit integer, signed or unsigned.
    I32(i32),
    /// A 64-bit integer, signed or unsigned.
    I64(i64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
}

impl NumberType {
    /// Returns the number type of a WebAssembly type; `None` for a vector or a reference.
    #[cfg(feature = "isolated")]
    pub(crate) fn of(ty: ValType) -> Option<Self> {
        [Self::I32, Self::I64, Self::F32, Self::F64].into_iter().find(|number| number.wasm() == ty)
    }

    fn wasm(self) -> ValType {
        match self {
            Self::I32 => ValType::I32,
            Self::I64 => ValType::I64,
            Self::F32 => ValType::F32,
            Self::F64 => ValType::F64,
        }
    }
}

impl Number {
    pub(crate) fn of(value: &Val) -> Option<Self> {
        match value {
            Val::I32(number) => Some(Self::I32(*number)),
            Val::I64(number) => Some(Self::I64(*number)),
            Val::F32(number) => Some(Self::F32(number.to_float())),
            Val::F64(number) => Some(Self::F64(number.to_float())),
            _ => None,
        }
    }

    pub(crate) fn into_val(self) -> Val {
        match self {
            Self::I32(number) => Val::I32(number),
            Self::I64(number) => Val::I64(number),
            Self::F32(number) => Val::F32(number.into()),
            Self::F64(number) => Val::F64(number.into()),
        }
    }
}

/// The maximum number of parameters, and of results, in a wasmi function.
const MAX_TYPES: usize = 1000;

pub(super) struct DynamicImport<F> {
    /// The import's full name.
    pub(super) name: String,
    pub(super) ty: FuncType,
    pub(super) function: F,
}

impl<F> DynamicImport<F> {
    pub(super) fn new(name: String, params: &[NumberType], results: &[NumberType], function: F) -> Result<Self, Error> {
        if params.len().max(results.len()) > MAX_TYPES {
            return Err(Error::value(format!(
                "import `{}` has more than {MAX_TYPES} parameters or results",
                shown(&name)
            )));
        }
        let types = |all: &[NumberType]| all.iter().map(|ty| ty.wasm()).collect::<Vec<_>>();
        Ok(Self { name, ty: FuncType::new(types(params), types(results)), function })
    }

    fn call<Fault>(&self, caller: &mut Caller<'_>, params: &[Val], results: &mut [Val]) -> Result<(), Error>
    where
        F: Fn(&mut Caller<'_>, &[Number], &mut [Number]) -> Result<(), Fault>,
        Fault: Into<Box<dyn StdError + Send + Sync>>,
    {
        let params: Vec<Number> = params.iter().filter_map(Number::of).collect();
        let mut returned: Vec<Number> = results.iter().filter_map(Number::of).collect();
        guarded(&self.name, || (self.function)(caller, &params, &mut returned))?.map_err(Error::host)?;
        for (at, (slot, number)) in results.iter_mut().zip(returned).enumerate() {
            let value = number.into_val();
            if value.ty() != slot.ty() {
                let (name, ty) = (&self.name, slot.ty());
                return Err(Error::host(format!("result {at} of import `{name}` must be an {ty:?}, got {number:?}")));
            }
            *slot = value;
        }
        Ok(())
    }
}

impl<F, Fault> super::import::Granted for DynamicImport<F>
where
    F: Fn(&mut Caller<'_>, &[Number], &mut [Number]) -> Result<(), Fault> + Send + Sync + 'static,
    Fault: Into<Box<dyn StdError + Send + Sync>>,
{
    #[cfg(feature = "isolated")]
    fn call(&self, caller: &mut Caller<'_>, params: &[Val]) -> Result<Vec<Val>, Error> {
        let mut results: Vec<Val> = self.ty.results().iter().map(|ty| Val::default_for_ty(*ty)).collect();
        self.call(caller, params, &mut results).map(|()| results)
    }
}

impl<F, Fault> HostImport for DynamicImport<F>
where
    F: Fn(&mut Caller<'_>, &[Number], &mut [Number]) -> Result<(), Fault> + Send + Sync + 'static,
    Fault: Into<Box<dyn StdError + Send + Sync>>,
{
    fn ty(&self) -> FuncType {
        self.ty.clone()
    }

    fn origin(&self) -> &'static str {
        "the application gives"
    }

    fn define(
        self: Arc<Self>,
        context: StoreContextMut<'_, StoreData>,
        memory: &MemorySlot,
        watch: Option<Arc<dyn CallWatch>>,
    ) -> Func {
        let (memory, ty) = (memory.clone(), self.ty.clone());
        let run = move |caller: &mut Caller<'_>, params: &[Val], results: &mut [Val]| {
            self.call(caller, params, results).map_err(Error::into_wasmi)
        };
        match watch {
            None => Func::new(context, ty, move |caller, params, results| {
                run(&mut Caller::new(caller, &memory), params, results)
            }),
            Some(watch) => Func::new(context, ty, move |caller, params, results| {
                let run = |caller: &mut Caller<'_>| run(caller, params, results).map(|()| results.to_vec());
                watched(&*watch, caller, &memory, params, run, |vals| vals.as_ref().map(|vals| vals.to_vec()))
                    .map(|_| ())
            }),
        }
    }
}
