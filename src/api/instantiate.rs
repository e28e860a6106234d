//! Making an instance: link, allocate, run the start function.

use starlark::eval::Evaluator;
use starlark::values::Value;

use super::caller::Caller;
use super::callers;
use super::crossing::{self, GuestName, Watch};
use super::evaluation::Evaluation;
use super::exports::Exports;
use super::host_module::{HostModule, MemorySlot};
use super::instance::Instance;
use super::link::{self, Missing};
use super::memory::PAGE;
use super::module::Module;
use super::store::Store;
use super::store_ref::LiveStore;
use super::table::check_maximum;
use super::wasi_module::WasiModule;
use crate::budget;
use crate::error::{Error, ErrorKind, GuestCall, Limit, TrapCode};
use crate::module::{Compiled, Tables};
use crate::observe::Side;
use crate::slices;
use crate::wasi::Machine;

/// Instantiates `module` in `store`, otherwise in the store of its imports, otherwise in the default one.
pub(crate) fn instantiate<'v>(
    module: &Module,
    imports: Option<Value<'v>>,
    machine: Option<Machine>,
    store: Option<Value<'v>>,
    missing: Missing,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    let heap = eval.heap();
    let compiled = module.compiled();
    let Evaluation { engine, notes, .. } = Evaluation::current(eval).as_ref();
    let wasi = machine.clone().map(WasiModule);
    let mut hosts: Vec<&dyn HostModule> = wasi.iter().map(|wasi| wasi as &dyn HostModule).collect();
    hosts.push(engine.grants().imports());
    let plan = link::plan(compiled, imports, &hosts, store, missing, &notes.definitions, heap)?;
    let owner = plan.store.unwrap_or_else(|| Store::default_for(eval));
    let store = LiveStore::new(owner)?;
    let state = store.evaluation.as_ref();
    if !wasmi::Engine::same(compiled.module.engine(), state.engine.wasmi()) {
        return Err(Error::new(ErrorKind::Handle, "the store and the module belong to different hosts").into());
    }
    check_sizes(&store, compiled)?;
    store.count_instance()?;

    // Before the wasm instance, since its start function may call Starlark functions.
    let observation = state.observation.as_ref();
    let guest =
        observation.map(|observation| GuestName::of_new(module.name_or_file(), observation)).unwrap_or_default();
    let exports = heap.alloc_typed(Exports::new(store.to_ref(), compiled.clone(), guest.clone()));
    let instance = heap.alloc(Instance::new(store.to_ref(), exports, module.clone(), plan.memory, machine));
    let memory = MemorySlot::default();
    let externs = plan.externs(store, &memory, &guest, |escapes| heap.alloc(Caller { instance, escapes }))?;
    callers::note(&store, eval);
    let mut make = || {
        let made = crossing::enter(store, eval, |context| {
            if compiled.grows_tables {
                slices::give_up(context);
            }
            slices::whole(context, |context| compiled.instantiate(context, &externs))
        })?;
        made.map_err(|error| instantiation_error(&store, compiled, error))
    };
    let wasmi_instance = match observation {
        None => make()?,
        Some(observation) => {
            Watch::of_instantiation(observation, &guest, Side::Script).call(&store, &[], make, |_| Vec::new())?
        }
    };
    let exported =
        |(name, _): (&String, _)| store.with(|context| wasmi_instance.get_memory(&context, name)).ok().flatten();
    compiled.exports.iter().find_map(exported).inspect(|exported| memory.set(*exported));
    exports.as_ref().complete(wasmi_instance);
    store.add_instance(instance, compiled.exports.len());
    Ok(instance)
}

/// Refuses what the limiter would refuse, before wasmi sees it: there a 32-bit host fails with its own messages, and
/// earlier, at numbers that it cannot represent.
fn check_sizes(store: &Store<'_>, compiled: &Compiled) -> Result<(), Error> {
    let Tables { elements, maximum } = compiled.tables;
    let limit = store.evaluation.as_ref().engine.limits().table_elements;
    check_maximum(maximum).map_err(|why| Error::new(ErrorKind::Link, why))?;
    if elements > limit {
        return Err(tables_too_large(limit));
    }
    let bytes = compiled.pages.saturating_mul(PAGE);
    if bytes > store.memory_room()?.left {
        return Err(store.no_memory("the memory of this module", bytes));
    }
    Ok(())
}

fn tables_too_large(limit: u64) -> Error {
    Error::limit(
        Limit::TableElements,
        format!(
            "a table of this module is too large: the sandbox's limit `table_elements` is {limit} for all tables together"
        ),
    )
}

fn instantiation_error(store: &Store<'_>, compiled: &Compiled, error: wasmi::Error) -> starlark::Error {
    use wasmi::errors::{ErrorKind as K, InstantiationError as I};
    let state = store.evaluation.as_ref();
    match budget::denied(&error) {
        Some(Limit::TableElements) => return tables_too_large(state.engine.limits().table_elements).into(),
        Some(_) => return store.no_memory("the memory of this module", compiled.pages.saturating_mul(PAGE)).into(),
        None => {}
    }
    match error.kind() {
        K::Instantiation(I::FailedToInstantiateMemory(why)) => {
            Error::new(ErrorKind::Link, format!("cannot make a memory of this module: {why}")).into()
        }
        K::Instantiation(I::FailedToInstantiateTable(why)) => {
            Error::new(ErrorKind::Link, format!("cannot make a table of this module: {why}")).into()
        }
        // In our own words, since wasmi's name the table by a number that counts the stores of the process.
        K::Instantiation(I::ElementSegmentDoesNotFit { table_index, len, .. }) => {
            Error::trap(TrapCode::TableOutOfBounds)
                .ending(GuestCall::Instantiation)
                .followed_by(&format!(": an element segment of {len} elements does not fit at index {table_index}"))
                .into()
        }
        K::Instantiation(_) => Error::new(ErrorKind::Link, format!("cannot instantiate: {error}")).into(),
        _ => store.failure(error, || GuestCall::Instantiation),
    }
}
