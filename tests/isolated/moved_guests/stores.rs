//! Stores.

use wasmlark::Limits;

use super::{Case, check};

const SPIN: &str = r#"
SPIN = '''(memory 1) (global $n (mut i32) (i32.const 0))
    (func (export "spin") (param i32) (result i32)
        (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (global.get $n))'''
"#;

#[test]
fn stores_with_fuel() {
    check(
        &format!(
            r#"{SPIN}
stores = [wasm.Store(fuel = 10000), wasm.Store(fuel = 3000, max_memory = 200000), wasm.Store()]
es = [guest(SPIN, store = store).exports for store in stores] + [guest(SPIN).exports]
def spin(n):
    return [tried(e.spin, n) for e in es] + [store.fuel for store in stores]
def refill(n, fuel):
    stores[n].fuel = fuel
def call(n, times):
    return es[n].spin(times)
"#
        ),
        "spin 100
         spin 400
         spin 400
         refill 1 5000
         spin 300
         call 1 100000 = the store's fuel is used up, in wasm function `spin(i32) -> i32`
         spin 10
         refill 1 100
         spin 5",
    );
}

#[test]
fn the_sandbox_s_fuel_runs_out_at_the_same_place() {
    Case::new(
        &format!(
            r#"{SPIN}
store = wasm.Store(fuel = 30000)
es = [guest(SPIN, store = store).exports, guest(SPIN).exports]
def spin(n):
    return ([e.spin(n) for e in es], store.fuel)
"#
        ),
        "spin 1000
         spin 1000
         spin 1500
         spin 3000
         spin 1
         spin 1000",
    )
    .limits(Limits::new().fuel(40_000))
    .check();
}

/// What the limit `cost` leaves moves along: it ends the session in the same call.
#[test]
fn the_cost_runs_out_at_the_same_place() {
    let script = format!("{SPIN}\ne = guest(SPIN).exports\ndef spin(n):\n    return e.spin(n)\n");
    let calls = "spin 1000\nspin 2000\nspin 10000";
    let enough = Case::new(&script, calls).stayed()[1].1.cost.unwrap() + 5000;
    let case = Case::new(&script, calls).limits(Limits::new().cost(enough));
    let mut sessions = [case.load(), case.load(), case.load()];
    let mut all = Vec::new();
    for call in &case.calls {
        sessions[1] = case.sandbox().restore(&sessions[1].save().unwrap()).unwrap();
        sessions[2] = sessions[2].fork().unwrap();
        let results = sessions.each_mut().map(|session| (call.make(session), session.stats()));
        assert_eq!(results[0], results[1], "{}", call.shown());
        assert_eq!(results[0], results[2], "{}", call.shown());
        all.push(results[0].0.clone());
    }
    let reached = format!("the sandbox's limit `cost` is reached: {enough}");
    assert_eq!(all, [Ok("1".to_owned()), Ok("2".to_owned()), Err(reached)]);
}

#[test]
fn closed_stores() {
    check(
        r#"
text = '''(memory (export "memory") 2) (table (export "t") 1 funcref) (global $n (export "g") (mut i32) (i32.const 1))
    (func $f (export "f") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))'''
stores = [wasm.Store() for _ in range(3)]
es = [guest(text, store = store).exports for store in stores]
def f():
    return [str(tried(e.f)) for e in es if e not in closed]
def call(n):
    return es[n].f()
def close(n):
    stores[n].close()
    closed.append(es[n])
def make():
    stores.append(wasm.Store())
    es.append(guest(text, store = stores[-1]).exports)
def memory(n):
    es[n].memory.write_u8(0, n)
    return es[n].memory.read(0, 2)
closed = []
def fork_in(n):
    # Late instances in a store that is there.
    return guest(text, store = stores[n]).exports.f()
"#,
        "f = [\"2\", \"2\", \"2\"]
         close 1
         f
         call 1 = the store of this value is closed: `close()` freed it
         memory 1 = export `memory` cannot be reached: its instance was not made since its start function failed, its store is closed, or the evaluation that made it has ended
         make
         memory 3
         fork_in 1 = the store of this value is closed: `close()` freed it
         fork_in 0 = 2
         f
         close 0
         make
         f",
    );
}

/// A guest of one store calls one of another, by way of the script.
#[test]
fn stores_call_each_other() {
    check(
        r#"
one, two = wasm.Store(fuel = 100000), wasm.Store()
inner = guest('''(global $n (mut i32) (i32.const 0)) (global $x (mut externref) (ref.null extern))
    (func (export "next") (param externref) (result i32 externref)
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (global.get $n) (global.get $x) (global.set $x (local.get 0)))''', store = two).exports
kept = []
def ask(caller, value):
    n, before = inner.next(value)
    kept.append(before)
    value["n"] = n
    return n
outer = guest('''(import "e" "ask" (func $ask (param externref) (result i32))) (global $x (mut externref) (ref.null extern))
    (func (export "set") (param externref) (global.set $x (local.get 0)))
    (func (export "run") (result i32) (i32.add (call $ask (global.get $x)) (call $ask (global.get $x))))''',
    imports = {"e": {"ask": ask}}, store = one).exports
state = {}
def set():
    outer.set(state)
def run():
    return (outer.run(), state, kept)
"#,
        "set
         run
         run = (7, {\"n\": 4}, [None, {\"n\": 4}, {\"n\": 4}, {\"n\": 4}])
         set
         run",
    );
}

/// A store without any fuel still has its state.
#[test]
fn a_store_that_has_spent_all() {
    check(
        r#"
store = wasm.Store(fuel = 1000)
e = guest('''(memory 1 5) (table $t 1 9 funcref) (global $n (mut i32) (i32.const 0))
    (data $a "aaaa") (data $b "bbbb") (elem $e func $f) (func $f)
    (func (export "change") (data.drop $a) (global.set $n (i32.const 5))
        (drop (memory.grow (i32.const 1))) (drop (table.grow $t (ref.func $f) (i32.const 3))))
    (func (export "spin") (loop (br 0)))
    (func (export "init") (param i32) (result i32 i32)
        (memory.init $b (i32.const 0) (i32.const 0) (i32.const 4))
        (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1))
        (if (local.get 0) (then (memory.init $a (i32.const 0) (i32.const 0) (i32.const 4))))
        (global.get $n) (i32.add (i32.load (i32.const 0)) (memory.size)))''', store = store).exports
def change():
    e.change()
def spin():
    return (tried(e.spin), store.fuel)
def fuel(n):
    store.fuel = n
def init(n):
    return (tried(e.init, n), store.fuel)
"#,
        "change
         spin = (\"out-of-fuel\", 0)
         init 0 = (\"out-of-fuel\", 0)
         fuel 100
         init 0
         init 1
         spin
         fuel 0
         fuel 1000
         init 0",
    );
}

#[test]
fn stores_that_are_not_metered() {
    Case::new(
        &format!(
            r#"{SPIN}
stores = [wasm.Store(), wasm.Store(max_memory = 200000)]
es = [guest(SPIN, store = store).exports for store in stores] + [guest(SPIN).exports]
def spin(n):
    return [e.spin(n) for e in es] + [store.fuel for store in stores]
"#
        ),
        "spin 1000
         spin 2000
         spin 3000 = [3, 3, 3, None, None]",
    )
    .limits(Limits::new().fuel(None))
    .check();
}
