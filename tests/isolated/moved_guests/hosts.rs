//! What the application gives, and what it does with a session that has moved.

use std::time::Duration;

use wasmlark::{CallLimits, Caller, Error, ErrorKind, Limits, Sandbox, Session, Value};

use super::{Case, PRELUDE, check, sandbox};

/// Functions of the application, of WASI, and of nobody, as imports and in tables.
#[test]
fn functions_that_are_not_of_the_script() {
    Case::new(
        r#"
text = '''
    (import "env" "twice" (func $twice (param i32) (result i32)))
    (import "env" "length" (func $length (param i32) (result i32)))
    (import "env" "nobody" (func $nobody (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 0) "abc")
    (table $t 4 funcref)
    (elem declare func $twice $length $close $nobody)
    (func (export "set")
        (table.set $t (i32.const 0) (ref.func $twice)) (table.set $t (i32.const 1) (ref.func $length))
        (table.set $t (i32.const 2) (ref.func $close)) (table.set $t (i32.const 3) (ref.func $nobody)))
    (func (export "grow") (i32.store8 (i32.const 3) (i32.const 100)))
    (func (export "call") (param i32 i32) (result i32) (call_indirect $t (param i32) (result i32) (local.get 1) (local.get 0)))
    (func (export "direct") (result i32 i32 i32)
        (call $twice (i32.const 4)) (call $length (i32.const 0)) (call $yield))
    (func (export "get") (param i32) (result funcref) (table.get $t (local.get 0)))'''
machine = wasm.wasi()
e = guest(text, wasi = machine, missing = "trap").exports
kept = []
def set():
    e.set()
    kept.append(e.get(0))
def grow():
    e.grow()
def see():
    return ([tried(e.call, i, 2) for i in range(4)], e.direct(), [f(8) for f in kept], [f == e.get(0) for f in kept])
"#,
        "see
         set
         see
         grow
         see
         see",
    )
    .set_up(|sandbox| {
        sandbox.import("env", "twice", |_: &mut Caller<'_>, n: i32| Ok::<_, Error>(n.wrapping_mul(2)));
        sandbox.import("env", "length", |caller: &mut Caller<'_>, at: i32| {
            let memory = caller.memory()?;
            let text = memory.data().get(usize::try_from(at).unwrap_or_default()..).unwrap_or_default();
            Ok::<_, Error>(i32::try_from(text.iter().take_while(|byte| **byte != 0).count()).unwrap_or_default())
        });
    })
    .check();
}

#[test]
fn instances_of_a_loaded_file() {
    Case::new(
        r#"
load("lib.star", "e", "module", "things", "make")
own = make()
def run():
    return (own.next(), make().next(), things)
def keep():
    own.keep(module)
    return own.kept() == module
def kept():
    return (own.kept() == module, wasm.instantiate(own.kept()).exports.next())
def call_frozen():
    return e.next()
"#,
        "run = (1, 1, [1, 2])
         keep = True
         run
         kept = (True, 1)
         call_frozen
         run",
    )
    .set_up(|sandbox| {
        let library = r#"
module = wasm.Module(wasm.wat('''(module (global $n (mut i32) (i32.const 0)) (global $x (mut externref) (ref.null extern))
    (func (export "next") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
    (func (export "keep") (param externref) (global.set $x (local.get 0)))
    (func (export "kept") (result externref) (global.get $x)))'''))
def make():
    return wasm.instantiate(module).exports
e = make()
e.next()
things = [1, 2]
"#;
        sandbox.file("lib.star", library);
    })
    .check();
}

const COUNTER: &str = r#"
e = guest('''(memory (export "memory") 1) (global $n (mut i32) (i32.const 0))
    (func (export "next") (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (i32.store (i32.const 0) (global.get $n)) (global.get $n))
    (func (export "spin") (global.set $n (i32.const 100)) (loop (br 0)))''').exports
memory = e.memory
def next():
    return e.next()
def spin():
    e.spin()
"#;

fn next(session: &mut Session) -> Option<i64> {
    session.call_values("next", &[]).unwrap().as_i64()
}

fn moved(sandbox: &Sandbox, session: &Session) -> [Session; 2] {
    [sandbox.restore(&session.save().unwrap()).unwrap(), session.fork().unwrap()]
}

