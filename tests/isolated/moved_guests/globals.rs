//! Globals.

use super::check;

#[test]
fn private_globals_of_all_number_types() {
    check(
        r#"
e = guest('''
    (global $i (mut i32) (i32.const -5))
    (global $l (mut i64) (i64.const 0x7fffffffffffffff))
    (global $f (mut f32) (f32.const -0))
    (global $d (mut f64) (f64.const 0.1))
    (global $v (mut v128) (v128.const i32x4 1 2 3 4))
    (global $constant i32 (i32.const 7))
    (func (export "step")
        (global.set $i (i32.mul (global.get $i) (global.get $constant)))
        (global.set $l (i64.rotl (global.get $l) (i64.const 9)))
        (global.set $f (f32.sub (global.get $f) (f32.const 0.3)))
        (global.set $d (f64.div (global.get $d) (f64.const -3)))
        (global.set $v (i32x4.mul (global.get $v) (v128.const i32x4 -3 5 -7 11))))
    ;; Signalling NaNs with a payload.
    (func (export "nan")
        (global.set $f (f32.reinterpret_i32 (i32.const 0xffa12345)))
        (global.set $d (f64.reinterpret_i64 (i64.const 0x7ff123456789abcd))))
    (func (export "get") (result i32 i64 i32 i64 v128)
        (global.get $i) (global.get $l)
        (i32.reinterpret_f32 (global.get $f)) (i64.reinterpret_f64 (global.get $d))
        (global.get $v))''').exports
def step():
    e.step()
    return e.get()
def nan():
    e.nan()
def get():
    return [hex(n) if type(n) == "int" else n for n in e.get()]
def hex(n):
    return "%x" % (n & 0xffffffffffffffff)
"#,
        "step
         step
         nan
         get
         get
         step",
    );
}

