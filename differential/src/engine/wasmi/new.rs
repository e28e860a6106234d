//! wasmi 2.0.0.

pub(super) use ::wasmi as api;
pub(super) use api::Nullable as Reference;

pub(super) fn element(element: api::Ref) -> api::Val {
    match element {
        api::Ref::Func(func) => api::Val::FuncRef(func),
        api::Ref::Extern(object) => api::Val::ExternRef(object),
    }
}

pub(super) fn to_element(val: api::Val) -> api::Ref {
    match val {
        api::Val::ExternRef(object) => api::Ref::Extern(object),
        api::Val::FuncRef(func) => api::Ref::Func(func),
        _ => api::Ref::null(FUNC),
    }
}

pub(super) fn null(element: api::RefType) -> api::Ref {
    api::Ref::null(element)
}

pub(super) fn zero(ty: api::ValType) -> api::Val {
    api::Val::default_for_ty(ty)
}

pub(super) const FUNC: api::RefType = api::RefType::Func;
pub(super) const EXTERN: api::RefType = api::RefType::Extern;

#[path = "convert.rs"]
mod convert;
#[path = "imports.rs"]
mod imports;
#[path = "machine.rs"]
pub(super) mod machine;
