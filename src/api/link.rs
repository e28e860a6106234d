//! Imports: what a script gives, and hosts behind it, held against what a module asks for.

use std::sync::Arc;

use starlark::values::dict::DictRef;
use starlark::values::typing::StarlarkCallable;
use starlark::values::{Heap, UnpackValue, Value};
use wasmi::{Extern, ExternType, FuncType};

use super::absent::{Absent, Problem, full_name};
use super::callback;
use super::convert;
use super::function::Function;
use super::global::Global;
use super::host_module::{HostImport, HostModule, MemorySlot};
use super::memory::Memory;
use super::namespace::{Namespace, namespaces};
use super::store::{Callback, Store};
use super::store_ref::StoreRef;
use super::table::Table;
use super::wasi_module;
use crate::error::{Error, ErrorKind};
use crate::module::types::named;
use crate::module::{Compiled, Import};
use crate::wording;

/// Everything a module asks for, found and of the right type.
pub(crate) struct Plan<'v> {
    /// The store to instantiate in, where it was given or follows from the imports.
    pub(crate) store: Option<Value<'v>>,
    /// The memory among the imports, where there is one and no other.
    pub(crate) memory: Option<Value<'v>>,
    resolved: Vec<ResolvedImport<'v>>,
}

enum ResolvedImport<'v> {
    /// A handle, to be linked directly.
    Linked(Extern),
    /// A function that a host gives.
    Host(Arc<dyn HostImport>),
    /// Called through Starlark: any callable.
    Called { function: Value<'v>, ty: FuncType, name: String, escapes: bool },
}

/// What an import is found as.
enum Candidate<'v> {
    Value(Value<'v>),
    Host(Arc<dyn HostImport>),
}

/// Finds all that `compiled` imports in `imports`, else in the first of `hosts` that has it; or says everything that is
/// wrong with them.
pub(crate) fn plan<'v>(
    compiled: &Compiled,
    imports: Option<Value<'v>>,
    hosts: &[&dyn HostModule],
    store: Option<Value<'v>>,
    heap: Heap<'v>,
) -> Result<Plan<'v>, Error> {
    let imports = match imports {
        None => None,
        Some(value) => Some(DictRef::from_value(value).ok_or_else(|| {
            Error::value(format!(
                "`imports` must be a dict from module names to dicts from names to values, got {}",
                convert::describe(value)
            ))
        })?),
    };
    let mut problems = Vec::new();
    // Those of an import go first, in the module's order; `compiled.imports` has wasmi's.
    let mut import_problems: Vec<(usize, String)> = Vec::new();
    let mut absent = Absent::default();
    let spaces = namespaces(imports.as_ref(), &mut problems);
    let found: Vec<(&Import, Candidate<'v>)> = compiled
        .imports
        .iter()
        .filter_map(|import| match find(import, &spaces, hosts, heap) {
            Ok(found) => Some((import, found)),
            Err(Problem::Absent { hint }) => {
                absent.add(import, hint);
                None
            }
            Err(Problem::Other(problem)) => {
                import_problems.push((import.position, problem));
                None
            }
        })
        .collect();
    report_unused(compiled, &spaces, &mut problems);
    let store = choose_store(&found, store, &mut problems);
    let mut memories = found.iter().filter(|(import, _)| matches!(import.ty, ExternType::Memory(_)));
    let memory = match (memories.next(), memories.next()) {
        (Some((_, Candidate::Value(only))), None) => Some(*only),
        _ => None,
    };
    let resolved = found
        .into_iter()
        .map(|(import, found)| match found {
            Candidate::Value(value) => (import, check(import, value, store)),
            Candidate::Host(function) => (import, check_host(import, function)),
        })
        .filter_map(|(import, checked)| match checked {
            Ok(resolved) => Some(resolved),
            Err(problem) => {
                import_problems.push((import.position, format!("`{}`{problem}", full_name(import))));
                None
            }
        })
        .collect();
    let count = import_problems.len().saturating_add(problems.len()).saturating_add(absent.count());
    import_problems.extend(absent.problems());
    import_problems.sort();
    problems.splice(0..0, import_problems.into_iter().map(|(_, problem)| problem));
    match (count, problems.join("\n  ")) {
        (0, _) => Ok(Plan { store, memory, resolved }),
        (1, one) => Err(Error::new(ErrorKind::Link, format!("cannot link: {one}"))),
        (count, all) => Err(Error::new(ErrorKind::Link, format!("cannot link, {count} problems:\n  {all}"))),
    }
}

impl<'v> Plan<'v> {
    /// The imports as wasmi takes them. `caller` makes what a Starlark function gets as its caller.
    pub(crate) fn externs(
        self,
        owner: Value<'v>,
        store: &Store<'v>,
        memory: &MemorySlot,
        caller: impl Fn(bool) -> Value<'v>,
    ) -> Result<Vec<Extern>, Error> {
        let imported = |import: &ResolvedImport<'v>| match import {
            ResolvedImport::Linked(Extern::Memory(memory)) => Some(*memory),
            _ => None,
        };
        self.resolved.iter().find_map(imported).inspect(|imported| memory.set(*imported));
        let link = |found| {
            store.has_links.set(true);
            Ok(found)
        };
        let define = |import| match import {
            ResolvedImport::Linked(found) => link(found),
            ResolvedImport::Host(function) => store.with(|context| Extern::Func(function.define(context, memory))),
            ResolvedImport::Called { function, ty, name, escapes } => {
                // A function of another store is decided on here, once this store is known.
                match Function::from_value(function) {
                    Some(f) if f.owner.to_value().ptr_eq(owner) => link(Extern::Func(f.func)),
                    _ => {
                        let callback = Callback { function, caller: caller(escapes) };
                        callback::define(store, callback, ty, name).map(Extern::Func)
                    }
                }
            }
        };
        self.resolved.into_iter().map(define).collect()
    }
}

