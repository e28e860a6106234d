//! `wasm.Caller`: the instance that called a Starlark function.

use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::coerce::Coerce;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::values::{
    Freeze, Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Trace, Value, ValueLike, ValueOfUnchecked,
    starlark_value,
};
use starlark::{starlark_complex_value, starlark_module};

use super::exports::EndedExports;
use super::instance::{EndedInstance, Instance};
use super::memory::Memory;
use super::store;
use crate::error::Error;

/// One per import of an instance, made with the instance, so that a call allocates none.
#[derive(ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic, Trace, Freeze, Coerce, Clone)]
#[allocative(skip)]
#[repr(C)]
pub(crate) struct CallerGen<V> {
    /// The instance that imports the function.
    pub(crate) instance: V,
    /// Whether the importing module passes the function on, so that another instance may be the caller.
    pub(crate) escapes: bool,
}

starlark_complex_value!(pub(crate) Caller);

impl<'v> Caller<'v> {
    /// Returns the instance whose code made the call; for a call that came from no instance, the
    /// one that the function was given to.
    fn resolve(&self) -> Result<(Value<'v>, &'v Instance<'v>), Error> {
        let importer = Instance::from_value(self.instance).ok_or_else(store::frozen)?;
        if !self.escapes {
            return Ok((self.instance, importer));
        }
        // wasmi does not say which instance it is, but what the caller exports under a name. An instance may pass on
        // all that another one exports, and more: the one with the most is the caller.
        let store = importer.owner.store()?;
        let mut best = (self.instance, importer);
        if store.has_only(self.instance) {
            return Ok(best);
        }
        let mut most = if importer.exports.as_ref().belong_to_caller(&store) {
            importer.exports.as_ref().names().count()
        } else {
            0
        };
        if most >= store.most_exports() {
            return Ok(best);
        }
        for value in store.instances() {
            let Some(instance) = Instance::from_value(value) else { continue };
            let exports = instance.exports.as_ref();
            let count = exports.names().count();
            if count > most && exports.belong_to_caller(&store) {
                (best, most) = ((value, instance), count);
            }
        }
        Ok(best)
    }
}

starlark::methods_static!(CALLER = caller_methods);

/// The first argument of a Starlark function that WebAssembly imports: the instance that calls it.
#[starlark_module]
fn caller_methods(builder: &mut MethodsBuilder) {
    /// The caller's memory: the one exported as `memory`, otherwise the only one exported, otherwise the only one
    /// imported.
    #[starlark(attribute)]
    fn memory<'v>(this: &Caller<'v>, heap: Heap<'v>) -> starlark::Result<ValueOfUnchecked<'v, &'v Memory<'v>>> {
        Ok(ValueOfUnchecked::new(this.resolve()?.1.memory(heap)?))
    }

    /// The caller's exports.
    #[starlark(attribute)]
    fn exports<'v>(this: &Caller<'v>) -> starlark::Result<ValueOfUnchecked<'v, EndedExports>> {
        Ok(ValueOfUnchecked::new(this.resolve()?.1.exports.to_value()))
    }

    /// The caller.
    #[starlark(attribute)]
    fn instance<'v>(this: &Caller<'v>) -> starlark::Result<ValueOfUnchecked<'v, EndedInstance>> {
        Ok(ValueOfUnchecked::new(this.resolve()?.0))
    }
}

#[starlark_value(type = "wasm.Caller")]
impl<'v, V: ValueLike<'v>> StarlarkValue<'v> for CallerGen<V>
where
    Self: ProvidesStaticType<'v>,
{
    type Canonical = FrozenCaller;

    fn get_methods() -> Option<&'static Methods> {
        Some(CALLER.methods())
    }
}

impl<V> fmt::Debug for CallerGen<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<wasm.Caller>")
    }
}

impl<V> fmt::Display for CallerGen<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<wasm.Caller>")
    }
}
