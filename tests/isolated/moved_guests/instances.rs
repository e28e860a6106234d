//! Instances and modules.

use super::check;

const COUNTER: &str = r#"
COUNTER = '''(memory 1) (global $n (mut i32) (i32.const 0)) (data $d "x")
    (func (export "count") (param i32) (result i32)
        (global.set $n (i32.add (global.get $n) (local.get 0)))
        (i32.store8 (global.get $n) (local.get 0))
        (global.get $n))
    (func (export "drop") (result i32) (memory.init $d (i32.const 9) (i32.const 0) (i32.const 1)) (data.drop $d) (i32.load (i32.const 9)))'''
"#;

#[test]
fn many_instances_of_the_same_bytes() {
    check(
        &format!(
            r#"{COUNTER}
es = [guest(COUNTER).exports for _ in range(5)]
def count(n, by):
    es[n].count(by)
    return [e.count(0) for e in es]
def drop(n):
    es[n].drop()
    return [tried(e.drop) for e in es]
def make():
    es.append(guest(COUNTER).exports)
"#
        ),
        "count 0 1 = [1, 0, 0, 0, 0]
         count 4 3
         count 2 7 = [1, 0, 7, 0, 3]
         drop 1
         make
         count 5 2 = [1, 0, 7, 0, 3, 2]
         drop 0",
    );
}

/// Modules that were compiled before, and instantiated after.
#[test]
fn modules_move_along() {
    check(
        &format!(
            r#"{COUNTER}
module = wasm.Module(wasm.wat('''(module $named
    (import "e" "f" (func (param i32) (result i64)))
    (@custom "note" "one") (@custom "note" "two")
    (memory (export "a") 3) (func (export "run") (result i64) (call 0 (i32.const 4))))'''))
modules = [wasm.Module(wasm.wat("(module " + COUNTER + ")"))]
es = []
def make(n):
    es.append(wasm.instantiate(modules[n]).exports)
    return [e.count(n + 1) for e in es]
def compile():
    modules.append(wasm.Module(wasm.wat("(module " + COUNTER + '(func (export "more")))')))
    return (modules[0] == modules[1], len(modules[-1].exports))
def describe():
    return (module.name, module.imports, module.exports, module.custom_sections("note"), module.custom_sections("none"))
def run(n):
    e = wasm.instantiate(module, imports = {{"e": {{"f": lambda caller, x: x * n}}}}).exports
    return (e.run(), e.a.size(), list(e))
"#
        ),
        "make 0 = [1]
         describe
         run 3
         compile
         make 1
         make 0
         run 5
         describe
         make 1",
    );
}

/// Nothing but another instance leads to it.
#[test]
fn an_instance_that_the_script_has_dropped() {
    check(
        r#"
def make():
    hidden = guest('''(memory $m (export "m") 1) (global $n (mut i32) (i32.const 40)) (memory $own 1) (data $d "\\07")
        (func (export "next") (result i32)
            (global.set $n (i32.add (global.get $n) (i32.const 1)))
            (i32.store8 $own (i32.const 0) (global.get $n))
            (i32.load8_u $own (i32.const 0)))
        (func (export "init") (result i32)
            (memory.init $m $d (i32.const 3) (i32.const 0) (i32.const 1)) (data.drop $d) (i32.load $m (i32.const 3)))''')
    return guest('''(import "h" "next" (func $next (result i32))) (import "h" "init" (func $init (result i32)))
        (import "h" "m" (memory 1))
        (func (export "next") (result i32) (call $next)) (func (export "init") (result i32) (call $init))
        (func (export "clear") (result i32) (i32.store (i32.const 3) (i32.const 0)) (i32.load (i32.const 3)))''',
        imports = {"h": hidden}).exports
es = [make(), make()]
def next(n):
    return es[n].next()
def init(n):
    return tried(es[n].init)
def clear(n):
    return es[n].clear()
"#,
        "next 0 = 41
         next 0 = 42
         next 1 = 41
         init 0 = 7
         clear 0 = 0
         init 0 = \"memory-out-of-bounds\"
         init 1 = 7
         next 0 = 43",
    );
}

#[test]
fn a_trap_leaves_an_instance_as_it_is() {
    check(
        r#"
e = guest('''(memory 1) (global $n (mut i32) (i32.const 0))
    (func (export "run") (param i32) (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (i32.store (i32.const 0) (global.get $n))
        (if (local.get 0) (then unreachable))
        (i32.load (i32.const 0)))
    (func $deep (export "deep") (global.set $n (i32.add (global.get $n) (i32.const 1))) (call $deep))''').exports
def run(n):
    return e.run(n)
def deep():
    return tried(e.deep)
"#,
        "run 0 = 1
         run 1 = wasm trap: unreachable executed, in wasm function `run(i32) -> i32`
         run 0 = 3
         deep = \"stack-overflow\"
         run 0
         run 1
         run 0",
    );
}

#[test]
fn machines_of_wasi() {
    check(
        r#"
text = '''
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (global $fd (mut i32) (i32.const -1))
    (data (i32.const 1000) "a.txt")
    (func (export "open") (result i32)
        (call $open (i32.const 3) (i32.const 0) (i32.const 1000) (i32.const 5) (i32.const 0)
            (i64.const 0x42) (i64.const 0) (i32.const 0) (i32.const 2000))
        (global.set $fd (i32.load (i32.const 2000))))
    (func (export "read") (param i32) (result i32 i32 i32)
        (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (local.get 0))
        (i32.store (i32.const 100) (i32.const 0))
        (call $read (global.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))
        (i32.load (i32.const 8)) (i32.load (i32.const 100)))
    (func (export "append") (param i32) (result i32)
        (i32.store (i32.const 0) (i32.const 1000)) (i32.store (i32.const 4) (local.get 0))
        (call $write (global.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
    (func (export "go") (result i64 i64)
        (drop (call $random (i32.const 100) (i32.const 8)))
        (drop (call $time (i32.const 0) (i64.const 0) (i32.const 108)))
        (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 16))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (i64.load (i32.const 100)) (i64.load (i32.const 108)))
    (func (export "_start") (call $exit (i32.const 3)))'''
machine = wasm.wasi(files = {"/a.txt": "one two three"}, seed = 5)
one, two = [guest(text, wasi = machine) for _ in range(2)]
def see():
    return (machine.stdout, machine.files, machine.exit_code)
def go():
    return (one.exports.go(), two.exports.go())
def open():
    return one.exports.open()
def read(n):
    return one.exports.read(n)
def append(n):
    return (one.exports.append(n), machine.files)
def exit():
    return (two.start(), machine.exit_code)
"#,
        "go
         open = 0
         read 3 = (0, 3, 6647407)
         go
         read 2
         append 2
         see
         exit = (3, 3)
         read 4
         go
         see",
    );
}
