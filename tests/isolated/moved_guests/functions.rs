//! Functions that a script or a guest holds a reference to.

use super::check;

/// Handles that the script kept are the same as those that it gets later.
#[test]
fn handles_are_equal_before_and_after() {
    check(
        r#"
i = guest('''(memory (export "memory") 1) (table (export "t") 2 funcref) (global (export "g") (mut i32) (i32.const 1))
    (func $f (export "f") (export "again")) (func $h (export "h"))
    (elem (i32.const 0) func $f)
    (func (export "get") (param i32) (result funcref) (table.get 0 (local.get 0)))''')
other = wasm.instantiate(i.module)
kept = []
def keep():
    e = i.exports
    kept.append([i, e, e.memory, e.t, e.g, e.f, e.h, e.get(0), i.module, other.exports.f])
    return len(kept)
def compare():
    return [[a == b for a, b in zip(kept[0], others)] for others in kept]
def cross():
    e = i.exports
    return [e.f == e.again, e.f == e.h, e.get(0) == e.f, e.t[0] == kept[0][5], e.f == other.exports.f, e.get(1), e == other.exports,
        e.memory == other.memory, kept[0][3][0] == kept[-1][7], i == other, i.module == other.module]
def see():
    return [str(value) for value in kept[-1]]
"#,
        "keep
         compare
         keep
         cross
         keep
         compare
         see
         cross",
    );
}

/// Functions of an instance that no export leads to, in the hands of the script.
#[test]
fn hidden_functions() {
    check(
        r#"
e = guest('''(global $n (mut i32) (i32.const 0)) (table $t 2 funcref) (elem (i32.const 0) func $hidden $other)
    (func $hidden (param i32) (result i32) (global.set $n (i32.add (global.get $n) (local.get 0))) (global.get $n))
    (func $other (result i32) (i32.const -1))
    (func (export "give") (param i32) (result funcref) (table.get $t (local.get 0)))
    (func (export "same") (param funcref funcref) (result funcref funcref) (local.get 1) (local.get 0))''').exports
kept = [e.give(0)]
def call(n):
    return (kept[0](n), e.give(0)(n), kept[0] == e.give(0), kept[0] == e.give(1))
def give(n):
    kept.append(e.give(n))
    return (str(kept[-1]), kept[-1].params, kept[-1].name)
def swap():
    a, b = e.same(kept[0], kept[-1])
    return (a == kept[-1], b == kept[0], a == b)
def last():
    return kept[-1]()
"#,
        "call 2 = (2, 4, True, False)
         give 1
         last = -1
         swap
         call 5 = (9, 14, True, False)
         give 0
         last
         swap",
    );
}

/// Functions of the script that a guest was given, and that call back.
#[test]
fn callbacks() {
    check(
        r#"
def counter(start):
    state = {"n": start}
    def count(caller, by):
        state["n"] += by
        return state["n"]
    return count
def nested(caller, n):
    return 0 if n == 0 else 1 + caller.exports.down(n - 1)
def failing(caller):
    log.append("failing")
    fail("on purpose")
log = []
text = '''
    (import "e" "count" (func $count (param i32) (result i32)))
    (import "e" "nested" (func $nested (param i32) (result i32)))
    (import "e" "failing" (func $failing))
    (global $n (mut i32) (i32.const 0))
    (func (export "count") (param i32) (result i32) (call $count (local.get 0)))
    (func (export "down") (param i32) (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (call $nested (local.get 0)))
    (func (export "n") (result i32) (global.get $n))
    (func (export "fail") (global.set $n (i32.const 1000)) (call $failing))'''
shared = counter(5)
es = [guest(text, imports = {"e": {"count": f, "nested": nested, "failing": failing}}).exports for f in [shared, shared, counter(50)]]
def count(by):
    return [e.count(by) for e in es]
def down(n):
    return [e.down(n) for e in es] + [e.n() for e in es]
def failed(n):
    es[n].fail()
def see():
    return ([e.n() for e in es], log)
"#,
        "count 1 = [6, 7, 51]
         down 3
         failed 1 = fail: on purpose
         see = ([4, 1000, 4], [\"failing\"])
         count 2 = [9, 11, 53]
         down 1
         failed 2
         see",
    );
}

/// Re-exported functions: of another instance, and of the script.
#[test]
fn functions_pass_through_instances() {
    check(
        r#"
seen = []
def note(caller, n):
    seen.append(n)
    return len(seen)
one = guest('''(import "e" "note" (func $note (param i32) (result i32))) (export "note" (func $note))
    (global $n (mut i32) (i32.const 0))
    (func (export "next") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))''',
    imports = {"e": {"note": note}}).exports
two = guest('''(import "e" "note" (func $note (param i32) (result i32))) (import "e" "next" (func $next (result i32)))
    (export "next" (func $next)) (export "note" (func $note))
    (func (export "both") (result i32) (call $note (call $next)))''', imports = {"e": one}).exports
three = []
def both():
    return (two.both(), two.next(), one.next(), two.note(7), one.note(8), seen)
def make():
    three.append(guest('''(import "e" "both" (func $both (result i32))) (import "e" "note" (func $note (param i32) (result i32)))
        (func (export "run") (result i32) (i32.add (call $both) (call $note (i32.const 0))))''', imports = {"e": two}).exports)
def run():
    return [e.run() for e in three]
def same():
    return (one.next == two.next, one.note == two.note)
"#,
        "both = (1, 2, 3, 2, 3, [1, 7, 8])
         same
         make
         both
         run
         make
         run
         same",
    );
}
