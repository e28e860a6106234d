//! wasmi 1.1.0.

pub(super) use ::wasmi1 as api;
pub(super) use api::Ref as Reference;

pub(super) fn element(element: api::Val) -> api::Val {
    element
}

pub(super) fn to_element(val: api::Val) -> api::Val {
    val
}

pub(super) fn null(element: api::ValType) -> api::Val {
    api::Val::default(element)
}

pub(super) fn zero(ty: api::ValType) -> api::Val {
    api::Val::default(ty)
}

pub(super) const FUNC: api::ValType = api::ValType::FuncRef;
pub(super) const EXTERN: api::ValType = api::ValType::ExternRef;

#[path = "convert.rs"]
mod convert;
#[path = "imports.rs"]
mod imports;
#[path = "machine.rs"]
pub(super) mod machine;
