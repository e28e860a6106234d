//! An instance in wasmi. Its two releases differ in a few names, which this file's parent defines:
//! the file is part of two modules.

use std::collections::HashMap;
use std::sync::Arc;

use super::api::{
    AsContextMut, Config, Engine, Error, Extern, Func, Global, Module, Store, StoreLimits, StoreLimitsBuilder, Val,
};
use super::convert::{failure, trap, type_of, val, value};
use super::imports::provide;
use crate::case::Case;
use crate::engine::{Failure, MAX_MEMORY, MAX_TABLE, Machine, State, Trap};
use crate::host::{Host, from_before, same_as};
use crate::interface::{Interface, Kind, Signature};
use crate::plan::{FUEL, FUEL_EXPORT, STEPS};
use crate::random::digest;
use crate::value::Value;

/// What a store of the harness holds.
pub struct Data {
    pub interface: Arc<Interface>,
    pub host: Host,
    pub limits: StoreLimits,
    pub funcs: Vec<Func>,
    pub exports: Vec<Extern>,
    /// Whether functions are only distinguished from null, since not all of them are known.
    pub blurred: bool,
    /// The positions of functions, by the only property of functions that can be compared.
    pub places: HashMap<String, u32>,
}

pub struct Instance {
    store: Store<Data>,
    fuel: Vec<Global>,
}

pub fn start(config: &Config, case: &Case, bytes: &[u8], salt: u64) -> Result<Box<dyn Machine>, Failure> {
    let engine = Engine::new(config);
    let module = Module::new(&engine, bytes).map_err(|error| Failure::Rejected(error.to_string()))?;
    let data = Data {
        interface: case.interface.clone(),
        host: Host::new(salt),
        limits: StoreLimitsBuilder::new().memory_size(MAX_MEMORY).table_elements(MAX_TABLE).build(),
        funcs: Vec::new(),
        exports: Vec::new(),
        blurred: false,
        places: HashMap::new(),
    };
    let mut store = Store::new(&engine, data);
    leave_marks(&mut store);
    store.limiter(|data| &mut data.limits);
    store.set_fuel(STEPS).map_err(|error| Failure::Rejected(error.to_string()))?;
    let wanted = Interface::of(bytes).map_err(|error| Failure::Rejected(error.to_string()))?;
    let mut exports = instantiate(&mut store, &module, &wanted, &[])?;
    if case.linked {
        match instantiate(&mut store, &module, &wanted, &exports) {
            Ok(second) => exports = [second, exports].concat(),
            // What it did before it failed remains, possibly including functions of it.
            Err(Failure::Trap(trap)) if trap.is_comparable() && case.may_be_half_made() => {
                store.data_mut().host.failed(&trap);
                store.data_mut().blurred = true;
            }
            Err(failure) => return Err(failure),
        }
    }
    let funcs: Vec<_> = exports.iter().filter_map(|export| export.into_func()).collect();
    for (place, func) in funcs.iter().enumerate() {
        // The first of several names counts.
        store.data_mut().places.entry(format!("{func:?}")).or_insert(place as u32);
    }
    let names = case.interface.exports.iter().cycle().zip(&exports);
    let fuel = names.filter(|(export, _)| export.name == FUEL_EXPORT).filter_map(|(_, fuel)| fuel.into_global());
    let fuel = fuel.collect();
    store.data_mut().funcs = funcs;
    store.data_mut().exports = exports;
    Ok(Box::new(Instance { store, fuel }))
}

