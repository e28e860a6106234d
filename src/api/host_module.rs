//! Providers of imports that no script passes: WASI's machine, and the application.

use std::sync::{Arc, OnceLock};

use wasmi::{FuncType, StoreContextMut};

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

    /// Defines the function in a store, for an instance that keeps its memory in `memory`.
    fn define(self: Arc<Self>, context: StoreContextMut<'_, StoreData>, memory: &MemorySlot) -> wasmi::Func;
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
