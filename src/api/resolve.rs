//! Checks whether what was found for an import has the type that the module wants.

use std::sync::Arc;

use starlark::values::typing::{FrozenStarlarkCallable, StarlarkCallable};
use starlark::values::{UnpackValue, Value};
use wasmi::{Extern, ExternType, FuncType};

use super::absent::full_name;
use super::arity;
use super::convert;
use super::function::Function;
use super::global::Global;
use super::host_module::HostImport;
use super::memory::Memory;
use super::store_ref::StoreRef;
use super::table::Table;
use crate::error::Error;
use crate::lang::definitions::Definitions;
use crate::module::Import;
use crate::module::types::named;

/// An import that was found and has the right type.
pub(super) enum ResolvedImport<'v> {
    /// The thing behind a handle, which is linked directly.
    Linked(Extern),
    /// A function of a host.
    Host { function: Arc<dyn HostImport>, name: String },
    /// Any callable, which is called through Starlark.
    Called { function: Value<'v>, ty: FuncType, name: String, escapes: bool },
}

/// Checks whether a host's function has the type with which a module imports it. Some old compilers import functions of WASI
/// with other types, so that a pointer would arrive in another parameter.
pub(super) fn resolve_host<'v>(import: &Import, function: Arc<dyn HostImport>) -> Result<ResolvedImport<'v>, String> {
    match host_mismatch(import, &*function) {
        None => Ok(ResolvedImport::Host { function, name: full_name(import) }),
        Some(problem) => Err(problem + "; a function of the type that the module wants can be given in `imports`"),
    }
}

/// Returns what is wrong with the type of a host's function, in words that follow the import's name.
pub(crate) fn host_mismatch(import: &Import, function: &dyn HostImport) -> Option<String> {
    let ty = function.ty();
    (import.ty.func() != Some(&ty))
        .then(|| format!(" must be {}, but {} {}", named(&import.ty), function.origin(), named(&ExternType::Func(ty))))
}

/// Checks whether `value` can be passed for `import`. Returns what is wrong with it otherwise.
pub(super) fn resolve<'v>(
    import: &Import,
    value: Value<'v>,
    store: Option<Value<'v>>,
    definitions: &Definitions,
) -> Result<ResolvedImport<'v>, String> {
    let wanted = || named(&import.ty);
    let mismatch = |got: &ExternType| Err(format!(" must be {}, got {}", wanted(), named(got)));
    let other = || Err(format!(" must be {}, got {}", wanted(), describe_import(value)));
    let live = |owner: StoreRef<Value<'v>>| owner.store().map_err(|e| format!(": {}", e.message()));
    let reach = |e: Error| format!(": {}", e.message());
    match &import.ty {
        ExternType::Func(ty) => {
            if let Some(function) = Function::from_value(value) {
                live(function.owner)?.check_open().map_err(reach)?;
                if function.ty != *ty {
                    return mismatch(&ExternType::Func(function.ty.clone()));
                }
                if store.is_some_and(|s| s.ptr_eq(function.owner.to_value())) {
                    return Ok(ResolvedImport::Linked(Extern::Func(function.func)));
                }
            } else if StarlarkCallable::<(FrozenStarlarkCallable,)>::unpack_value_opt(value).is_none() {
                return other();
            } else if let Some(problem) = arity::mismatch(value, ty.params().len(), definitions) {
                return Err(problem);
            }
            let name = full_name(import);
            Ok(ResolvedImport::Called { function: value, ty: ty.clone(), name, escapes: import.escapes })
        }
        ExternType::Memory(wanted) => {
            let Some(memory) = Memory::from_value(value) else { return other() };
            let (ty, pages) =
                live(memory.owner)?.with(|c| (memory.memory.ty(&c), memory.memory.size(&c))).map_err(reach)?;
            let fits =
                ty.is_64() == wanted.is_64() && limits_match(pages, ty.maximum(), wanted.minimum(), wanted.maximum());
            match fits {
                true => Ok(ResolvedImport::Linked(Extern::Memory(memory.memory))),
                false => {
                    let mut now = wasmi::MemoryType::builder();
                    now.memory64(ty.is_64()).min(pages).max(ty.maximum());
                    mismatch(&ExternType::Memory(now.build().unwrap_or(ty)))
                }
            }
        }
        ExternType::Table(wanted) => {
            let Some(table) = Table::from_value(value) else { return other() };
            let (ty, size) = live(table.owner)?.with(|c| (table.table.ty(&c), table.table.size(&c))).map_err(reach)?;
            let fits = ty.is_64() == wanted.is_64()
                && ty.element() == wanted.element()
                && limits_match(size, ty.maximum(), wanted.minimum(), wanted.maximum());
            match fits {
                true => Ok(ResolvedImport::Linked(Extern::Table(table.table))),
                false => {
                    let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
                    mismatch(&ExternType::Table(match ty.is_64() {
                        true => wasmi::TableType::new64(ty.element(), size, ty.maximum()),
                        false => wasmi::TableType::new(ty.element(), narrow(size), ty.maximum().map(narrow)),
                    }))
                }
            }
        }
        ExternType::Global(wanted) => {
            let Some(global) = Global::from_value(value) else { return other() };
            let ty = live(global.owner)?.with(|c| global.global.ty(&c)).map_err(reach)?;
            match ty == *wanted {
                true => Ok(ResolvedImport::Linked(Extern::Global(global.global))),
                false => mismatch(&ExternType::Global(ty)),
            }
        }
    }
}

/// Compares limits by the specification's rule for subtypes.
fn limits_match(size: u64, maximum: Option<u64>, wanted: u64, wanted_maximum: Option<u64>) -> bool {
    size >= wanted
        && match (maximum, wanted_maximum) {
            (_, None) => true,
            (Some(maximum), Some(wanted)) => maximum <= wanted,
            (None, Some(_)) => false,
        }
}

fn describe_import(value: Value<'_>) -> String {
    match value.get_type() {
        "function" | "native_function" => "a function".to_owned(),
        ty if ty.starts_with("wasm.") => format!("a {ty}"),
        _ => convert::describe(value),
    }
}
