//! The types of imports and exports, as text.

use super::repair::given_memory_maximum;
use wasmi::ValType;

/// Returns the type of an import or export, as the script API writes it.
pub(crate) fn describe(ty: &wasmi::ExternType) -> String {
    let maximum = |m: Option<u64>| m.map(|m| format!(", maximum = {m}")).unwrap_or_default();
    let wide = |is_64: bool, how: &str| if is_64 { format!(", {how} = True") } else { String::new() };
    match ty {
        wasmi::ExternType::Func(ty) => signature(ty),
        wasmi::ExternType::Memory(ty) => {
            format!(
                "memory({}{}{})",
                ty.minimum(),
                maximum(ty.maximum().map(given_memory_maximum)),
                wide(ty.is_64(), "memory64")
            )
        }
        wasmi::ExternType::Table(ty) => {
            let element = match ty.element() {
                wasmi::RefType::Func => "funcref",
                wasmi::RefType::Extern => "externref",
            };
            format!(
                "table({}{}, type = \"{element}\"{})",
                ty.minimum(),
                maximum(ty.maximum()),
                wide(ty.is_64(), "table64")
            )
        }
        wasmi::ExternType::Global(ty) => {
            let mutable = if ty.mutability().is_mut() { ", mutable = True" } else { "" };
            format!("global(\"{}\"{mutable})", type_name(ty.content()))
        }
    }
}

/// Returns the same for use in a sentence, where a signature alone would not show that it is a function's.
pub(crate) fn named(ty: &wasmi::ExternType) -> String {
    match ty {
        wasmi::ExternType::Func(ty) => format!("func {}", signature(ty)),
        _ => describe(ty),
    }
}

/// Returns a function's type, such as `(i32, i64) -> f32`.
pub(crate) fn signature(ty: &wasmi::FuncType) -> String {
    let names = |types: &[ValType]| types.iter().map(|t| type_name(*t)).collect::<Vec<_>>().join(", ");
    let params = names(ty.params());
    match ty.results() {
        [] => format!("({params})"),
        [one] => format!("({params}) -> {}", type_name(*one)),
        many => format!("({params}) -> ({})", names(many)),
    }
}

/// Returns the kind of an import or export, as the text format names it.
pub(crate) fn kind(ty: &wasmi::ExternType) -> &'static str {
    match ty {
        wasmi::ExternType::Func(_) => "func",
        wasmi::ExternType::Memory(_) => "memory",
        wasmi::ExternType::Table(_) => "table",
        wasmi::ExternType::Global(_) => "global",
    }
}

/// Returns the name of a value type, as the text format spells it.
pub(crate) fn type_name(ty: ValType) -> &'static str {
    match ty {
        ValType::I32 => "i32",
        ValType::I64 => "i64",
        ValType::F32 => "f32",
        ValType::F64 => "f64",
        ValType::V128 => "v128",
        ValType::FuncRef => "funcref",
        ValType::ExternRef => "externref",
    }
}

/// Returns the value type of a name.
pub(crate) fn type_by_name(name: &str) -> Option<ValType> {
    Some(match name {
        "i32" => ValType::I32,
        "i64" => ValType::I64,
        "f32" => ValType::F32,
        "f64" => ValType::F64,
        "v128" => ValType::V128,
        "funcref" => ValType::FuncRef,
        "externref" => ValType::ExternRef,
        _ => return None,
    })
}
