//! A host function as `api::callback` makes them, but with nothing of the script types around it: Miri runs it within a minute.

use std::cell::OnceCell;

use starlark::environment::Module;
use wasmi::{Engine, Extern, Func, Instance, Store, Val};

use super::*;
use crate::budget::Budget;
use crate::limits::Limits;

const GUEST: &str = r#"(module
    (import "env" "call" (func $call (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "run") (param i32) (result i32) (call $call (local.get 0)))
    (func (export "trap") unreachable))"#;

thread_local! {
    static CELL: OnceCell<StoreCell> = const { OnceCell::new() };
}

fn with_cell<R>(f: impl FnOnce(&StoreCell) -> R) -> R {
    CELL.with(|cell| f(cell.get().unwrap()))
}

/// Calls the guest's function, from outside of wasm or from a host function.
fn run<'v>(
    owner: Value<'v>,
    evaluator: &mut Evaluator<'v, '_, '_>,
    function: Func,
    n: i32,
) -> Result<i32, wasmi::Error> {
    let mut results = [Val::I32(0)];
    with_cell(|cell| {
        cell.enter(owner, evaluator, |store| function.call(store.as_context_mut(), &[Val::I32(n)], &mut results))
    })
    .unwrap()?;
    Ok(results[0].i32().unwrap())
}

/// Writes into the guest's memory at `n`, and adds `n` to what `run(n - 1)` returns. At zero, it calls what traps.
fn host<'v>(owner: Value<'v>, evaluator: &mut Evaluator<'v, '_, '_>, n: i32) -> Result<i32, wasmi::Error> {
    let export = |name| with_cell(|cell| cell.caller_export(name)).unwrap();
    assert!(with_cell(StoreCell::is_busy));
    assert_eq!(with_cell(StoreCell::close), Err(Unavailable::InUse));
    let memory = export("memory").into_memory().unwrap();
    let place = usize::try_from(n).unwrap();
    with_cell(|cell| cell.with(|mut store| memory.write(&mut store, place, &[7]))).unwrap()?;
    // While somebody holds the one reference, nobody gets another.
    assert_eq!(with_cell(|cell| cell.with(|_| cell.with(|_| ()))).unwrap(), Err(Unavailable::InUse));
    let kept = evaluator.heap().alloc(n);
    if n == 0 {
        let trap = export("trap").into_func().unwrap();
        let trapped = |store: &mut StoreContextMut<'_, StoreData>| trap.call(store.as_context_mut(), &[], &mut []);
        assert!(with_cell(|cell| cell.enter(owner, evaluator, trapped)).unwrap().is_err());
        return Ok(0);
    }
    let function = export("run").into_func().unwrap();
    Ok(run(owner, evaluator, function, n - 1)? + kept.unpack_i32().unwrap())
}

fn import(mut caller: Caller<'_, StoreData>, n: i32) -> Result<i32, wasmi::Error> {
    call_host(&mut caller, |owner, evaluator, caller| with_cell(|cell| cell.lend(caller, || host(owner, evaluator, n))))
        .unwrap()
}

#[test]
fn a_store_is_lent_and_entered_again() {
    let limits = Limits::new();
    let engine = Engine::default();
    let mut store = Store::new(&engine, StoreData::new(Limiter::new(Budget::new(&limits), limits, None), None));
    let call = Func::wrap(&mut store, import);
    let module = wasmi::Module::new(&engine, wat::parse_str(GUEST).unwrap()).unwrap();
    let instance = Instance::new(&mut store, &module, &[Extern::Func(call)]).unwrap();
    let function = instance.get_func(&store, "run").unwrap();
    let memory = instance.get_memory(&store, "memory").unwrap();
    CELL.with(|cell| assert!(cell.set(StoreCell::new(store)).is_ok()));
    Module::with_temp_heap(|module| {
        let mut evaluator = Evaluator::new(&module);
        let owner = evaluator.heap().alloc("owner");
        assert_eq!(run(owner, &mut evaluator, function, 3).unwrap(), 3 + 2 + 1);
        // Beyond the memory, which has 65,536 bytes: the error passes through wasm, and leaves all as it was.
        assert!(run(owner, &mut evaluator, function, 70_000).is_err());
        assert_eq!(run(owner, &mut evaluator, function, 1).unwrap(), 1);
        let bytes = with_cell(|cell| cell.with(|store| memory.data(&store)[..5].to_vec())).unwrap();
        assert_eq!(bytes, [7, 7, 7, 7, 0]);
        assert_eq!(with_cell(StoreCell::close), Ok(()));
        assert_eq!(with_cell(|cell| cell.with(|_| ())), Err(Unavailable::Closed));
    });
}