/// Makes an instance, and returns its exports. Its imports are those of an earlier instance or the host's.
fn instantiate(
    store: &mut Store<Data>,
    module: &Module,
    wanted: &Interface,
    before: &[Extern],
) -> Result<Vec<Extern>, Failure> {
    // A rewritten module may import less than the original, whose imports say which is which.
    let interface = store.data().interface.clone();
    let mut imports = Vec::new();
    let mut by_index = HashMap::new();
    for index in order(wanted) {
        let Some(import) = wanted.imports.get(index) else { continue };
        let linked = from_before(&interface, index).and_then(|export| before.get(export));
        let known = linked.or_else(|| same_as(&interface, index).and_then(|first| by_index.get(&first)));
        let made = match known {
            Some(made) => *made,
            None => provide(store, index, import).map_err(|error| Failure::Rejected(format!("an import: {error}")))?,
        };
        by_index.insert(index, made);
        imports.push(made);
    }
    let instance = super::api::Instance::new(&mut *store, module, &imports).map_err(failure)?;
    let names = interface.exports.iter();
    Ok(names.filter_map(|export| instance.get_export(&*store, &export.name)).collect())
}

impl Machine for Instance {
    fn call(&mut self, index: usize, args: &[Value]) -> Result<Vec<Value>, Trap> {
        let other = |error: &dyn ToString| Trap::Other(error.to_string());
        self.store.set_fuel(STEPS).map_err(|error| other(&error))?;
        for fuel in &self.fuel {
            fuel.set(&mut self.store, Val::I32(FUEL as i32)).map_err(|error| other(&error))?;
        }
        self.store.data_mut().host.begin();
        let func = *self.store.data().funcs.get(index).ok_or_else(|| other(&"no such export"))?;
        let signature = self.store.data().interface.funcs().nth(index).map(|(_, ty)| ty.clone());
        let signature = signature.ok_or_else(|| other(&"no such export"))?;
        invoke(&mut self.store, func, &signature, args).map_err(|error| trap(&error))
    }

    fn state(&mut self, deep: bool) -> State {
        let (mut globals, mut tables, mut memories) = (Vec::new(), Vec::new(), Vec::new());
        for export in &self.store.data().exports {
            match export {
                Extern::Global(global) => globals.push(value(&self.store, &global.get(&self.store))),
                Extern::Table(table) => {
                    let elements = (0..table.size(&self.store)).filter_map(|index| table.get(&self.store, index));
                    tables.push(elements.map(|element| value(&self.store, &super::element(element))).collect());
                }
                Extern::Memory(memory) => {
                    let digest = if deep { digest(memory.data(&self.store)) } else { 0 };
                    memories.push((memory.size(&self.store), digest));
                }
                Extern::Func(_) => {}
            }
        }
        State { globals, tables, memories, host: self.store.data().host.trace }
    }
}

/// Fills the engine's value stack with numbers other than 0, so that reading an unwritten slot is noticed.
fn leave_marks(store: &mut Store<Data>) {
    let module = Module::new(store.engine(), crate::mark::module()).expect("it is valid");
    store.set_fuel(STEPS).expect("fuel is consumed");
    let instance = super::api::Instance::new(&mut *store, &module, &[]).expect("it imports nothing");
    let mark = instance.get_func(&*store, crate::mark::NAME).expect("it is exported");
    mark.call(store, &[], &mut []).expect("it returns");
}

/// Returns the imports as wasmi wants them: by kind.
fn order(interface: &Interface) -> Vec<usize> {
    let mut order: Vec<_> = (0..interface.imports.len()).collect();
    order.sort_by_key(|index| match interface.imports.get(*index).map(|import| &import.kind) {
        Some(Kind::Func(_)) => 0,
        Some(Kind::Table(..)) => 1,
        Some(Kind::Memory(_)) => 2,
        _ => 3,
    });
    order
}

pub fn invoke(
    mut context: impl AsContextMut<Data = Data>,
    func: Func,
    signature: &Signature,
    args: &[Value],
) -> Result<Vec<Value>, Error> {
    let args: Vec<_> = args.iter().map(|arg| val(&mut context, *arg)).collect();
    let mut results: Vec<_> = signature.results.iter().map(|ty| super::zero(type_of(ty))).collect();
    func.call(&mut context, &args, &mut results)?;
    Ok(results.iter().map(|result| value(&context, result)).collect())
}
