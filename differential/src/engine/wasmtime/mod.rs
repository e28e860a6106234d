//! An instance in wasmtime.

mod convert;
mod imports;

use std::collections::HashMap;
use std::sync::Arc;

use wasmtime::{
    Collector, Config, Extern, Func, Global, Module, OptLevel, Store, StoreContextMut, StoreLimits, StoreLimitsBuilder,
    Val,
};

use self::convert::{failure, trap, val, value};
use super::{Engine, Failure, MAX_MEMORY, MAX_TABLE, Machine, State, Trap};
use crate::case::Case;
use crate::host::{Host, first_places, from_before, same_as};
use crate::interface::{Interface, Signature};
use crate::plan::{FUEL, FUEL_EXPORT, STEPS};
use crate::random::digest;
use crate::value::Value;

/// The independent engine. It compiles to machine code, and shares no source with wasmi except the parser.
pub struct Wasmtime(wasmtime::Engine);

impl Default for Wasmtime {
    fn default() -> Self {
        let mut config = Config::new();
        config
            .cranelift_opt_level(OptLevel::None)
            .cranelift_nan_canonicalization(true)
            .relaxed_simd_deterministic(true)
            .wasm_wide_arithmetic(true)
            .wasm_memory64(true)
            .wasm_multi_memory(true)
            .wasm_tail_call(true)
            .consume_fuel(true)
            .collector(Collector::Null)
            // Each call has a fresh stack of this size; the worker's threads have more.
            .max_wasm_stack(1 << 20)
            // Memories are small and many, and none is worth an address range of its own. Also, there is no signal
            // handler that would catch the signals of the engine under test.
            .signals_based_traps(false)
            .memory_reservation(0)
            .memory_guard_size(0)
            .memory_reservation_for_growth(0)
            .memory_init_cow(false)
            .wasm_backtrace_max_frames(None);
        Self(wasmtime::Engine::new(&config).expect("the configuration is valid"))
    }
}

struct Data {
    interface: Arc<Interface>,
    host: Host,
    limits: StoreLimits,
    funcs: Vec<Func>,
    exports: Vec<Extern>,
    /// Whether functions are only distinguished from null, since not all of them are known.
    blurred: bool,
    places: HashMap<usize, u32>,
}

struct Instance {
    store: Store<Data>,
    fuel: Vec<Global>,
}

impl Engine for Wasmtime {
    fn name(&self) -> &'static str {
        "wasmtime"
    }

    fn start(&self, case: &Case) -> Result<Box<dyn Machine>, Failure> {
        let rejected = |error: wasmtime::Error| Failure::Rejected(format!("{error:#}"));
        let module = Module::new(&self.0, &case.bytes).map_err(rejected)?;
        let data = Data {
            interface: case.interface.clone(),
            host: Host::new(0),
            limits: StoreLimitsBuilder::new().memory_size(MAX_MEMORY).table_elements(MAX_TABLE).build(),
            funcs: Vec::new(),
            exports: Vec::new(),
            blurred: false,
            places: HashMap::new(),
        };
        let mut store = Store::new(&self.0, data);
        store.limiter(|data| &mut data.limits);
        store.set_fuel(STEPS).map_err(rejected)?;
        let mut exports = instantiate(&mut store, &module, &[])?;
        if case.linked {
            match instantiate(&mut store, &module, &exports) {
                Ok(second) => exports = [second, exports].concat(),
                // What it did before it failed remains, possibly including functions of it.
                Err(Failure::Trap(trap)) if trap.is_comparable() && case.may_be_half_made() => {
                    store.data_mut().host.failed(&trap);
                    store.data_mut().blurred = true;
                }
                Err(failure) => return Err(failure),
            }
        }
        let funcs: Vec<_> = exports.iter().filter_map(|export| export.clone().into_func()).collect();
        // An imported function has a different pointer in each instance.
        let instances = exports.len() / case.interface.exports.len().max(1);
        for (func, first) in funcs.iter().zip(first_places(&case.interface, instances)) {
            let raw = func.to_raw(&mut store) as usize;
            store.data_mut().places.entry(raw).or_insert(first);
        }
        let names = case.interface.exports.iter().cycle().zip(&exports);
        let fuel = names.filter(|(export, _)| export.name == FUEL_EXPORT);
        let fuel = fuel.filter_map(|(_, fuel)| fuel.clone().into_global()).collect();
        store.data_mut().funcs = funcs;
        store.data_mut().exports = exports;
        Ok(Box::new(Instance { store, fuel }))
    }
}

