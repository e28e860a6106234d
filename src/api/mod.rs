//! The Starlark types. Each handle is a store and what wasmi calls the thing inside it.

pub(crate) mod absent;
pub(crate) mod callback;
pub(crate) mod caller;
pub(crate) mod convert;
pub(crate) mod evaluation;
pub(crate) mod exports;
mod fuel;
pub(crate) mod function;
pub(crate) mod global;
mod handle;
pub(crate) mod host_function;
pub(crate) mod host_module;
mod identity;
pub(crate) mod instance;
pub(crate) mod instantiate;
pub(crate) mod link;
pub(crate) mod memory;
pub(crate) mod module;
mod namespace;
pub(crate) mod outcome;
pub(crate) mod scope;
pub(crate) mod store;
mod store_ref;
pub(crate) mod table;
mod typed_calls;
pub(crate) mod wasi;
pub(crate) mod wasi_module;
