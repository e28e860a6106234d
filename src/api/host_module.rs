//! Providers of imports that no script passes: WASI's machine, and the application.

use std::sync::{Arc, OnceLock};

use wasmi::{Caller, Func, FuncType, StoreContextMut, Val};

use super::scope::StoreData;

/// Provides functions for imports, by namespace and name.
pub(crate) trait HostModule {
    /// Returns the function of this name, if there is one.
    fn find(&self, module: &str, name: &str) -> Option<Arc<dyn HostImport>>;

    /// Explains, for a namespace that this provider covers completely, why a name in it is missing, in words that
    /// follow "is missing".
    fn explain(&self, _module: &str, _name: &str) -> Option<String> {
        None
    }

    /// Returns the namespaces that may have been meant.
    fn namespaces(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Returns the names in a namespace that may have been meant.
    fn names(&self, _module: &str) -> Vec<&str> {
        Vec::new()
    }
}

/// A function that can be defined in any store.
pub(crate) trait HostImport: Send + Sync {
    fn ty(&self) -> FuncType;

    /// Returns who provides it, in words between "but" and a type.
    fn origin(&self) -> &'static str;

    /// Defines the function in a store, for an instance that keeps its memory in `memory`. `watch` is told of each call.
    fn define(
        self: Arc<Self>,
        context: StoreContextMut<'_, StoreData>,
        memory: &MemorySlot,
        watch: Option<Arc<dyn CallWatch>>,
    ) -> Func;
}

/// Is told of each call of one function that a guest imports.
pub(crate) trait CallWatch: Send + Sync {
    fn called(&self, caller: &mut Caller<'_, StoreData>, params: &[Val]);
    fn ended(&self, caller: &mut Caller<'_, StoreData>, outcome: Result<&[Val], &wasmi::Error>);
}

/// Makes a function of `run`, which gets the parameters and a place for the results. Where nobody watches, nothing is
/// asked at a call: the two are functions of their own.
pub(crate) fn func(
    context: StoreContextMut<'_, StoreData>,
    ty: FuncType,
    watch: Option<Arc<dyn CallWatch>>,
    run: impl Fn(&mut Caller<'_, StoreData>, &[Val], &mut [Val]) -> Result<(), wasmi::Error> + Send + Sync + 'static,
) -> Func {
    match watch {
        None => Func::new(context, ty, move |mut caller, params, results| run(&mut caller, params, results)),
        Some(watch) => Func::new(context, ty, move |mut caller, params, results| {
            watch.called(&mut caller, params);
            let outcome = run(&mut caller, params, results);
            watch.ended(&mut caller, outcome.as_ref().map(|()| &*results));
            outcome
        }),
    }
}

/// The memory of an instance that does not export one as `memory`: the first that it imports, otherwise the first that it
/// exports. It is not known yet when the functions are defined.
#[derive(Clone, Default)]
pub(crate) struct MemorySlot(Arc<OnceLock<wasmi::Memory>>);

impl MemorySlot {
    /// Sets the memory, unless one is set.
    pub(crate) fn set(&self, memory: wasmi::Memory) {
        let _ = self.0.set(memory);
    }

    /// Returns the memory of the calling instance.
    #[inline]
    pub(crate) fn of_caller<T>(&self, caller: &wasmi::Caller<'_, T>) -> Option<wasmi::Memory> {
        match caller.get_export("memory") {
            Some(wasmi::Extern::Memory(memory)) => Some(memory),
            _ => self.0.get().copied(),
        }
    }
}
