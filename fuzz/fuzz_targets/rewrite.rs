//! A rewritten module behaves as before: results, traps and memories equal those of the module without added charges.

#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use wasmi::{Engine, Extern, ExternType, Instance, Module, Store, Val};
use wasmlark::Limits;
use wasmlark::internals::{charged_everywhere, config, repaired};

const FUEL: u64 = 100_000;

fuzz_target!(|bytes: &[u8]| {
    let Ok(module) = wasmlark_fuzz::module(&mut Unstructured::new(bytes), true) else { return };
    let engine = Engine::new(&config(&Limits::new()));
    let Ok(repaired) = repaired(&engine, &module) else { return };
    let charged = charged_everywhere(&engine, &module).expect("it was repaired");
    let Some(expected) = outcome(&engine, &repaired) else { return };
    let Some(found) = outcome(&engine, &charged) else { return };
    assert_eq!(found, expected);
});

/// Returns the results of calling all exports; `None` if fuel runs out, which happens elsewhere with other charges.
fn outcome(engine: &Engine, bytes: &[u8]) -> Option<Vec<String>> {
    let module = Module::new(engine, bytes).expect("a valid module");
    let mut store = Store::new(engine, ());
    store.set_fuel(FUEL).expect("fuel is metered");
    let instance = match Instance::new(&mut store, &module, &[]) {
        Ok(instance) => instance,
        Err(error) => return is_told(&error).then(|| vec![tell(&error)]),
    };
    let mut seen = Vec::new();
    for export in module.exports() {
        let ExternType::Func(ty) = export.ty() else { continue };
        let function = instance.get_func(&store, export.name()).expect("an export");
        let arguments: Vec<Val> = ty.params().iter().map(|ty| Val::default_for_ty(*ty)).collect();
        let mut results: Vec<Val> = ty.results().iter().map(|ty| Val::default_for_ty(*ty)).collect();
        match function.call(&mut store, &arguments, &mut results) {
            Ok(()) => seen.push(results.iter().map(show).collect()),
            Err(error) if is_told(&error) => seen.push(tell(&error)),
            Err(_) => return None,
        }
    }
    let exports: Vec<String> = module.exports().map(|export| export.name().to_owned()).collect();
    for name in exports {
        match instance.get_export(&store, &name) {
            Some(Extern::Memory(memory)) => {
                // By words: with the counters of coverage, a loop over each byte took most of the time.
                let (words, rest) = memory.data(&store).as_chunks::<8>();
                let sum = words.iter().fold(0u64, |sum, word| sum.wrapping_mul(31).wrapping_add(u64::from_le_bytes(*word)));
                seen.push(format!("{name}: {} words, {sum}, {rest:?}", words.len()));
            }
            Some(Extern::Global(global)) => seen.push(format!("{name}: {}", show(&global.get(&store)))),
            _ => {}
        }
    }
    Some(seen)
}

/// Returns whether an error does not depend on fuel.
fn is_told(error: &wasmi::Error) -> bool {
    !matches!(error.as_trap_code(), Some(wasmi::TrapCode::OutOfFuel | wasmi::TrapCode::StackOverflow))
}

/// Returns an error's text without the number of the store, which wasmi writes into some.
fn tell(error: &wasmi::Error) -> String {
    let text = error.to_string();
    match text.split_once("StoreId(") {
        Some((before, after)) => format!("{before}{}", after.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => text,
    }
}

/// Returns a value as text, without what distinguishes the references of different stores.
fn show(value: &Val) -> String {
    match value {
        Val::FuncRef(function) => format!("funcref null={} ", function.is_null()),
        Val::ExternRef(object) => format!("externref null={} ", object.is_null()),
        Val::F32(number) => format!("f32 {:#x} ", number.to_bits()),
        Val::F64(number) => format!("f64 {:#x} ", number.to_bits()),
        other => format!("{other:?} "),
    }
}
