//! Segments, which an instance drops for itself.

use super::check;

#[test]
fn passive_data_is_dropped_by_some_instances() {
    check(
        r#"
module = wasm.Module(wasm.wat('''(module (memory 1)
    (data $a "alpha") (data $b "beta") (data $empty "") (data $active (i32.const 500) "act")
    (func (export "init") (param i32) (result i64)
        (memory.init $a (local.get 0) (i32.const 1) (i32.const 4))
        (memory.init $b (i32.add (local.get 0) (i32.const 4)) (i32.const 0) (i32.const 4))
        (memory.init $empty (local.get 0) (i32.const 0) (i32.const 0))
        (i64.load (local.get 0)))
    (func (export "init_b") (param i32) (result i32)
        (memory.init $b (local.get 0) (i32.const 0) (i32.const 2)) (i32.load (local.get 0)))
    (func (export "init_nothing")
        (memory.init $a (i32.const 0) (i32.const 0) (i32.const 0)))
    (func (export "active") (memory.init $active (i32.const 0) (i32.const 0) (i32.const 1)))
    (func (export "drop_a") (data.drop $a) (data.drop $empty))
    (func (export "drop_b") (data.drop $b)))'''))
es = [wasm.instantiate(module).exports for _ in range(3)]
def drop_a(n):
    es[n].drop_a()
def drop_b(n):
    es[n].drop_b()
def init(at):
    return [(tried(e.init, at), tried(e.init_b, at), tried(e.init_nothing), tried(e.active)) for e in es]
def make():
    es.append(wasm.instantiate(module).exports)
"#,
        "init 8
         drop_a 1
         init 16
         drop_b 2
         init 24
         make
         init 32
         drop_b 3
         drop_a 2
         init 40",
    );
}

#[test]
fn passive_elements_are_dropped_by_some_instances() {
    check(
        r#"
other = guest('(func (export "ten") (result i32) (i32.const 10))').exports
thing = ["thing"]
module = wasm.Module(wasm.wat('''(module
    (import "e" "ten" (func $ten (result i32)))
    (import "e" "back" (func $back (result i32)))
    (import "e" "x" (global $x externref))
    (import "e" "f" (global $f funcref))
    (table $t 6 funcref) (table $u 3 externref)
    (func $one (result i32) (i32.const 1))
    (elem $a func $one $ten $back)
    (elem $b funcref (ref.null func) (global.get $f) (ref.func $one))
    (elem $c externref (global.get $x) (ref.null extern))
    (elem $active (table $t) (i32.const 5) func $one)
    (func (export "a") (table.init $t $a (i32.const 0) (i32.const 0) (i32.const 3)))
    (func (export "b") (param i32) (table.init $t $b (local.get 0) (i32.const 0) (i32.const 3)))
    (func (export "c") (param i32) (table.init $u $c (i32.const 1) (local.get 0) (i32.const 1)))
    (func (export "active") (table.init $t $active (i32.const 0) (i32.const 0) (i32.const 1)))
    (func (export "drop_a") (elem.drop $a))
    (func (export "drop_b") (elem.drop $b))
    (func (export "drop_c") (elem.drop $c))
    (func (export "call") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))
    (func (export "thing") (param i32) (result externref) (table.get $u (local.get 0))))'''))
def back(caller):
    return 100 + len(thing)
imports = {"e": {"ten": other.ten, "back": back, "x": wasm.Global("externref", thing), "f": wasm.Global("funcref", other.ten)}}
es = [wasm.instantiate(module, imports = imports).exports for _ in range(3)]
def see():
    return [[tried(e.call, i) for i in range(6)] + [e.thing(i) for i in range(3)] for e in es]
def run(n, which, arg):
    e = es[n]
    f = [e.a, e.b, e.c, e.active, e.drop_a, e.drop_b, e.drop_c][which]
    return tried(f, arg) if which in (1, 2) else tried(f)
def more(n):
    thing.append(n)
    return [(e.thing(1) == thing) for e in es]
def make():
    es.append(wasm.instantiate(module, imports = imports).exports)
"#,
        "see
         run 0 0 0
         run 1 4 0
         run 1 0 0 = \"table-out-of-bounds\"
         see
         run 2 5 0
         run 2 1 2 = \"table-out-of-bounds\"
         run 1 1 2 = None
         run 0 2 0
         more 1 = [True, False, False]
         run 0 6 0
         run 0 2 0 = \"table-out-of-bounds\"
         run 1 2 0 = None
         see
         make
         run 3 0 0
         run 3 3 0 = \"table-out-of-bounds\"
         see",
    );
}

/// What was there when the instance was made does not come back.
#[test]
fn active_segments_are_overwritten() {
    check(
        r#"
other = guest('(func (export "ten") (result i32) (i32.const 10))').exports
table = wasm.Table(4)
memory = wasm.Memory(1)
text = '''
    (import "e" "table" (table $shared 4 funcref))
    (import "e" "memory" (memory $shared 1))
    (memory $m 1) (data (memory $m) (i32.const 0) "own") (data (memory $shared) (i32.const %d) "shared")
    (table $t 2 funcref) (elem (table $t) (i32.const 0) func $one $one) (elem (table $shared) (i32.const %d) func $one $two)
    (func $one (result i32) (i32.const %d))
    (func $two (result i32) (i32.const 2))
    (func (export "clear")
        (memory.fill $m (i32.const 0) (i32.const 0) (i32.const 2))
        (table.set $t (i32.const 1) (ref.null func)))
    (func (export "clear_shared")
        (memory.fill $shared (i32.const 0) (i32.const 1) (i32.const 5))
        (table.fill $shared (i32.const 1) (ref.func $two) (i32.const 2)))
    (func (export "own") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))
    (func (export "shared") (param i32) (result i32) (call_indirect $shared (result i32) (local.get 0)))
    (func (export "m") (result i32) (i32.load $m (i32.const 0)))'''
imports = {"e": {"table": table, "memory": memory}}
es = [guest(text % (n, n, n), imports = imports).exports for n in range(3)]
def see():
    return [(e.m(), [tried(e.own, i) for i in range(2)], [tried(e.shared, i) for i in range(4)]) for e in es] + [memory.read(0, 10)]
def clear(n):
    es[n].clear()
def clear_shared(n):
    es[n].clear_shared()
def put(i):
    table[i] = other.ten
"#,
        "see
         clear 1
         see
         clear_shared 0
         see
         put 2
         see
         clear 0
         clear_shared 2
         see",
    );
}
