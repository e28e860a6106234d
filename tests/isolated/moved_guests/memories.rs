//! Memories.

use wasmlark::Limits;

use super::{Case, check, sandbox};

#[test]
fn private_memories_that_grow() {
    check(
        r#"
e = guest('''
    (memory $a 1 4) (memory $b 0) (memory $c i64 1 8)
    (data (memory $c) (i64.const 100) "\\01\\02\\03")
    (func (export "grow") (result i32 i32 i64)
        (memory.grow $a (i32.const 1)) (memory.grow $b (i32.const 2)) (memory.grow $c (i64.const 3)))
    (func (export "sizes") (result i32 i32 i64) (memory.size $a) (memory.size $b) (memory.size $c))
    (func (export "put") (param i32 i32)
        (i32.store8 $a (local.get 0) (local.get 1))
        (i32.store $b offset=65536 (local.get 0) (local.get 1))
        (i64.store $c offset=131072 (i64.extend_i32_u (local.get 0)) (i64.const -2)))
    (func (export "get") (param i32) (result i32 i32 i64 i64)
        (i32.load8_u $a (local.get 0))
        (i32.load $b offset=65536 (local.get 0))
        (i64.load $c offset=131072 (i64.extend_i32_u (local.get 0)))
        (i64.load $c (i64.const 100)))''').exports
def grow():
    return (e.grow(), e.sizes())
def put(at, n):
    return tried(e.put, at, n)
def get(at):
    return tried(e.get, at)
"#,
        "put 3 4 = \"memory-out-of-bounds\"
         get 3 = \"memory-out-of-bounds\"
         grow = ((1, 0, 1), (2, 2, 4))
         get 3 = (4, 0, 0, 197121)
         put 65000 7 = None
         get 65000 = (7, 7, -2, 197121)
         grow = ((2, 2, 4), (3, 4, 7))
         grow = ((3, 4, -1), (4, 6, 7))
         grow = ((-1, 6, -1), (4, 8, 7))
         get 65000 = (7, 7, -2, 197121)
         put 262000 1
         get 262000
         get 262143",
    );
}

#[test]
fn a_memory_of_the_script_is_shared() {
    check(
        r#"
small = wasm.Memory(1, maximum = 5)
large = wasm.Memory(1, memory64 = True)
text = '''
    (import "e" "small" (memory $small 1 10))
    (import "e" "large" (memory $large i64 1))
    (func (export "put") (param i32 i32)
        (i32.store $small (local.get 0) (local.get 1))
        (i32.store $large (i64.extend_i32_u (local.get 0)) (i32.mul (local.get 1) (i32.const 2))))
    (func (export "get") (param i32) (result i32 i32)
        (i32.load $small (local.get 0)) (i32.load $large (i64.extend_i32_u (local.get 0))))
    (func (export "grow") (result i32 i64)
        (memory.grow $small (i32.const 1)) (memory.grow $large (i64.const 2)))'''
one, two = [guest(text, imports = {"e": {"small": small, "large": large}}).exports for _ in range(2)]
def put(at, n):
    return tried(one.put, at, n)
def get(at):
    return [tried(two.get, at), small.size(), large.size(), small.read_u8(at % 65536), small.maximum, large.maximum]
def grow():
    return two.grow()
def grow_script():
    return (small.grow(1), large.grow(1))
"#,
        "put 8 5 = None
         get 8 = [(5, 10), 1, 1, 5, 5, None]
         grow = (1, 1)
         put 70000 6 = None
         get 70000
         grow_script = (2, 3)
         put 150000 9
         get 150000
         grow
         grow = (4, 6)
         grow = (-1, 8)
         grow_script = cannot grow a memory of 5 pages by 1 pages: its maximum is 5 pages
         get 150000",
    );
}

/// The script makes the memory larger than the guests that import it say, and the second instance writes there.
#[test]
fn active_segments_beyond_the_first_size() {
    check(
        r#"
owner = guest('(memory (export "memory") 1) (func (export "grow") (result i32) (memory.grow (i32.const 2)))')
made = []
def grow():
    return owner.exports.grow()
def make():
    made.append(guest('''(import "o" "memory" (memory 1)) (data (i32.const 131070) "abcd") (data (i32.const 2) "zz")
        (func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
        (func (export "clear") (i32.store (i32.const 131070) (i32.const 0)))''', imports = {"o": owner}).exports)
    return len(made)
def clear():
    made[-1].clear()
def get(at):
    return ([tried(e.get, at) for e in made], owner.memory.size(), owner.memory.read(0, 6))
"#,
        "grow = 1
         make = 1
         get 131070 = ([1684234849], 3, b\"\\x00\\x00zz\\x00\\x00\")
         clear
         get 131070 = ([0], 3, b\"\\x00\\x00zz\\x00\\x00\")
         make = 2
         get 131070 = ([1684234849, 1684234849], 3, b\"\\x00\\x00zz\\x00\\x00\")
         clear
         grow = 3
         get 131070",
    );
}

#[test]
fn limits_on_memory_move_along() {
    let limits = Limits::new().memory(6 << 16);
    Case::new(
        r#"
store = wasm.Store(max_memory = 3 << 16)
text = '''(memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "size") (result i32) (memory.size))'''
fenced = guest(text, store = store).exports
free = guest(text).exports
made = []
def grow(n, m):
    return (fenced.grow(n), free.grow(m), fenced.size(), free.size(), store.max_memory)
def make():
    made.append(wasm.Memory(1))
def close():
    store.close()
def grow_free(n):
    return free.grow(n)
"#,
        "grow 1 1 = (1, 1, 2, 2, 196608)
         grow 2 0 = (-1, 2, 2, 2, 196608)
         grow 1 1
         make = a new memory needs 65536 bytes: the sandbox's limit `memory` is 393216 bytes, and 0 are left
         grow_free 1 = -1
         close
         grow_free 4 = -1
         grow_free 2 = 3
         make
         make",
    )
    .limits(limits)
    .check();
}

#[test]
fn tables_have_their_limit_too() {
    let limits = Limits::new().table_elements(20);
    Case::new(
        r#"
e = guest('''(table $t 5 funcref) (table $u 1 16 externref)
    (func (export "grow") (param i32) (result i32 i32)
        (table.grow $t (ref.null func) (local.get 0)) (table.grow $u (ref.null extern) (i32.const 1)))
    (func (export "sizes") (result i32 i32) (table.size $t) (table.size $u))''').exports
def grow(n):
    return (e.grow(n), e.sizes())
"#,
        "grow 5
         grow 5
         grow 5
         grow 1
         grow 1",
    )
    .limits(limits)
    .check();
}

#[test]
fn zeros_take_no_room() {
    let script = r#"
e = wasm.instantiate(wasm.wat('''(module (memory 320)
    (func (export "put") (param i32) (i32.store (local.get 0) (i32.const 1234567)))
    (func (export "get") (param i32) (result i32) (i32.load (local.get 0))))''')).exports
def put(at):
    e.put(at)
def get(at):
    return e.get(at)
"#;
    let calls = "put 20000000
         get 20000000 = 1234567
         put 5
         get 20000000 = 1234567
         get 5 = 1234567";
    check(script, calls);
    let mut session = sandbox().load("main.star", script).unwrap();
    let before = sandbox().load("main.star", "").unwrap().save().unwrap().len();
    for at in [1_000_000, 20_000_000] {
        session.call_values("put", &[wasmlark::Value::from(at)]).unwrap();
    }
    let bytes = session.save().unwrap().len();
    assert!(bytes < before + 200_000, "{bytes}, {before} without a guest");
    assert!(bytes < 600_000, "{bytes}");
}
