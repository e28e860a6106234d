//! The reference: wasmi driven from Rust, with the settings that `Engine` gives it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use wasmi::{CompilationMode, Config, Engine, Func, Instance, Module, Store, Val};

/// Wasmi with the settings of `wasmlark::Limits::default()`, with or without fuel.
pub fn engine(fuel: bool) -> Engine {
    let mut config = Config::default();
    config
        .consume_fuel(fuel)
        .compilation_mode(CompilationMode::Eager)
        .wasm_wide_arithmetic(true)
        .set_max_recursion_depth(8_192);
    config.set_max_stack_height(8_192 << 10);
    Engine::new(&config)
}

pub fn store<T>(engine: &Engine, data: T) -> Store<T> {
    let mut store = Store::new(engine, data);
    // An error means that fuel is off.
    let _ = store.set_fuel(100_000_000_000_000);
    store
}

/// One instance in a store of its own.
pub struct Raw {
    pub store: Store<()>,
    pub instance: Instance,
}

impl Raw {
    pub fn new(wasm: &[u8], fuel: bool) -> Self {
        let engine = engine(fuel);
        let module = Module::new(&engine, wasm).unwrap();
        let mut store = store(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        Self { store, instance }
    }

    pub fn func(&self, name: &str) -> Func {
        self.instance.get_func(&self.store, name).unwrap()
    }

    /// Calls `name` a number of times, as a wasmi user does who learns its signature at run time.
    pub fn dynamic(&mut self, name: &str, args: &[Val], results: &mut [Val], times: u64) -> Duration {
        let func = self.func(name);
        let start = Instant::now();
        for _ in 0..times {
            func.call(&mut self.store, black_box(args), results).unwrap();
            black_box(&*results);
        }
        start.elapsed()
    }
}
