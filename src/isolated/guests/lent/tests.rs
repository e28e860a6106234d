//! A core and a guest that call each other, with no evaluator: Miri runs it.

use wasmi::{Extern, FuncType, Linker, TypedFunc, ValType};

use super::*;
use crate::interrupt::Interrupt;
use crate::isolated::guests::guest::Restoring;
use crate::isolated::guests::module::{GuestEngine, GuestModule};
use crate::isolated::guests::store::{GuestStore, Items};
use crate::isolated::guests::{calls, growth};
use crate::isolated::room::{self, Exports};
use crate::module;
use crate::slices;

/// Passes each call on: `go` to the guest, and that of the guest to the guest once more. It fails the call with 40.
const CORE: &str = r#"(module
    (import "wasmlark" "guest_call" (func $call (param i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func $again (param $slots i32) (param $n i32) (result i32)
        (i64.store (local.get $slots) (i64.const 0))
        (i64.store offset=8 (local.get $slots) (i64.extend_i32_u (local.get $n)))
        (call $call (i32.const 0) (i32.const 1) (local.get $slots) (i32.const 1) (i32.const 1)))
    (func (export "go") (param i32) (result i32 i32) (call $again (i32.const 256) (local.get 0)) (i32.load (i32.const 264)))
    (func (export "host_call") (param $store i32) (param $function i32) (result i32) (local $n i32) (local $slots i32)
        (local.set $n (i32.load (i32.const 72)))
        (if (i32.eq (local.get $n) (i32.const 40)) (then (return (i32.const 1))))
        (local.set $slots (i32.add (i32.const 512) (i32.mul (local.get $n) (i32.const 24))))
        (if (call $again (local.get $slots) (local.get $n)) (then (return (i32.const 1))))
        (i64.store (i32.const 64) (i64.const 0))
        (i64.store (i32.const 72) (i64.load offset=8 (local.get $slots)))
        (i32.const 0))
    (func (export "host_growing") (param i32 i32 i32 i32 i64) (result i32) (i32.const 1))
    (func (export "host_grow_failed") (param i32 i32)))"#;

/// The sum of the numbers to n. Its memory grows at the end.
const GUEST: &str = r#"(module
    (import "e" "f" (func $f (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "run") (param $n i32) (result i32)
        (if (result i32) (local.get $n)
            (then (i32.add (local.get $n) (call $f (i32.sub (local.get $n) (i32.const 1)))))
            (else (memory.grow (i32.const 1)) (drop) (i32.const 0)))))"#;

#[test]
fn a_core_and_its_guest_call_each_other() {
    let interrupt = Interrupt::default();
    let engine = GuestEngine::checked(false, 100, module::stack_height(100)).unwrap();
    let mut store = wasmi::Store::new(&engine.engine, Room::new(None, u64::MAX, &interrupt));
    slices::set_fuel(&mut store, 1_000_000);

    let mut guest = engine.store(Guest::new(0, 1234, false, &interrupt));
    // The core cannot be asked yet.
    guest.data_mut().set_restoring(Some(Restoring { memory: 1 << 20, elements: 0, objects: 0, instances: 0 }));
    let module = GuestModule::new(0, 0, &engine, wat::parse_str(GUEST).unwrap()).unwrap();
    let f = calls::define(&mut guest.as_context_mut(), FuncType::new([ValType::I32], [ValType::I32]), 7, 64);
    let instance = growth::instantiate(&mut guest.as_context_mut(), &module, &[Extern::Func(f)]).unwrap();
    guest.data_mut().set_restoring(None);
    let memory = instance.get_memory(&guest, "memory").unwrap();
    let mut items = Items::default();
    assert_eq!((items.function(f), items.function(instance.get_func(&guest, "run").unwrap())), (0, 1));
    let place = Place::Owned(Box::new(guest));
    let guest = GuestStore { place, engine: 0, address: 1234, items, instances: 0 };
    store.data_mut().guests.stores.push(Some(Box::new(guest)));

    let mut linker = Linker::new(&engine.engine);
    room::define(&mut linker).unwrap();
    let core = wasmi::Module::new(&engine.engine, wat::parse_str(CORE).unwrap()).unwrap();
    let core = linker.instantiate_and_start(&mut store, &core).unwrap();
    store.data_mut().memory = core.get_memory(&store, "memory");
    let exports = Exports {
        call: core.get_typed_func(&store, "host_call").unwrap(),
        growing: core.get_typed_func(&store, "host_growing").unwrap(),
        grow_failed: core.get_typed_func(&store, "host_grow_failed").unwrap(),
    };
    store.data_mut().set_exports(exports);
    let go: TypedFunc<i32, (i32, i32)> = core.get_typed_func(&store, "go").unwrap();

    assert_eq!(go.call(&mut store, 3).unwrap(), (0, 3 + 2 + 1));
    // The core has failed with an error of its own, and all is as it was.
    assert_eq!(go.call(&mut store, 42).unwrap().0, 1);
    assert_eq!(go.call(&mut store, 2).unwrap(), (0, 2 + 1));
    let Some(Place::Owned(guest)) = store.data_mut().guests.place_mut(0) else {
        panic!("the store was not given back");
    };
    assert_eq!(memory.size(&**guest), 3);
    assert!(slices::fuel(&store).unwrap() < 1_000_000);
}
