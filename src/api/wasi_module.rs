//! Provides WASI's functions as imports.

use std::sync::Arc;

use wasmi::{Func, FuncType, StoreContextMut, Val};

use super::host_module::{self, CallWatch, HostImport, HostModule, MemorySlot};
use super::scope::StoreData;
use crate::wasi::{Abi, Binding, Machine, WasiFunction};
use crate::wording::{did_you_mean, ending};

/// Provides the functions of WASI, for one machine.
pub(crate) struct WasiModule(pub(crate) Machine);

struct WasiImport {
    function: &'static WasiFunction,
    abi: Abi,
    machine: Machine,
}

impl HostModule for WasiModule {
    fn find(&self, module: &str, name: &str) -> Option<Arc<dyn HostImport>> {
        let abi = Abi::from_module(module)?;
        let function = WasiFunction::find(abi, name)?;
        Some(Arc::new(WasiImport { function, abi, machine: self.0.clone() }))
    }

    fn explain(&self, module: &str, name: &str) -> Option<String> {
        let abi = Abi::from_module(module)?;
        let hint = did_you_mean(name, WasiFunction::all(abi).map(|function| function.name));
        let hint = ending(hint);
        Some(format!(": WASI has no function `{name}` in `{module}`{hint}"))
    }
}

impl HostImport for WasiImport {
    fn ty(&self) -> FuncType {
        self.function.ty()
    }

    fn origin(&self) -> &'static str {
        "in WASI it is"
    }

    fn define(
        self: Arc<Self>,
        context: StoreContextMut<'_, StoreData>,
        memory: &MemorySlot,
        watch: Option<Arc<dyn CallWatch>>,
    ) -> Func {
        let Self { function, abi, machine } = &*self;
        let (function, abi, binding) = (*function, *abi, Binding::new(machine.clone(), memory.clone()));
        host_module::func(context, function.ty(), watch, move |caller, params, results| {
            let errno = function.call(caller, abi, &binding, params)?;
            if let Some(result) = results.first_mut() {
                *result = Val::I32(errno);
            }
            Ok(())
        })
    }
}

/// Returns advice for an import from a namespace of WASI that nobody provides.
pub(crate) fn advice(module: &str) -> Option<&'static str> {
    match Abi::from_module(module) {
        Some(_) => Some("the module is built for WASI: `wasi = wasm.wasi()` gives it a system"),
        None if module.starts_with("wasi") => {
            Some("of WASI there are `wasi_snapshot_preview1` and `wasi_unstable` here")
        }
        None => None,
    }
}
