//! Start functions, which run once.

use super::{Case, check};

#[test]
fn a_start_function_does_not_run_again() {
    check(
        r#"
runs = []
counter = wasm.Global("i32", 0, mutable = True)
text = '''
    (import "e" "counter" (global $counter (mut i32)))
    (import "e" "ran" (func $ran (param i32)))
    (memory 1) (data $d "d")
    (global $n (mut i32) (i32.const 0))
    (func $start
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (global.set $counter (i32.add (global.get $counter) (i32.const 1)))
        (data.drop $d)
        (call $ran (global.get $counter)))
    (start $start)
    (func (export "again") (call $start))
    (func (export "init") (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)))
    (func (export "n") (result i32) (global.get $n))'''
def ran(caller, n):
    runs.append(n)
es = []
def make():
    es.append(guest(text, imports = {"e": {"counter": counter, "ran": ran}}).exports)
make()
def see():
    return ([e.n() for e in es], counter.value, runs, [tried(e.init) for e in es])
def again(n):
    es[n].again()
"#,
        "see = ([1], 1, [1], [\"memory-out-of-bounds\"])
         see
         make
         see
         again 0
         see = ([2, 1], 3, [1, 2, 3], [\"memory-out-of-bounds\", \"memory-out-of-bounds\"])",
    );
}

/// The start function is an export, and in a table.
#[test]
fn a_start_function_with_another_use() {
    check(
        r#"
e = guest('''(table 1 funcref) (elem (i32.const 0) func $start) (global $n (mut i32) (i32.const 0))
    (func $start (export "start") (global.set $n (i32.add (global.get $n) (i32.const 1))))
    (start $start)
    (func (export "indirect") (call_indirect (i32.const 0)))
    (func (export "get") (result funcref) (table.get (i32.const 0)))
    (func (export "n") (result i32) (global.get $n))''').exports
def run():
    e.start()
    e.indirect()
    return (e.n(), e.get() == e.start, list(e))
"#,
        "run = (3, True, [\"start\", \"indirect\", \"get\", \"n\"])
         run
         run = (7, True, [\"start\", \"indirect\", \"get\", \"n\"])",
    );
}

/// The start function traps after it has put functions of its instance into a table of others: they stay there, and so does
/// their instance. Where such a session cannot be saved, that is an error, and the session goes on.
#[test]
fn an_instance_that_failed_to_start() {
    check_or_refused(
        r#"
table = wasm.Table(4)
shared = wasm.Memory(1)
text = '''
    (import "e" "table" (table $t 4 funcref)) (import "e" "shared" (memory $shared 1))
    (memory $own 1) (global $n (mut i32) (i32.const 5)) (data $d "d")
    (elem (table $t) (i32.const 0) func $count)
    (data (memory $shared) (i32.const 0) "seen")
    (func $count (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (i32.store $own (i32.const 0) (i32.add (i32.load $own (i32.const 0)) (global.get $n)))
        (i32.load $own (i32.const 0)))
    (func $init (result i32)
        (memory.init $own $d (i32.const 8) (i32.const 0) (i32.const 1)) (data.drop $d) (i32.load $own (i32.const 8)))
    (elem declare func $init)
    (start $start)
    (func $start
        (table.set $t (i32.const 1) (ref.func $init))
        (global.set $n (i32.const 10))
        unreachable)'''
user = guest('''(import "e" "table" (table $t 4 funcref))
    (func (export "call") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))''', imports = {"e": {"table": table}}).exports
def make():
    return tried(lambda: guest(text, imports = {"e": {"table": table, "shared": shared}}))
def call(n):
    return tried(user.call, n)
def call_table(n):
    return table[n]()
def see():
    return [shared.read(0, 4), [f and f.results for f in [table[i] for i in range(4)]]]
"#,
        "call 0 = \"indirect-call-to-null\"
         make = \"unreachable\"
         see
         call 0 = 11
         call 0 = 23
         call_table 1 = 100
         call 1 = \"memory-out-of-bounds\"
         make
         call 0
         call 1 = 100",
    );
}

/// Segments that do not fit: what came before them stays.
#[test]
fn an_instance_whose_segments_do_not_fit() {
    check(
        r#"
table = wasm.Table(2)
memory = wasm.Memory(1)
user = guest('''(import "e" "table" (table $t 2 funcref))
    (func (export "call") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))''', imports = {"e": {"table": table}}).exports
def make(at):
    guest('''(import "e" "memory" (memory 1))
        (data (i32.const 0) "first") (data (i32.const %d) "second")''' % at, imports = {"e": {"memory": memory}})
def make_table(at):
    guest('''(import "e" "table" (table $t 2 funcref))
        (func $f (result i32) (i32.const 1)) (elem (i32.const %d) func $f)''' % at, imports = {"e": {"table": table}})
def see():
    return (memory.read(0, 8), [tried(user.call, i) for i in range(3)])
"#,
        "make 65530
         see
         make 65531
         make_table 2
         see
         make_table 1
         see",
    );
}

/// An instance is not made since a segment does not fit, but its functions were put into a table before.
#[test]
fn functions_of_an_instance_that_was_not_made() {
    check_or_refused(
        r#"
table = wasm.Table(2)
memory = wasm.Memory(1)
user = guest('''(import "e" "table" (table $t 2 funcref))
    (func (export "clear") (table.fill $t (i32.const 0) (ref.null func) (i32.const 2)))
    (func (export "call") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))''', imports = {"e": {"table": table}}).exports
def make():
    guest('''(import "e" "table" (table $t 2 funcref)) (import "e" "memory" (memory 1)) (global $n (mut i32) (i32.const 5))
        (elem (i32.const 0) func $f) (data (i32.const 9) "first") (data (i32.const 65535) "second")
        (func $f (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))''',
        imports = {"e": {"table": table, "memory": memory}})
def see():
    return (memory.read(9, 5), [tried(user.call, i) for i in range(3)])
def clear():
    user.clear()
"#,
        "see
         make
         see
         see
         clear
         see
         see",
    );
}

/// A start function that an error of the script ends, and one that makes other instances meanwhile.
#[test]
fn start_functions_that_call_the_script() {
    check_or_refused(
        r#"
table = wasm.Table(4)
es = []
text = '''(import "e" "run" (func $run (param i32) (result i32))) (import "e" "table" (table $t 4 funcref))
    (global $n (mut i32) (i32.const %d)) (memory (export "memory") 1)
    (func $next (export "next") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
    (start $start)
    (func $start (table.set $t (global.get $n) (ref.func $next)) (global.set $n (call $run (global.get $n))))'''
def run(caller, n):
    if n == 0:
        fail("no zero")
    caller.memory.write_u8(0, n)
    if n > 1:
        make(n - 1)
    es.append(caller.exports)
    return 10 * n
def make(n):
    es.append(guest(text % n, imports = {"e": {"run": run, "table": table}}).exports)
def see():
    return [tried(e.next) for e in es] + [e.memory.read_u8(0) for e in es] + [table[i] and table[i]() for i in range(4)]
"#,
        "make 3
         see
         see
         make 0 = fail: no zero
         see
         make 2
         see",
    );
}

/// Checks what may not be possible to save or fork: then an error says why, and the session goes on.
fn check_or_refused(script: &str, calls: &str) {
    let case = Case::new(script, calls);
    let stayed = case.stayed();
    let (mut restored, mut forked) = (case.load(), case.load());
    for (call, (answer, stats)) in case.calls.iter().zip(&stayed) {
        match (restored.save(), forked.fork()) {
            (Ok(bytes), Ok(fork)) => {
                restored = case.sandbox().restore(&bytes).unwrap();
                forked = fork;
            }
            (Err(saving), Err(forking)) => {
                assert_eq!(saving.message(), forking.message());
                assert!(saving.message().contains("an instance"), "{saving}");
                println!("before {}: {saving}", call.shown());
            }
            (saved, forked) => panic!("only one is refused: {:?}, {:?}", saved.err(), forked.err()),
        }
        for session in [&mut restored, &mut forked] {
            assert_eq!(&call.make(session), answer, "{}", call.shown());
            assert_eq!(&session.stats(), stats, "{}", call.shown());
        }
    }
}