#[test]
fn private_globals_of_references() {
    check(
        r#"
other = guest('(func (export "ten") (result i32) (i32.const 10))').exports
e = guest('''
    (import "other" "ten" (func $ten (result i32)))
    (import "script" "back" (func $back (result i32)))
    (global $f (mut funcref) (ref.func $one))
    (global $x (mut externref) (ref.null extern))
    (table $t 1 funcref)
    (func $one (result i32) (i32.const 1))
    (func $two (result i32) (i32.const 2))
    (elem declare func $two $ten $back)
    (func (export "two") (global.set $f (ref.func $two)))
    (func (export "ten") (global.set $f (ref.func $ten)))
    (func (export "back") (global.set $f (ref.func $back)))
    (func (export "null") (global.set $f (ref.null func)))
    (func (export "keep") (param funcref externref) (global.set $f (local.get 0)) (global.set $x (local.get 1)))
    (func (export "kept") (result externref) (global.get $x))
    (func (export "call") (result i32)
        (table.set $t (i32.const 0) (global.get $f))
        (call_indirect $t (result i32) (i32.const 0)))''',
    imports = {"other": other, "script": {"back": lambda caller: 100 + len(state)}}).exports
state = {}
def call():
    return tried(e.call)
def two():
    e.two()
def ten():
    e.ten()
def back():
    e.back()
def null():
    e.null()
def keep():
    e.keep(other.ten, state)
def put(n):
    state[n] = len(state)
def put_kept(n):
    e.kept()[n] = "kept"
    return state
def kept():
    return e.kept()
"#,
        "call = 1
         two
         call = 2
         ten
         call = 10
         back
         call = 100
         kept = None
         keep
         put 5
         kept = {5: 0}
         put_kept 6 = {5: 0, 6: \"kept\"}
         call = 10
         null
         call = \"indirect-call-to-null\"
         back
         call = 102",
    );
}

#[test]
fn a_mutable_global_is_shared() {
    check(
        r#"
made = wasm.Global("i64", 5, mutable = True)
owner = guest('''(global $n (export "n") (mut i32) (i32.const 1))
    (func (export "get") (result i32) (global.get $n))
    (func (export "double") (global.set $n (i32.mul (global.get $n) (i32.const 2))))''').exports
text = '''
    (import "e" "made" (global $made (mut i64)))
    (import "e" "n" (global $n (mut i32)))
    (global $own (mut i32) (i32.const 0))
    (func (export "add") (param i32)
        (global.set $n (i32.add (global.get $n) (local.get 0)))
        (global.set $own (i32.sub (global.get $own) (local.get 0)))
        (global.set $made (i64.mul (global.get $made) (i64.const 3))))
    (func (export "get") (result i64 i32 i32) (global.get $made) (global.get $n) (global.get $own))'''
one, two = [guest(text, imports = {"e": {"made": made, "n": owner.n}}).exports for _ in range(2)]
def see():
    return [one.get(), two.get(), owner.get(), made.value, owner.n.value]
def add(n):
    one.add(n)
    two.add(10 * n)
    owner.double()
    return see()
def set(n):
    made.value = n
    owner.n.value = n + 1
    return see()
"#,
        "see = [(5, 1, 0), (5, 1, 0), 1, 5, 1]
         add 1
         set 7 = [(7, 8, -1), (7, 8, -10), 8, 7, 8]
         add 2
         see",
    );
}

/// Those that the script makes, of each type, which no export leads to.
#[test]
fn globals_of_the_script() {
    check(
        r#"
shared = []
globals = [
    wasm.Global("i32", -1, mutable = True),
    wasm.Global("i64", 1 << 62, mutable = True),
    wasm.Global("f32", 1.5, mutable = True),
    wasm.Global("f64", 0.1, mutable = True),
    wasm.Global("v128", b"0123456789abcdef", mutable = True),
    wasm.Global("externref", shared, mutable = True),
    wasm.Global("externref", shared),
    wasm.Global("funcref", None, mutable = True),
    wasm.Global("i32", 3),
]
e = guest('(func (export "f") (result i32) (i32.const 4))').exports
def values():
    shared.append(len(shared))
    return [g.value if g.type != "funcref" else g.value and g.value() for g in globals]
def change():
    globals[0].value = 5
    globals[2].value = 2.5
    globals[4].value = b"f" * 16
    globals[5].value = globals[8]
    globals[7].value = e.f
    return globals[5].value == globals[8]
def compare():
    return (globals[5].value == globals[8], globals[7].value == e.f, globals[0] == globals[0], globals[0] == globals[1])
def refuse():
    globals[8].value = 1
"#,
        "values
         values
         refuse = this global of type i32 is immutable
         change = True
         compare = (True, True, True, False)
         values",
    );
}

/// What an instance computes from its imports when it is made, and what never changes.
#[test]
fn constants_that_depend_on_imports() {
    check(
        r#"
thing = {}
ten = guest('(func (export "ten") (result i32) (i32.const 10))').exports.ten
base = wasm.Global("i32", 3)
text = '''
    (import "e" "base" (global $base i32)) (import "e" "thing" (global $thing externref)) (import "e" "ten" (global $ten funcref))
    (global $own i32 (i32.mul (global.get $base) (i32.const 7)))
    (global $mine externref (global.get $thing))
    (global $f funcref (global.get $ten))
    (global $one funcref (ref.func $one))
    (global $changed (mut i32) (global.get $base))
    (memory 1) (data (global.get $base) "abc")
    (table $t 8 funcref) (elem (table $t) (global.get $base) funcref (global.get $ten) (ref.null func) (ref.func $one))
    (table $x 2 externref) (elem (table $x) (i32.const 0) externref (global.get $thing) (global.get $thing))
    (func $one (result i32) (i32.const 1))
    (func (export "see") (result i32 externref i32 i32)
        (global.get $own) (global.get $mine) (global.get $changed) (i32.load (i32.const 3)))
    (func (export "change")
        (global.set $changed (i32.add (global.get $changed) (global.get $own)))
        (i32.store8 (i32.const 4) (i32.const 65))
        (table.set $x (i32.const 0) (ref.null extern))
        (table.set $t (i32.const 0) (global.get $one)))
    (func (export "x") (param i32) (result externref) (table.get $x (local.get 0)))
    (func (export "t") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))'''
imports = {"e": {"base": base, "thing": wasm.Global("externref", thing), "ten": wasm.Global("funcref", ten)}}
e = guest(text, imports = imports).exports
def see():
    thing[len(thing)] = "seen"
    return (e.see(), [tried(e.t, i) for i in range(9)], [e.x(i) for i in range(2)])
def change():
    e.change()
def put():
    e.see()[1]["put"] = True
    return (thing, e.x(1) == thing)
"#,
        "see
         change
         see
         put
         see",
    );
}
