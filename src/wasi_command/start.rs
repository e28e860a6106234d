//! Links and starts a command module.

use std::sync::Arc;

use wasmi::AsContextMut;

use crate::api::absent::full_name;
use crate::api::crossing::{GuestName, Watch};
use crate::api::failure::gives_up;
use crate::api::host_module::{CallWatch, HostModule, MemorySlot};
use crate::api::link::link_error;
use crate::api::resolve::host_mismatch;
use crate::api::scope::StoreData;
use crate::api::wasi_module::WasiModule;
use crate::budget::{Budget, denied};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, GuestCall, Limit};
use crate::limits::Limits;
use crate::module::Compiled;
use crate::module::inspect::binary_form;
use crate::module::types::named;
use crate::observe::{Observation, Side};
use crate::slices::{self, Stopped};
use crate::wasi::Machine;

/// Runs the function `_start` of a module. Returns the guest's exit code.
pub(super) fn start(
    engine: &Engine,
    budget: &Budget,
    store: &mut wasmi::Store<StoreData>,
    machine: &Machine,
    observation: Option<&Arc<Observation>>,
    bytes: &[u8],
) -> Result<i32, Failure> {
    let compiled = engine.compile(&binary_form(bytes)?, |hash, code| budget.add_code(hash, code))?;
    let memory = MemorySlot::default();
    let guest = observation.map(|observation| GuestName::of_new(compiled.name.as_deref(), observation));
    let watched = observation.zip(guest.as_ref());
    let externs = link(&compiled, store, &WasiModule(machine.clone()), &memory, watched)?;
    if compiled.grows_tables {
        slices::give_up(&mut store.as_context_mut());
    }
    let make = |store: &mut wasmi::Store<StoreData>| {
        slices::whole(&mut store.as_context_mut(), |context| compiled.instantiate(context, &externs))
    };
    let made = match watched {
        None => make(store),
        Some((observation, guest)) => Watch::of_instantiation(observation, guest, Side::Host).run(store, make),
    };
    let instance = match made {
        Ok(instance) => instance,
        // The start function may exit too.
        Err(error) => return error.i32_exit_status().ok_or(Failure::Wasm(error)),
    };
    let exported = compiled.exports.keys().find_map(|name| instance.get_memory(&*store, name));
    exported.inspect(|exported| memory.set(*exported));
    let Some(start) = instance.get_func(&*store, "_start") else {
        return Err(Failure::Ours(Error::new(
            ErrorKind::Link,
            "this module is not a command: it exports no function `_start`; a script can call what it exports",
        )));
    };
    let call = |store: &mut wasmi::Store<StoreData>| slices::call(&start, store.as_context_mut(), &[], &mut []);
    let outcome = match watched {
        None => call(store),
        Some((observation, guest)) => Watch::of_export(observation, guest, Side::Host, "_start").run(store, call),
    };
    match outcome {
        Ok(()) => Ok(0),
        Err(error) => error.i32_exit_status().ok_or(Failure::Wasm(error)),
    }
}

fn link(
    compiled: &Compiled,
    store: &mut wasmi::Store<StoreData>,
    host: &dyn HostModule,
    memory: &MemorySlot,
    watched: Option<(&Arc<Observation>, &GuestName)>,
) -> Result<Vec<wasmi::Extern>, Error> {
    let mut problems = Vec::new();
    let mut externs = Vec::new();
    for import in &compiled.imports {
        let Some(function) = host.find(&import.module, &import.name) else {
            let ty = named(&import.ty);
            problems.push(format!("`{}` ({ty}) is missing: WASI does not have it", full_name(import)));
            continue;
        };
        if let Some(problem) = host_mismatch(import, &*function) {
            problems.push(format!("`{}`{problem}", full_name(import)));
            continue;
        }
        let watch = watched.map(|(observation, guest)| -> Arc<dyn CallWatch> {
            let name = format!("{}.{}", import.module, import.name);
            Arc::new(Watch::of_import(observation, guest, Side::Host, name))
        });
        externs.push(function.define(store.as_context_mut(), memory, watch).into());
    }
    if problems.is_empty() { Ok(externs) } else { Err(link_error(problems.len(), &problems)) }
}

/// The error that ended a run: one of this crate or one of wasmi.
pub(super) enum Failure {
    Ours(Error),
    Wasm(wasmi::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<wasmi::Error> for Failure {
    fn from(error: wasmi::Error) -> Self {
        Self::Wasm(error)
    }
}

/// Makes the error of a run. `refused` is the end of a message about a growth of the guest's memory that was refused.
pub(super) fn explain(failure: Failure, limits: &Limits, refused: Option<String>) -> Error {
    let error = match failure {
        Failure::Ours(error) => return error,
        Failure::Wasm(error) => error,
    };
    if let Some(why) = Stopped::of(&error) {
        return slices::stopped(why);
    }
    let exceeded = match error.as_trap_code() {
        Some(wasmi::TrapCode::OutOfFuel) => Some((Limit::Fuel, limits.fuel.unwrap_or(u64::MAX))),
        Some(_) => None,
        // The guest's memory or table could not be made. If one could not grow, the guest is told.
        None => match denied(&error) {
            Some(Limit::Memory) => Some((Limit::Memory, limits.memory)),
            Some(Limit::TableElements) => Some((Limit::TableElements, limits.table_elements)),
            _ => None,
        },
    };
    match exceeded {
        Some((limit, value)) => Error::limit(limit, format!("the sandbox's limit `{limit}` is reached: {value}")),
        None => {
            let refused = refused.filter(|_| gives_up(&error)).unwrap_or_default();
            Error::from_wasmi(&error, GuestCall::Command).followed_by(&refused)
        }
    }
}
