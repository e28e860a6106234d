//! A function in place of a missing import, which traps when it is called.

use std::sync::Arc;

use wasmi::{Func, FuncType, StoreContextMut};

use super::host_module::{HostImport, MemorySlot};
use super::scope::StoreData;
use crate::error::{Error, ErrorKind, TrapCode};
use crate::host_failure::HostFailure;

pub(super) struct MissingFunction {
    pub(super) ty: FuncType,
    /// The import's full name.
    pub(super) name: String,
}

impl HostImport for MissingFunction {
    fn ty(&self) -> FuncType {
        self.ty.clone()
    }

    fn origin(&self) -> &'static str {
        "nothing gives"
    }

    fn define(self: Arc<Self>, context: StoreContextMut<'_, StoreData>, _memory: &MemorySlot) -> Func {
        Func::new(context, self.ty.clone(), move |_, _, _| {
            let message = format!("wasm trap: import `{}` was called, and is missing", self.name);
            let error = Error::new(ErrorKind::Trap(TrapCode::Unreachable), message);
            Err(HostFailure::new(error.into()).into_wasmi())
        })
    }
}
