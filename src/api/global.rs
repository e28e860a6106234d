//! `wasm.Global`: a global variable.

use starlark::any::ProvidesStaticType;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::values::none::NoneType;
use starlark::values::{Heap, StarlarkValue, Value, ValueLike, starlark_value};
use starlark::{starlark_complex_value, starlark_module};
use wasmi::{GlobalType, Mutability};

use super::convert;
use super::function::{to_starlark, to_wasm};
use super::handle::handle;
use super::identity::are_same;
use super::store_ref::{LiveStore, StoreRef};
use crate::error::Error;
use crate::module::types;

handle! { GlobalGen as Global { global: wasmi::Global } prints "<wasm.Global>" }

impl<'v> Global<'v> {
    /// Makes a global for a script.
    pub(crate) fn make(store: Value<'v>, ty: &str, value: Value<'v>, mutable: bool) -> Result<Self, Error> {
        let store = LiveStore::new(store)?;
        let Some(ty) = types::type_by_name(ty) else {
            return Err(Error::value(format!(
                "`type` must be one of i32, i64, f32, f64, v128, funcref, externref, got \"{ty}\""
            )));
        };
        let value = to_wasm(value, ty, store).map_err(|expected| {
            Error::value(format!(
                "`value` must be {expected} ({}), got {}",
                types::type_name(ty),
                convert::describe(value)
            ))
        })?;
        let mutability = if mutable { Mutability::Var } else { Mutability::Const };
        let global = store.with(|context| wasmi::Global::new(context, value, mutability))?;
        Ok(Self { owner: store.to_ref(), global })
    }

    fn ty(&self) -> Result<GlobalType, Error> {
        self.owner.store()?.with(|context| self.global.ty(&context))
    }

    fn get(&self, heap: Heap<'v>) -> Result<Value<'v>, Error> {
        let store = self.owner.store()?;
        let value = store.with(|context| self.global.get(&context))?;
        to_starlark(&value, store, heap)
    }

    fn set(&self, value: Value<'v>) -> Result<(), Error> {
        let store = self.owner.store()?;
        let ty = store.with(|context| self.global.ty(&context))?;
        let name = types::type_name(ty.content());
        if !ty.mutability().is_mut() {
            return Err(Error::value(format!("this global of type {name} is immutable")));
        }
        let value = to_wasm(value, ty.content(), store).map_err(|expected| {
            Error::value(format!(
                "the value of this global must be {expected} ({name}), got {}",
                convert::describe(value)
            ))
        })?;
        store.with(|context| self.global.set(context, value))?.map_err(|e| Error::value(e.to_string()))
    }
}

starlark::methods_static!(GLOBAL = global_methods);

/// A global variable of an instance, or one made by a script to be imported.
#[starlark_module]
fn global_methods(builder: &mut MethodsBuilder) {
    /// The current value. Assign to set it: `g.value = 7`.
    #[starlark(attribute)]
    fn value<'v>(this: &Global<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(this.get(heap)?)
    }

    /// Sets the value, like `g.value = value`; this form is an expression.
    fn set<'v>(this: &Global<'v>, #[starlark(require = pos)] value: Value<'v>) -> starlark::Result<NoneType> {
        this.set(value)?;
        Ok(NoneType)
    }

    /// Whether the value can be set.
    #[starlark(attribute)]
    fn mutable<'v>(this: &Global<'v>) -> starlark::Result<bool> {
        Ok(this.ty()?.mutability().is_mut())
    }

    /// The name of the value's type, such as `"i32"`.
    #[starlark(attribute)]
    fn r#type<'v>(this: &Global<'v>) -> starlark::Result<&'static str> {
        Ok(types::type_name(this.ty()?.content()))
    }
}

#[starlark_value(type = "wasm.Global")]
impl<'v, V: ValueLike<'v>> StarlarkValue<'v> for GlobalGen<V>
where
    Self: ProvidesStaticType<'v>,
{
    type Canonical = FrozenGlobal;

    fn get_methods() -> Option<&'static Methods> {
        Some(GLOBAL.methods())
    }

    fn set_attr(&self, attribute: &str, value: Value<'v>) -> starlark::Result<()> {
        if attribute != "value" {
            return Err(Error::value(format!(
                "a wasm.Global has no attribute `{attribute}` to assign; `value` is one"
            ))
            .into());
        }
        Ok(Global { owner: self.owner.to_store_ref(), global: self.global }.set(value)?)
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(Global::from_value(other).is_some_and(|other| {
            other.owner.to_value().ptr_eq(self.owner.to_value()) && are_same(&other.global, &self.global)
        }))
    }
}
