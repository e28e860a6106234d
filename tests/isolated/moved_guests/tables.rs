//! Tables.

use super::check;

#[test]
fn private_tables_of_functions() {
    check(
        r#"
calls = []
def back(caller):
    calls.append(caller.exports.t_size())
    return 100 + len(calls)
other = guest('''(global $n (mut i32) (i32.const 9))
    (func (export "ten") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))''').exports
e = guest('''
    (import "script" "back" (func $back (result i32)))
    (import "other" "ten" (func $ten (result i32)))
    (table $t 4 20 funcref) (table $u 3 funcref)
    (func $one (result i32) (i32.const 1))
    (func $wrong (param i32))
    (elem (table $t) (i32.const 1) func $one)
    (elem declare func $back $ten $wrong)
    (func (export "set") (table.set $t (i32.const 0) (ref.func $back)) (table.set $t (i32.const 2) (ref.func $wrong)))
    (func (export "grow") (result i32) (table.grow $t (ref.func $ten) (i32.const 2)))
    (func (export "fill") (table.fill $t (i32.const 2) (ref.func $back) (i32.const 3)))
    (func (export "copy") (table.copy $u $t (i32.const 0) (i32.const 3) (i32.const 3)))
    (func (export "put") (param i32 funcref) (table.set $u (local.get 0) (local.get 1)))
    (func (export "t_size") (result i32) (table.size $t))
    (func (export "t") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))
    (func (export "u") (param i32) (result i32) (call_indirect $u (result i32) (local.get 0)))''',
    imports = {"script": {"back": back}, "other": other}).exports
def see():
    return ([tried(e.t, i) for i in range(8)], [tried(e.u, i) for i in range(4)], calls)
def set():
    e.set()
def grow():
    return e.grow()
def fill():
    e.fill()
def copy():
    return tried(e.copy)
def put(n):
    e.put(n, other.ten)
"#,
        "see
         set
         see
         copy = \"table-out-of-bounds\"
         grow = 4
         see
         copy = None
         see
         fill
         see
         put 0
         grow = 6
         see",
    );
}

#[test]
fn a_table_of_the_script_is_shared() {
    check(
        r#"
table = wasm.Table(3, maximum = 6)
text = '''
    (import "e" "table" (table $t 3 6 funcref))
    (global $n (mut i32) (i32.const %d))
    (func $count (export "count") (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
    (func $hidden (result i32) (i32.sub (i32.const 0) (call $count)))
    (elem declare func $hidden)
    (func (export "hide") (param i32) (table.set $t (local.get 0) (ref.func $hidden)))
    (func (export "grow") (result i32) (table.grow $t (ref.func $hidden) (i32.const 1)))
    (func (export "call") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))'''
es = [guest(text % (100 * n), imports = {"e": {"table": table}}).exports for n in range(3)]
kept = []
def see():
    return [[tried(e.call, i) for i in range(len(table) + 1)] for e in es]
def put(i, n):
    table[i] = es[n].count
def put_nothing(i):
    table[i] = None
def hide(i, n):
    es[n].hide(i)
    kept.append(table[i])
def grow(n):
    return es[n].grow()
def call_kept():
    return [f() for f in kept] + [f == table[0] for f in kept] + [table[1] == es[1].count]
def drop():
    # Only the table and its functions are left.
    es.pop()
    return [table[i] and table[i]() for i in range(len(table))]
"#,
        "see
         put 1 1
         see
         hide 0 2
         see
         call_kept = [-204, True, True]
         grow 2 = 3
         drop
         see
         drop
         put_nothing 1
         grow 0 = 4
         call_kept
         grow 0 = 5
         see",
    );
}

#[test]
fn tables_of_the_script_s_values() {
    check(
        r#"
made = wasm.Table(2, type = "externref")
e = guest('''
    (import "e" "made" (table $made 2 externref))
    (table $own 2 externref)
    (func (export "put") (param i32 externref) (table.set $own (local.get 0) (local.get 1)))
    (func (export "grow") (param externref) (result i32 i32)
        (table.grow $own (local.get 0) (i32.const 2)) (table.grow $made (local.get 0) (i32.const 1)))
    (func (export "copy") (table.copy $own $made (i32.const 0) (i32.const 0) (i32.const 2)))
    (func (export "null") (param i32) (result i32) (ref.is_null (table.get $own (local.get 0))))
    (func (export "get") (param i32) (result externref) (table.get $own (local.get 0)))''', imports = {"e": {"made": made}}).exports
state = {"n": 0}
def put(i):
    e.put(i, state)
    made[0] = [state]
def grow():
    return e.grow({"fresh": len(made)})
def mutate(i):
    # The same dict by each way.
    e.get(i)["n"] += 1
    state["i"] = i
    made[0].append(len(made[0]))
    made[0][0]["n"] += 10
    return (state, made[0], e.get(i))
def copy():
    e.copy()
def see():
    return ([tried(e.get, i) for i in range(5)], [tried(e.null, i) for i in range(5)], [made[i] for i in range(len(made))])
def change_fresh():
    # Both were grown with one value.
    made[len(made) - 1]["changed"] = True
    return e.get(3)
"#,
        "see
         put 1
         mutate 1 = ({\"n\": 11, \"i\": 1}, [{\"n\": 11, \"i\": 1}, 1], {\"n\": 11, \"i\": 1})
         see
         grow = (2, 2)
         change_fresh = {\"fresh\": 2, \"changed\": True}
         copy
         see
         mutate 1 = Operation `[]` not supported for types `NoneType` and `string`
         see",
    );
}

#[test]
fn a_table_of_64_bits() {
    check(
        r#"
made = wasm.Table(1, table64 = True)
e = guest('''
    (import "e" "made" (table $made i64 1 funcref))
    (table $own i64 2 10 funcref)
    (func $one (result i32) (i32.const 1))
    (elem (table $own) (i64.const 1) func $one)
    (elem $passive func $one)
    (func (export "init") (table.init $made $passive (i64.const 0) (i32.const 0) (i32.const 1)))
    (func (export "drop") (elem.drop $passive))
    (func (export "grow") (result i64 i64)
        (table.grow $made (ref.func $one) (i64.const 1)) (table.grow $own (ref.null func) (i64.const 5)))
    (func (export "made") (param i64) (result i32) (call_indirect $made (result i32) (local.get 0)))
    (func (export "own") (param i64) (result i32) (call_indirect $own (result i32) (local.get 0)))''', imports = {"e": {"made": made}}).exports
def see():
    return ([tried(e.made, i) for i in range(4)], [tried(e.own, i) for i in range(8)], len(made))
def init():
    return tried(e.init)
def drop():
    e.drop()
    made[0] = None
def grow():
    return e.grow()
"#,
        "see
         init
         see
         grow = (1, 2)
         drop
         init = \"table-out-of-bounds\"
         see
         grow = (2, -1)
         see",
    );
}

/// So much that a slice of fuel ends while a table grows, where wasmi cannot resume.
#[test]
fn a_table_that_grows_often() {
    check(
        r#"
def make():
    return guest('''(table $t 0 1000000 externref)
    (func (export "grow") (param i32) (result i32)
        (loop $l
            (drop (table.grow $t (ref.null extern) (i32.const 2000)))
            (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (table.size $t))''').exports
es = [make(), make()]
def grow(i, n):
    return tried(es[i].grow, n)
"#,
        "grow 0 10 = 20000
         grow 0 400 = 820000
         grow 1 50 = 100000
         grow 1 440 = 980000",
    );
}
