//! Imports: compares what a script and the hosts behind it provide with what a module requires.

use std::sync::Arc;

use starlark::values::dict::DictRef;
use starlark::values::{Heap, Value};
use wasmi::{Extern, ExternType};

use super::absent::{Absent, Problem, full_name};
use super::callback;
use super::convert;
use super::crossing::{GuestName, Watch};
use super::function::Function;
use super::global::Global;
use super::host_module::{CallWatch, HostImport, HostModule, MemorySlot};
use super::memory::Memory;
use super::missing::MissingFunction;
use super::namespace::{Namespace, namespaces};
use super::resolve::{ResolvedImport, resolve, resolve_host};
use super::store::Callback;
use super::store_ref::LiveStore;
use super::table::Table;
use super::wasi_module;
use crate::error::{Error, ErrorKind};
use crate::lang::definitions::Definitions;
use crate::module::types::named;
use crate::module::{Compiled, Import};
use crate::observe::Side;
use crate::wording;

/// Everything that a module imports, found and of the right type.
pub(crate) struct Plan<'v> {
    /// The store to instantiate in, if it was given or follows from the imports.
    pub(crate) store: Option<Value<'v>>,
    /// The memory among the imports, if there is exactly one.
    pub(crate) memory: Option<Value<'v>>,
    resolved: Vec<ResolvedImport<'v>>,
}

/// What happens to an import that no one provides.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    IsError,
    /// A function traps when it is called; anything else is an error.
    Traps,
}

/// What an import was found as.
enum Candidate<'v> {
    Value(Value<'v>),
    Host(Arc<dyn HostImport>),
}

/// Finds everything that `compiled` imports in `imports`, otherwise in the first of `hosts` that has it; or reports
/// everything that is wrong.
pub(crate) fn plan<'v>(
    compiled: &Compiled,
    imports: Option<Value<'v>>,
    hosts: &[&dyn HostModule],
    store: Option<Value<'v>>,
    missing: Missing,
    definitions: &Definitions,
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
    // Problems of an import come first, in the module's order; `compiled.imports` has wasmi's.
    let mut import_problems: Vec<(usize, String)> = Vec::new();
    let mut absent = Absent::default();
    let spaces = namespaces(imports.as_ref(), &mut problems);
    let found: Vec<(&Import, Candidate<'v>)> = compiled
        .imports
        .iter()
        .filter_map(|import| match (find(import, &spaces, hosts, heap), &import.ty) {
            (Ok(found), _) => Some((import, found)),
            (Err(Problem::Absent { .. } | Problem::Missing(_)), ExternType::Func(ty)) if missing == Missing::Traps => {
                let function = MissingFunction { ty: ty.clone(), name: full_name(import) };
                Some((import, Candidate::Host(Arc::new(function))))
            }
            (Err(Problem::Absent { hint }), _) => {
                absent.add(import, hint);
                None
            }
            (Err(Problem::Missing(problem) | Problem::Other(problem)), _) => {
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
            Candidate::Value(value) => (import, resolve(import, value, store, definitions)),
            Candidate::Host(function) => (import, resolve_host(import, function)),
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
    match count {
        0 => Ok(Plan { store, memory, resolved }),
        _ => Err(link_error(count, &problems)),
    }
}

/// Makes the error for `count` imports that cannot be linked. A problem may be that of several imports.
pub(crate) fn link_error(count: usize, problems: &[String]) -> Error {
    let all = problems.join("\n  ");
    let text =
        if count == 1 { format!("cannot link: {all}") } else { format!("cannot link, {count} problems:\n  {all}") };
    Error::new(ErrorKind::Link, text)
}

impl<'v> Plan<'v> {
    /// Returns the imports in the form that wasmi takes, for an instance that an observer knows as `guest`. `caller` makes the
    /// value that a Starlark function gets as its caller.
    pub(crate) fn externs(
        self,
        store: LiveStore<'v>,
        memory: &MemorySlot,
        guest: &GuestName,
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
        let observation = store.evaluation.as_ref().observation.as_ref();
        let watch =
            |callee, name: &str| observation.map(|observation| Watch::of_import(observation, guest, callee, name));
        let define = |import| match import {
            ResolvedImport::Linked(found) => link(found),
            ResolvedImport::Host { function, name } => {
                let watch = watch(Side::Host, &name).map(|watch| Arc::new(watch) as Arc<dyn CallWatch>);
                store.with(|context| Extern::Func(function.define(context, memory, watch)))
            }
            ResolvedImport::Called { function, ty, name, escapes } => {
                // A function of another store is decided on here, once this store is known.
                match Function::from_value(function) {
                    Some(f) if store.is(f.owner.to_value()) => link(Extern::Func(f.func)),
                    _ => {
                        let callback = Callback { function, caller: caller(escapes) };
                        let watch = watch(Side::Script, &name);
                        callback::define(&store, callback, ty, name, watch).map(Extern::Func)
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
    let missing = |why: String| Err(Problem::Missing(format!("{} is missing{why}", wanted())));
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
    missing(wording::ending(hint))
}

/// Reports namespaces of which nothing is used: most likely they are misspelled.
fn report_unused(compiled: &Compiled, spaces: &[(&str, Namespace<'_>)], problems: &mut Vec<String>) {
    for (space_name, space) in spaces {
        if space.names().is_empty() || compiled.imports.iter().any(|i| i.module == *space_name && space.has(&i.name)) {
            continue;
        }
        if compiled.imports.iter().any(|i| i.module == *space_name) {
            // Its missing names are already problems, each with the closest given name.
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

/// Returns the store that a memory, table or global is in. Functions do not determine the store: one of another store
/// can still be called.
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
