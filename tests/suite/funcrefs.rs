//! Functions go into WebAssembly and come back as what they were, on every way there is; anything else is refused and
//! changes nothing.

use proptest::collection::vec;
use proptest::prelude::*;
use wasmlark::Value;

use super::properties::{check, session, value};

const SCRIPT: &str = r#"
GUEST = """(module
    (import "env" "pass" (func $pass (param funcref) (result funcref)))
    (table $t (export "table") 4 funcref)
    (global $g (export "g") (mut funcref) (ref.null func))
    (func (export "f0") (result i32) (i32.const 0))
    (func (export "f1") (result i32) (i32.const 1))
    (func (export "same") (param funcref) (result funcref) (local.get 0))
    (func (export "through") (param funcref) (result funcref) (call $pass (local.get 0)))
    (func (export "swap") (param funcref externref) (result externref funcref) (local.get 1) (local.get 0))
    (func (export "set") (param i32 funcref) (table.set $t (local.get 0) (local.get 1)))
    (func (export "get") (param i32) (result funcref) (table.get $t (local.get 0)))
    (func (export "keep") (param funcref) (global.set $g (local.get 0)))
    (func (export "kept") (result funcref) (global.get $g))
    (func (export "call") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0))))"""
OTHER = """(module
    (import "env" "same" (func $same (param funcref) (result funcref)))
    (func (export "f2") (result i32) (i32.const 2))
    (func (export "f3") (result i32) (i32.const 3))
    (func (export "same") (param funcref) (result funcref) (call $same (local.get 0))))"""

def instance(store):
    return wasm.instantiate(wasm.wat(GUEST), imports = {"env": {"pass": lambda caller, f: f}}, store = store).exports

guest = instance(None)
other = wasm.instantiate(wasm.wat(OTHER), imports = {"env": {"same": guest.same}}).exports
functions = [guest.f0, guest.f1, other.f2, other.f3]
foreign = instance(wasm.Store()).f0

def index(function):
    if function == None:
        return None
    found = [i for i, known in enumerate(functions) if known == function]
    if len(found) != 1 or function() != found[0] or type(function) != "wasm.Function" or function.results != ["i32"]:
        fail(f"{function} is {found}")
    return found[0]

def clear():
    for slot in range(4):
        guest.table[slot] = None
    guest.g.value = None

def source(kind, any):
    return functions[kind] if kind < 4 else [None, foreign, lambda: 0, any][kind - 4]

def assign(slot, f):
    guest.table[slot] = f

def assign_global(f):
    guest.g.value = f

def in_table(f):
    table = wasm.Table(1)
    table.grow(1, f)
    return table[1]

PASS = [guest.same, guest.through, other.same, lambda f: guest.swap(f, f)[1], lambda f: wasm.Global("funcref", f).value, in_table]

def passed(way, kind, any):
    return index(PASS[way](source(kind, any)))

def put(way, slot, kind, any):
    f = source(kind, any)
    if slot == 4:
        [assign_global, guest.keep][way](f)
    else:
        [assign, guest.set][way](slot, f)

def found(slot):
    if slot == 4:
        return [index(guest.g.value), index(guest.kept())]
    called = wasm.attempt(guest.call, slot)
    return [index(guest.table[slot]), index(guest.get(slot)), called.value if called.ok else None]
"#;

/// The number of functions; the kinds after them are `None`, a function of another store, one in Starlark, and any value.
const FUNCTIONS: i64 = 4;
/// The number of slots of the table; the one after them is the global.
const SLOTS: i64 = 4;

#[test]
fn functions_go_through_webassembly() {
    let session = session(SCRIPT);
    let kind = || prop_oneof![4 => 0..FUNCTIONS, 2 => Just(FUNCTIONS), 1 => FUNCTIONS + 1..FUNCTIONS + 4];
    let step = (0..6i64, 0..2i64, 0..=SLOTS, kind(), value(false));
    check(100, vec(step, 1..20), |steps| {
        let mut session = session.borrow_mut();
        session.call_values("clear", &[]).unwrap();
        let mut slots = [const { None }; SLOTS as usize + 1];
        for (pass, put, slot, kind, any) in steps {
            // Any value that is not `None` is refused.
            let accepted = kind <= FUNCTIONS || kind == FUNCTIONS + 3 && any == Value::None;
            let expected = (kind < FUNCTIONS).then_some(kind);
            let as_value = |index: Option<i64>| index.map_or(Value::None, Value::from);
            let passed = session.call_values("passed", &[pass.into(), kind.into(), any.clone()]);
            prop_assert_eq!(passed.ok(), accepted.then(|| as_value(expected)));
            let done = session.call_values("put", &[put.into(), slot.into(), kind.into(), any]);
            prop_assert_eq!(done.is_ok(), accepted, "{:?}", done);
            if accepted {
                slots[slot as usize] = expected;
            }
            for slot in 0..=SLOTS {
                let found = session.call_values("found", &[slot.into()]).unwrap();
                let ways = if slot == SLOTS { 2 } else { 3 };
                prop_assert_eq!(found, Value::List(vec![as_value(slots[slot as usize]); ways]));
            }
        }
        Ok(())
    });
}