/// Makes an instance, and returns its exports. Its imports are those of an earlier instance or the host's.
fn instantiate(store: &mut Store<Data>, module: &Module, before: &[Extern]) -> Result<Vec<Extern>, Failure> {
    let interface = store.data().interface.clone();
    let mut imports: Vec<Extern> = Vec::new();
    for (index, import) in interface.imports.iter().enumerate() {
        let linked = from_before(&interface, index).and_then(|export| before.get(export));
        let made = match linked.or_else(|| same_as(&interface, index).and_then(|first| imports.get(first))) {
            Some(made) => made.clone(),
            None => imports::provide(store, index, import)
                .map_err(|error| Failure::Rejected(format!("an import: {error:#}")))?,
        };
        imports.push(made);
    }
    let instance = wasmtime::Instance::new(&mut *store, module, &imports).map_err(failure)?;
    let names = interface.exports.iter();
    Ok(names.filter_map(|export| instance.get_export(&mut *store, &export.name)).collect())
}

impl Machine for Instance {
    fn call(&mut self, index: usize, args: &[Value]) -> Result<Vec<Value>, Trap> {
        self.store.set_fuel(STEPS).map_err(|error| trap(&error))?;
        for fuel in &self.fuel {
            fuel.set(&mut self.store, Val::I32(FUEL as i32)).map_err(|error| trap(&error))?;
        }
        self.store.data_mut().host.begin();
        let other = || Trap::Other("no such export".to_owned());
        let func = *self.store.data().funcs.get(index).ok_or_else(other)?;
        let signature = self.store.data().interface.funcs().nth(index).map(|(_, ty)| ty.clone()).ok_or_else(other)?;
        invoke((&mut self.store).into(), func, &signature, args).map_err(|error| trap(&error))
    }

    fn state(&mut self, deep: bool) -> State {
        let (mut globals, mut tables, mut memories) = (Vec::new(), Vec::new(), Vec::new());
        for export in &self.store.data().exports.clone() {
            match export {
                Extern::Global(global) => {
                    let val = global.get(&mut self.store);
                    globals.push(value((&mut self.store).into(), &val));
                }
                Extern::Table(table) => {
                    let mut elements = Vec::new();
                    for index in 0..table.size(&self.store) {
                        let Some(element) = table.get(&mut self.store, index) else { break };
                        elements.push(value((&mut self.store).into(), &element.into()));
                    }
                    tables.push(elements);
                }
                Extern::Memory(memory) => {
                    let digest = if deep { digest(memory.data(&self.store)) } else { 0 };
                    memories.push((memory.size(&self.store), digest));
                }
                _ => {}
            }
        }
        State { globals, tables, memories, host: self.store.data().host.trace }
    }
}

fn invoke(
    mut store: StoreContextMut<'_, Data>,
    func: Func,
    signature: &Signature,
    args: &[Value],
) -> wasmtime::Result<Vec<Value>> {
    let mut given = Vec::with_capacity(args.len());
    for arg in args {
        given.push(val((&mut store).into(), *arg)?);
    }
    let mut results = vec![Val::I32(0); signature.results.len()];
    func.call(&mut store, &given, &mut results)?;
    Ok(results.iter().map(|result| value((&mut store).into(), result)).collect())
}