#[test]
fn sessions_of_a_program_move() {
    let program = sandbox().program("main.star", &format!("{PRELUDE}{COUNTER}")).unwrap();
    let mut first = program.session().unwrap();
    assert_eq!(next(&mut first), Some(1));
    for mut session in moved(&sandbox(), &first) {
        assert_eq!(next(&mut session), Some(2));
        assert_eq!(next(&mut session), Some(3));
        let [mut restored, mut forked] = moved(&sandbox(), &session);
        assert_eq!([next(&mut restored), next(&mut forked)], [Some(4), Some(4)]);
    }
    assert_eq!(next(&mut first), Some(2));
    assert_eq!(next(&mut program.session().unwrap()), Some(1));
}

#[test]
fn an_application_sees_the_memories() {
    let mut session = sandbox().load("main.star", &format!("{PRELUDE}{COUNTER}")).unwrap();
    next(&mut session);
    next(&mut session);
    let see = |session: &mut Session| {
        let memories = format!("{:?}", session.memories().unwrap());
        (memories, session.read_memory("memory", 0, 4).unwrap(), session.names(Some("e")))
    };
    let seen = see(&mut session);
    assert_eq!(seen.1, [2, 0, 0, 0]);
    for mut session in moved(&sandbox(), &session) {
        assert_eq!(see(&mut session), seen);
        assert_eq!(session.eval("<console>", "x = e.next()\nx").unwrap(), Value::from(3));
        for mut session in moved(&sandbox(), &session) {
            assert_eq!(session.eval("<console>", "(x, e.next())").unwrap().to_string(), "(3, 4)");
        }
    }
}

/// A guest that runs on is stopped where it is now, and no other session.
#[test]
fn deadlines_and_interrupts_reach_guests_that_moved() {
    let sandbox = || {
        let limits = Limits::new().ticks(u64::MAX).fuel(u64::MAX).cost(None);
        sandbox().limits(limits).interruptible(true)
    };
    let mut session = sandbox().load("main.star", &format!("{PRELUDE}{COUNTER}")).unwrap();
    for mut moved in moved(&sandbox(), &session) {
        let limits = CallLimits::new().deadline(Duration::from_millis(30));
        let error = moved.call_values_with("spin", &[], &[], limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
        assert_eq!(next(&mut moved), Some(101));
        moved.interrupt().now();
        let error = moved.call_values("spin", &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
        moved.interrupt().reset();
        let mut again = sandbox().restore(&moved.save().unwrap()).unwrap();
        assert_eq!(next(&mut again), Some(101));
    }
    assert_eq!(next(&mut session), Some(1));
}

/// Restoring gives what was saved: saving that gives the same bytes.
#[test]
fn saving_what_was_restored_gives_the_same_bytes() {
    let mut session = sandbox().load("main.star", &format!("{PRELUDE}{COUNTER}")).unwrap();
    next(&mut session);
    let bytes = session.save().unwrap();
    assert_eq!(session.save().unwrap(), bytes);
    for session in moved(&sandbox(), &session) {
        assert_eq!(session.save().unwrap(), bytes);
    }
}

/// Names that are like those that the host adds for itself.
#[test]
fn exports_with_odd_names() {
    check(
        r#"
text = '''(global $n (mut i32) (i32.const 1)) (memory 1) (data $d "d")
    (func (export "\\010:g0") (result i32) (global.get $n))
    (func (export "\\010:s") (global.set $n (i32.add (global.get $n) (i32.const 5))))
    (func (export "\\011:dd0") (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)))
    (func (export "") (data.drop $d))
    (func $start (global.set $n (i32.const 3))) (start $start)'''
e = guest(text).exports
def names():
    return (list(e), dir(e), [hasattr(e, "\x012:g0"), "\x010:m0" in e])
def add():
    e["\x010:s"]()
    return e["\x010:g0"]()
def drop():
    e[""]()
def init():
    return tried(e["\x011:dd0"])
"#,
        "names
         add = 8
         init = None
         drop
         add = 13
         init = \"memory-out-of-bounds\"
         names",
    );
}

#[test]
fn limits_on_instances_and_depth_move_along() {
    Case::new(
        r#"
text = '''(global $n (mut i32) (i32.const 0))
    (func $down (export "down") (param i32) (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (if (result i32) (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1)))) (else (global.get $n))))'''
es = []
def make():
    es.append(guest(text).exports)
    return len(es)
def down(n):
    return [tried(e.down, n) for e in es]
"#,
        "make = 1
         make
         down 10 = [11, 11]
         down 60
         make
         make
         make
         down 30",
    )
    .limits(Limits::new().instances(4).call_depth(50))
    .check();
}
