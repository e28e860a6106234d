//! Stands in for wasmi in the module of isolated sandboxes: the part of wasmi's API that wasmlark uses, with the guests
//! outside, in the wasmi that runs this module.
//!
//! Each store, module, instance and handle is a number that the host knows. A [`request`] makes, looks up or changes
//! something; calls, the bytes of memories and fuel have imports of their own, in `edge`. The host calls back through three
//! exports: a function of a script, and a store's limiter.
//!
//! What differs from wasmi: there are no typed calls and nothing can be resumed, since the host does both; no slice of a
//! memory; errors of compiling are texts.
#![allow(missing_docs)] // wasmi's own documentation says what these are.

mod context;
mod edge;
mod error;
mod func;
mod items;
mod module;
mod outside;
#[path = "../../../../src/isolated/guests/request.rs"]
#[allow(dead_code)] // The host uses all of it.
mod request;
mod store;
mod types;
mod value;

pub use wasmi_core::{
    CustomFuelCosts, F32, F64, GlobalType, MemoryType, Mutability, RefType, ResourceLimiter, TableType, TrapCode, V128,
    ValType,
};

pub use self::context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
pub use self::error::Error;
pub use self::func::{Caller, Func, IntoFunc, WasmRet, WasmTy};
pub use self::items::{Global, Memory, Table};
pub use self::module::{CompilationMode, Config, CustomSection, Engine, ImportType, Instance, Module};
pub use self::store::Store;
pub use self::types::{Extern, ExternType, FuncType};
pub use self::value::{ExternRef, Nullable, Ref, Val};

pub mod errors {
    pub use wasmi_core::{GlobalError, HostError, MemoryError, TableError};

    pub use crate::error::{ErrorKind, InstantiationError};
}