fn find<'v>(
    import: &Import,
    spaces: &[(&'v str, Namespace<'v>)],
    hosts: &[&dyn HostModule],
    heap: Heap<'v>,
) -> Result<Candidate<'v>, Problem> {
    let Import { module, name, ty, .. } = import;
    let wanted = || format!("`{module}.{name}` ({})", named(ty));
    let space = spaces.iter().find(|(n, _)| n == module).map(|(_, space)| space);
    match space.and_then(|space| space.get(name, heap)) {
        Some(Ok(value)) => return Ok(Candidate::Value(value)),
        Some(Err(error)) => return Err(format!("{}: {}", wanted(), error.message()).into()),
        None => {}
    }
    if let Some(function) = hosts.iter().find_map(|host| host.find(module, name)) {
        return Ok(Candidate::Host(function));
    }
    let missing = |why: String| Err(Problem::Other(format!("{} is missing{why}", wanted())));
    if let Some(why) = hosts.iter().find_map(|host| host.explain(module, name)) {
        return missing(why);
    }
    let mut names: Vec<&str> = space.map(Namespace::names).unwrap_or_default();
    names.extend(hosts.iter().flat_map(|host| host.names(module)));
    let advice = || wasi_module::advice(module).map(str::to_owned);
    if space.is_none() && names.is_empty() {
        let known = spaces.iter().map(|(n, _)| *n).chain(hosts.iter().flat_map(|host| host.namespaces()));
        return Err(Problem::Absent { hint: wording::did_you_mean(module, known).or_else(advice) });
    }
    let hint = wording::did_you_mean(name, names.iter().copied()).or_else(advice);
    missing(hint.map(|hint| format!("; {hint}")).unwrap_or_default())
}

/// Whether a host's function has the type that a module imports it with. Some compilers of old have types of their own for
/// WASI's, with which a pointer would land in another parameter.
fn check_host<'v>(import: &Import, function: Arc<dyn HostImport>) -> Result<ResolvedImport<'v>, String> {
    let ty = function.ty();
    match import.ty.func() == Some(&ty) {
        true => Ok(ResolvedImport::Host(function)),
        false => Err(format!(
            " must be {}, but {} {}; a function of the type that the module wants can be given in `imports`",
            named(&import.ty),
            function.origin(),
            named(&ExternType::Func(ty))
        )),
    }
}

/// Namespaces of which nothing is used: most likely misspelled.
fn report_unused(compiled: &Compiled, spaces: &[(&str, Namespace<'_>)], problems: &mut Vec<String>) {
    for (space_name, space) in spaces {
        if space.names().is_empty() || compiled.imports.iter().any(|i| i.module == *space_name && space.has(&i.name)) {
            continue;
        }
        if compiled.imports.iter().any(|i| i.module == *space_name) {
            // Its missing names are problems already, each with the closest given name.
            continue;
        }
        let mut asked: Vec<&str> = compiled.imports.iter().map(|i| i.module.as_str()).collect();
        asked.dedup();
        let hint = wording::did_you_mean(space_name, asked.iter().copied());
        let asked = match (asked.as_slice(), hint) {
            ([], _) => "it imports nothing".to_owned(),
            (_, Some(hint)) => hint,
            (names, None) => {
                format!("it imports from {}", names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "))
            }
        };
        problems.push(format!("`imports` gives `{space_name}`, which the module does not ask for; {asked}"));
    }
}

/// The store that a memory, table or global lives in. Functions do not decide: one of another store
/// can be called all the same.
fn owning_store<'v>(value: Value<'v>) -> Option<Value<'v>> {
    Memory::from_value(value)
        .map(|m| m.owner.to_value())
        .or_else(|| Table::from_value(value).map(|t| t.owner.to_value()))
        .or_else(|| Global::from_value(value).map(|g| g.owner.to_value()))
}

fn choose_store<'v>(
    found: &[(&Import, Candidate<'v>)],
    store: Option<Value<'v>>,
    problems: &mut Vec<String>,
) -> Option<Value<'v>> {
    let mut first: Option<(&Import, Value<'v>)> = None;
    for (import, found) in found {
        let Candidate::Value(value) = found else { continue };
        let Some(theirs) = owning_store(*value) else { continue };
        if let Some(store) = store {
            if !theirs.ptr_eq(store) {
                problems.push(format!(
                    "`{}.{}` lives in another store than the one given as `store`; make it with the same `store =`",
                    import.module, import.name
                ));
            }
            continue;
        }
        match first {
            None => first = Some((import, theirs)),
            Some((_, known)) if known.ptr_eq(theirs) => {}
            Some((other, _)) => problems.push(format!(
                "`{}.{}` and `{}.{}` live in different stores; make both with the same `store =`",
                other.module, other.name, import.module, import.name
            )),
        }
    }
    store.or(first.map(|(_, store)| store))
}

/// Whether `value` may stand for `import`; or what is wrong with it.
fn check<'v>(import: &Import, value: Value<'v>, store: Option<Value<'v>>) -> Result<ResolvedImport<'v>, String> {
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
            } else if StarlarkCallable::<(starlark::values::typing::FrozenStarlarkCallable,)>::unpack_value_opt(value)
                .is_none()
            {
                return other();
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

/// The specification's subtyping of limits.
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
