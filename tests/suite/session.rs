//! Sessions, and the values that go into and out of them.

use wasmlark::{CallLimits, ErrorKind, Int, Limit, Limits, Sandbox, Session, Struct, TrapCode, Value};

fn load(script: &str) -> Session {
    Sandbox::new().load("main.star", script).unwrap()
}

/// All types of values, one per line.
const VALUES: &str = r#"None
True
-7
1 << 31
-(1 << 200)
1.5
1e300
float("nan")
-float("inf")
"line\n\"quoted\" \u00e9 \u200d"
b"bytes\x00\xff"
[]
[1, [2]]
()
(1,)
(1, "two")
{}
{"a": [1], 2: {}, (3,): None}
set()
set([3, 1, 2])
struct()
struct(b = 1, a = "x")
Point(x = 1, y = [2])
Color("red")
range(3)
len
lambda x: x
wasm.Memory(1)
[lambda: 1, "after"]"#;

#[test]
fn a_value_prints_as_repr_does() {
    for expression in VALUES.lines() {
        let script =
            format!("Point = record(x = int, y = list)\nColor = enum(\"red\")\nx = {expression}\nprint(repr(x))\nx");
        let run = Sandbox::new().run("main.star", &script).unwrap_or_else(|error| panic!("{expression}: {error}"));
        assert_eq!(format!("{}\n", run.value), run.output, "{expression}");
    }
}

#[test]
fn a_value_goes_in_as_it_came_out() {
    let mut session = load("def same(x): return x\ndef shown(x): return repr(x)\ndef kind(x): return type(x)");
    for expression in VALUES.lines().filter(|line| !line.contains("Point") && !line.contains("Color")) {
        let value = Sandbox::new().run("main.star", expression).unwrap().value;
        let is_record = matches!(&value, Value::Struct(value) if value.record().is_some());
        let holds_opaque = value.as_slice().and_then(<[Value]>::first).is_some_and(|v| matches!(v, Value::Opaque(_)));
        let is_opaque = holds_opaque || matches!(value, Value::Opaque(_));
        let back = session.call_values("same", std::slice::from_ref(&value));
        if is_opaque {
            let error = back.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Value, "{expression}");
            assert!(error.message().ends_with("belongs to the script that made it and cannot be passed"), "{error}");
        } else if !is_record {
            assert_eq!(back.unwrap(), value, "{expression}");
            assert_eq!(
                session.call_values("shown", std::slice::from_ref(&value)).unwrap(),
                Value::from(value.to_string())
            );
            assert_eq!(
                session.call_values("kind", std::slice::from_ref(&value)).unwrap(),
                Value::from(value.type_name())
            );
        }
    }
    let point = Struct::new([("x", 1), ("y", 2)]);
    assert_eq!(session.call_values("shown", &[point.into()]).unwrap().as_str(), Some("struct(x=1, y=2)"));
    let unhashable = Value::Dict(vec![(Value::List(vec![]), Value::None)]);
    assert!(session.call_values("same", &[unhashable]).unwrap_err().message().contains("not hashable"));
}

#[test]
fn values_that_cannot_leave() {
    let mut session = load(
        "def f(n):\n    x = []\n    for _ in range(n):\n        x = [x]\n    return x
def cycle():\n    x = []\n    x.append(x)\n    return x
def wide():\n    x = []\n    for _ in range(100):\n        x = [x, x]\n    return x
def text():\n    s = 'x' * 1000000\n    return [s] * 1000
def same(x): return 1
deep = f(300)",
    );
    assert_eq!(session.call_values("f", &[3.into()]).unwrap().to_string(), "[[[[]]]]");
    assert!(session.call_values("f", &[199.into()]).is_ok());
    for (name, args) in
        [("f", &[Value::from(200)][..]), ("f", &[100_000.into()]), ("cycle", &[]), ("wide", &[]), ("text", &[])]
    {
        let error = session.call_values(name, args).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value, "{name}");
        assert_eq!(error.message(), "the list is too large, or nested too deeply, to leave its script", "{name}");
    }
    assert!(session.get("deep").is_err());
    let deep = (0..300).fold(Value::None, |inner, _| Value::List(vec![inner]));
    let error = session.call_values("same", &[deep]).unwrap_err();
    assert_eq!(error.message(), "the value is nested deeper than 200 levels");
}

#[test]
fn conversions() {
    assert_eq!(i64::try_from(Value::from(-5)).unwrap(), -5);
    assert_eq!(u128::try_from(Value::from(u128::MAX)).unwrap(), u128::MAX);
    let error = i32::try_from(Value::from(1_i64 << 40)).unwrap_err();
    assert_eq!(error.message(), "the int does not fit i32");
    let error = String::try_from(Value::from(1)).unwrap_err();
    assert_eq!(error.message(), "expected a string, got a value of type int");
    assert_eq!(Value::from(vec![1_u8, 2]), Value::Bytes(vec![1, 2]));
    assert_eq!(Value::from(vec![1, 2]), Value::List(vec![1.into(), 2.into()]));
    assert_eq!(Value::from(None::<i32>), Value::None);
    assert_eq!(Value::from(f64::NAN), Value::from(f64::NAN));
    assert_ne!(Value::from(1), Value::from(1.0));
    assert_eq!(Value::from(Int::from(7)).as_i64(), Some(7));
    fn sendable<T: Send + Sync + Clone + 'static>() {}
    sendable::<Value>();
}

#[test]
fn a_session_keeps_its_state() {
    let mut session = load(
        "print('loaded')
memory = wasm.Memory(1)
seen = []
_private = 1
def add(text):
    print(text)
    seen.append(text)
    memory.write_string(0, text)
    return len(seen)
def read(length): return memory.read(0, length)",
    );
    assert_eq!(session.take_output(), "loaded\n");
    assert_eq!(session.call_values("add", &["one".into()]).unwrap(), 1.into());
    assert_eq!(session.call_values("add", &["two".into()]).unwrap(), 2.into());
    assert_eq!(session.call_values("read", &[3.into()]).unwrap(), Value::Bytes(b"two".to_vec()));
    assert_eq!(session.get("seen").unwrap(), Some(Value::from(["one", "two"])));
    assert_eq!((session.get("_private").unwrap(), session.get("nothing").unwrap()), (None, None));
    assert_eq!(session.take_output(), "one\ntwo\n");
    let error = session.call_values("ad", &[]).unwrap_err();
    assert_eq!(error.message(), "the script has no function `ad`; did you mean `add`?");
    assert_eq!(session.stats().memory_peak, 65536);
}

#[test]
fn a_session_continues_after_an_error() {
    let mut session = load(
        "x = wasm.instantiate(wasm.wat('(module (func (export \"f\") unreachable))')).exports
def trap(): x.f()
def deep(n): return deep(n + 1)
def fine(): return 'fine'",
    );
    for _ in 0..3 {
        let error = session.call_values("trap", &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Trap(TrapCode::Unreachable));
        assert_eq!(error.location().map(|at| (at.line, at.column)), Some((2, 13)));
        assert!(error.text().starts_with("Traceback (most recent call last):\n  * main.star:2, in trap\n"), "{error}");
        let error = session.call_values("deep", &[0.into()]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit(Limit::CallDepth));
        assert_eq!(session.call_values("fine", &[]).unwrap().as_str(), Some("fine"));
    }
}

#[test]
fn all_calls_have_one_budget() {
    let script = "def spin(n):\n    for _ in range(n): pass\n    return n";
    let mut session = Sandbox::new().limits(Limits::new().ticks(10_000)).load("main.star", script).unwrap();
    assert!(session.call_values("spin", &[6_000.into()]).is_ok());
    assert!((6_000..6_010).contains(&session.stats().ticks), "{:?}", session.stats());
    for _ in 0..2 {
        let error = session.call_values("spin", &[6_000.into()]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit(Limit::Ticks));
        assert_eq!(error.message(), "the sandbox's limit `ticks` is reached: 10000");
    }
}

/// Without collection, what calls leave behind would be three times the limit; the collector also moves the handles of wasm.
#[test]
fn garbage_is_collected_between_calls() {
    let limits = Limits::new().heap(32 << 20);
    let script = "memory = wasm.Memory(1)
keep = []
def f(n):
    x = [[i] for i in range(2000)]
    memory.write_string(0, str(n))
    keep.append(n)
    return (len(x), memory.read_cstring(0), len(keep))";
    let mut session = Sandbox::new().limits(limits).load("main.star", script).unwrap();
    for n in 0..600 {
        let result = session.call_values("f", &[n.into()]).unwrap();
        assert_eq!(result, Value::Tuple(vec![2000.into(), n.to_string().into(), (n + 1).into()]));
    }
}

#[test]
fn a_panic_ends_the_session() {
    let sandbox = Sandbox::new().on_print(|line| assert_ne!(line, "boom\n"));
    let mut session = sandbox.load("main.star", "def say(text): print(text)").unwrap();
    assert!(session.call_values("say", &["hello".into()]).is_ok());
    let error = session.call_values("say", &["boom".into()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(error.message().starts_with("a panic ended the script: assertion `left != right` failed"), "{error}");
    assert_eq!(error.location().map(|place| place.line), Some(1));
    let error = session.call_values("say", &["hello".into()]).unwrap_err();
    assert_eq!(error.message(), "the session has ended: a call panicked");
}

#[test]
fn a_panic_of_starlarks_is_an_error_with_its_place() {
    let mut session = Sandbox::new().load("main.star", "def f(n):\n    return tuple(range(n))").unwrap();
    let error = session.call_values("f", &[1_000_000_000.into()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert_eq!(error.message(), "a panic ended the script: AlignedSize must not exceed u32::MAX");
    assert_eq!(error.location().map(|place| place.line), Some(2));
    let error = session.call_values("f", &[1.into()]).unwrap_err();
    assert_eq!(error.message(), "the session has ended: a call panicked");

    let mut sandbox = Sandbox::new();
    sandbox.file("lib.star", "def f(n): tuple(range(n))\nf(1000000000)");
    let error = sandbox.program("main.star", "load('lib.star', 'x')").unwrap_err();
    assert_eq!(error.location().map(|place| (&*place.file, place.line)), Some(("lib.star", 1)));
}

#[test]
fn a_script_that_fails_makes_no_session() {
    let error = Sandbox::new().load("main.star", "x = 1\nfail('no')").unwrap_err();
    assert_eq!(error.location().map(|at| at.line), Some(2));
}

/// Text in a message that a script or a module chose cannot control a terminal or forge a line.
#[test]
fn messages_are_escaped() {
    let scripts = [
        "fail('\\x1b[31m\\u202ered\\r\\x07')",
        "x = '\\x1b[2J'\nwasm.instantiate(wasm.wat('(module (import \"\\\\1b[2J\\\\e2\\\\80\\\\ae\" \"\\\\1b[31m\" (func)))'))",
        "# \u{202e}\n1 // 0",
        "wasm.instantiate(wasm.wat('(module (func (export \"\\\\1b\") unreachable))')).exports['\\x1b']()",
        "{}['\\x1b[31m']",
        "load('\\x1b.star', 'f')",
        "'\u{1b}' + 1",
    ];
    for script in scripts {
        let error = wasmlark::Sandbox::new().run("main.star", script).unwrap_err();
        for text in [error.to_string(), error.message().to_owned(), format!("{error:?}")] {
            let hidden = text.chars().find(|c| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c));
            assert_eq!(hidden, None, "{script:?}: {text:?}");
        }
    }
}

/// A module that counts, and a script that keeps garbage and an instance of it.
const COUNTING: &str = r#"
load("lib.star", "STEP", "double")
counter = wasm.instantiate(wasm.wat('''(module
    (memory 1)
    (func (export "add") (param i32) (result i32)
        (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (local.get 0)))
        (i32.load (i32.const 0))))'''))
log = []
def add(n):
    log.append({"n": n, "text": "n" * 500})
    if len(log) > 10:
        log.clear()
    return counter.exports.add(double(n) * STEP)
"#;

fn counting() -> Sandbox {
    let mut sandbox = Sandbox::new();
    let lib = "unused = wasm.Memory(1)\nprint('lib')\nSTEP = 1\ndef double(n):\n    return 2 * n\n[double(n) for n in range(1000)]";
    sandbox.file("lib.star", lib);
    sandbox
}

#[test]
fn a_session_moves_between_threads() {
    let mut session = counting().load("main.star", COUNTING).unwrap();
    for round in 0..8 {
        session = std::thread::spawn(move || {
            // Enough garbage to collect some in each thread.
            for n in 1..=1000 {
                assert_eq!(session.call_values("add", &[Value::from(1)]).unwrap(), Value::from(2 * (round * 1000 + n)));
            }
            session.call_values("no_such", &[]).unwrap_err();
            session
        })
        .join()
        .unwrap();
    }
    assert_eq!(session.call_values("add", &[Value::from(0)]).unwrap(), Value::from(16_000));
}

#[test]
fn a_session_of_a_program_is_one_that_was_loaded() {
    let sandbox = counting();
    let program = sandbox.program("main.star", COUNTING).unwrap();
    let mut sessions =
        [sandbox.load("main.star", COUNTING).unwrap(), program.session().unwrap(), program.session().unwrap()];
    for n in [1, 2] {
        let results = sessions.each_mut().map(|session| {
            (session.call_values("add", &[Value::from(n)]).unwrap(), session.take_output(), session.stats())
        });
        assert_eq!(results[0], results[1], "loaded, and of the program");
        assert_eq!(results[1], results[2], "two of one program");
        assert_eq!(results[0].1, if n == 1 { "lib\n" } else { "" });
    }
}

#[test]
fn sessions_of_a_program_share_the_loaded_files_and_no_state() {
    let loads = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = loads.clone();
    let sandbox = Sandbox::new().loader(move |name| {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok((name == "lib.star").then(|| b"STEP = 3\ndef double(n): return 2 * n".to_vec()))
    });
    let program = sandbox.program("main.star", COUNTING).unwrap();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let program = program.clone();
            std::thread::spawn(move || {
                (0..20)
                    .map(|_| program.session().unwrap().call_values("add", &[Value::from(1)]).unwrap())
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), vec![Value::from(6); 20]);
    }
    assert_eq!(loads.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn errors_of_a_program_have_a_place() {
    let mut sandbox = Sandbox::new();
    sandbox.file("bad.star", "x = 1\nfail('no')");
    for (script, message) in [
        ("x =", "Parse error"),
        ("\nload('none.star', 'x')", "\"none.star\" not found"),
        ("\nload('bad.star', 'x')", "fail: no"),
    ] {
        let error = sandbox.program("main.star", script).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(error.to_string(), sandbox.load("main.star", script).unwrap_err().to_string());
        assert!(error.location().is_some(), "{script}");
    }
}

/// Loops of each kind, and work whose price in fuel can be seen.
const LOOPS: &str = r#"
guest = wasm.instantiate(wasm.wat('''(module
    (import "host" "script" (func $script (param i32) (result i32)))
    (memory (export "memory") 1 100)
    (func (export "spin") (loop $l (br $l)))
    (func (export "spin_script") (loop $l (drop (call $script (i32.const 1))) (br $l)))
    (func $fib (export "fib") (param i32) (result i32)
        (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
            (then (local.get 0))
            (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                           (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func (export "nested") (param i32) (result i32)
        (local $sum i32)
        (loop $l
            (local.set $sum (i32.add (local.get $sum) (call $script (local.get 0))))
            (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get $sum))
    (func (export "bulk") (result i32)
        (drop (memory.grow (i32.const 50)))
        (memory.fill (i32.const 0) (i32.const 7) (i32.const 3000000))
        (i32.load (i32.const 2000000)))
    (func (export "trap") (result i32) (drop (call $fib (i32.const 20))) (unreachable)))'''),
    imports = {"host": {"script": lambda caller, n: guest.exports.fib(n)}})

def script():
    for i in range(1000000000):
        pass
def spin(): guest.exports.spin()
def spin_script(): guest.exports.spin_script()
def work():
    guest.memory.fill(0, 1, 60000)
    trap = wasm.attempt(guest.exports.trap).trap
    other = wasm.Store(fuel = 100000) if metered else wasm.Store()
    return (guest.exports.fib(22), guest.exports.nested(18), guest.exports.bulk(), trap.code, len(guest.memory.read(0, 5000)), other.fuel)
"#;

fn loops(metered: bool, limits: Limits, interruptible: bool) -> Session {
    let python = if metered { "True" } else { "False" };
    let sandbox = Sandbox::new().limits(limits).interruptible(interruptible);
    sandbox.load("main.star", &format!("metered = {python}\n{LOOPS}")).unwrap()
}

#[test]
fn an_interrupt_reaches_every_loop() {
    use std::time::{Duration, Instant};
    let unlimited = || Limits::new().ticks(u64::MAX);
    let metered = loops(true, unlimited().fuel(u64::MAX), true);
    let unmetered = loops(false, unlimited().fuel(None), true);
    for mut session in [metered, unmetered] {
        for function in ["script", "spin", "spin_script"] {
            let interrupt = session.interrupt();
            let stop = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(30));
                interrupt.now();
                Instant::now()
            });
            let error = session.call_values(function, &[]).unwrap_err();
            let delay = stop.join().unwrap().elapsed();
            assert_eq!(error.kind(), ErrorKind::Interrupted, "{function}: {error}");
            assert_eq!(error.message(), "interrupted", "{function}");
            // Far above what it takes, for a busy machine.
            assert!(delay < Duration::from_secs(1), "{function}: {delay:?}");
            session.call_values("work", &[]).unwrap();
        }
    }
}

#[test]
fn slices_change_no_result_and_no_cost() {
    let outcome = |metered, limits: Limits, interruptible| {
        let mut session = loops(metered, limits, interruptible);
        let result = session.call_values("work", &[]).map_err(|error| (error.kind(), error.to_string()));
        (result, session.stats())
    };
    let all = outcome(true, Limits::new(), false);
    assert_eq!(outcome(true, Limits::new(), true), all);
    assert_eq!(outcome(false, Limits::new().fuel(None), true), outcome(false, Limits::new().fuel(None), false));
    let used = all.1.fuel.unwrap();
    assert!(used > 500_000, "several slices: {used}");
    for fuel in (0..20).map(|n| used * n / 20 + n).chain([used - 1, used]).filter(|fuel| *fuel > 100_000) {
        let limits = || Limits::new().fuel(fuel);
        let (whole, sliced) = (outcome(true, limits(), false), outcome(true, limits(), true));
        assert_eq!(sliced, whole, "{fuel}");
        assert_eq!(whole.0.is_ok(), fuel == used, "{fuel}");
    }
}

/// Each kind of error with which a host function can end a guest is the same with and without slices.
#[test]
fn slices_change_no_error() {
    use std::error::Error as _;
    let script = r#"
guest = wasm.wat('''(module
    (import "env" "fails" (func $fails (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "script" "fails" (func $script (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "host") (param i32) (result i32) (call $fails (local.get 0)))
    (func (export "exit") (param i32) (call $exit (local.get 0)))
    (func (export "script") (param i32) (result i32) (call $script (local.get 0)))
    (func (export "trap") (unreachable)))''')
def f(caller, n): return 1 // (n - n)
exports = wasm.instantiate(guest, imports = {"script": {"fails": f}}, wasi = wasm.wasi()).exports
def host(): exports.host(7)
def exit(): exports.exit(7)
def script(): exports.script(7)
def trap(): exports.trap()
"#;
    let mut sandbox = Sandbox::new();
    sandbox.import("env", "fails", |_: &mut wasmlark::Caller<'_>, n: i32| -> Result<i32, std::fmt::Error> {
        assert_eq!(n, 7);
        Err(std::fmt::Error)
    });
    let mut outcomes = Vec::new();
    for is_interruptible in [false, true] {
        sandbox = sandbox.interruptible(is_interruptible);
        let mut session = sandbox.load("main.star", script).unwrap();
        outcomes.push(["host", "exit", "script", "trap"].map(|name| {
            let error = session.call_values(name, &[]).unwrap_err();
            let source = error.source().is_some_and(|source| source.downcast_ref::<std::fmt::Error>().is_some());
            (error.kind(), error.exit_code(), error.to_string(), source)
        }));
    }
    assert_eq!(outcomes[0], outcomes[1]);
    let kinds = outcomes[1].each_ref().map(|(kind, code, _, source)| (*kind, *code, *source));
    assert_eq!(
        kinds,
        [
            (ErrorKind::Host, None, true),
            (ErrorKind::Trap(TrapCode::Exit), Some(7), false),
            (ErrorKind::Script, None, false),
            (ErrorKind::Trap(TrapCode::Unreachable), None, false),
        ]
    );
}

#[test]
fn functions_are_listed_in_order_of_definition() {
    let mut sandbox = Sandbox::new();
    sandbox.file("lib.star", "def loaded(): pass");
    let script = r#"
load("lib.star", "loaded")
def z(a, b = [1], *args, c, d = None, **kwargs):
    """Does it.

    Really.
    """
    pass
def only(a, b, *, c): pass
VERSION = 3
a = lambda x: x
def _private(): pass
if True:
    def conditional(a): pass
size = len
memory = wasm.Memory(1)
alias = z"#;
    let mut session = sandbox.load("main.star", script).unwrap();
    let functions = session.functions().unwrap();
    let shown: Vec<_> = functions.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "loaded()",
            "z(a, b = [1], *args, c, d = None, **kwargs)",
            "only(a, b, *, c)",
            "a(x)",
            "conditional(a)",
            "size(a, /)",
            "alias(a, b = [1], *args, c, d = None, **kwargs)",
        ]
    );
    assert_eq!(functions[1].doc.as_deref(), Some("Does it.\n\nReally."));
    assert_eq!((functions[2].doc.as_deref(), functions[2].params[2].name.as_str()), (None, "c"));
    assert_eq!(functions[2].params[2].kind, wasmlark::ParamKind::Named);
}

/// A limit ends at the same number, wherever the session's counts are.
#[test]
fn limits_of_a_call_are_exact() {
    let script = format!(
        "metered = True\n{LOOPS}\ndef spin_ticks(n, *, more = 0):\n    for _ in range(n + more): pass\n    return n"
    );
    let mut session = Sandbox::new().load("main.star", &script).unwrap();
    let spent = |session: &mut Session, limits| {
        let before = session.stats();
        let result = session.call_values_with("spin_ticks", &[500.into()], &[("more", 1200.into())], limits);
        (result, session.stats().ticks - before.ticks)
    };
    let ticks = spent(&mut session, CallLimits::new()).1;
    for _ in 0..40 {
        let (result, used) = spent(&mut session, CallLimits::new().ticks(ticks));
        assert_eq!((result.unwrap(), used), (500.into(), ticks));
        let (result, used) = spent(&mut session, CallLimits::new().ticks(ticks - 1));
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit(Limit::Ticks));
        assert_eq!(error.message(), format!("the call's ticks are used up: its limit `ticks` is {}", ticks - 1));
        assert!(used <= ticks, "{used}");
        // Moves the count, so that starlark's checks happen elsewhere.
        session.call_values("spin_ticks", &[77.into()]).unwrap();
    }
    // An endless loop ends soon after, and its error has a place.
    let before = session.stats().ticks;
    let error = session.call_values_with("script", &[], &[], CallLimits::new().ticks(3)).unwrap_err();
    assert_eq!(error.message(), "the call's ticks are used up: its limit `ticks` is 3");
    assert!(error.location().is_some());
    assert!(session.stats().ticks - before < 2_003);

    let fuel_of = |session: &mut Session, limits| {
        let before = session.stats().fuel.unwrap();
        (session.call_values_with("work", &[], &[], limits), session.stats().fuel.unwrap() - before)
    };
    // Only the memory of the first one grows.
    let [_, fuel] = [(); 2].map(|()| fuel_of(&mut session, CallLimits::new()).1);
    for _ in 0..3 {
        fuel_of(&mut session, CallLimits::new().fuel(fuel)).0.unwrap();
        let (result, used) = fuel_of(&mut session, CallLimits::new().fuel(fuel - 1));
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit(Limit::Fuel));
        let message = format!("the call's fuel is used up: its limit `fuel` is {}", fuel - 1);
        assert!(error.message().starts_with(&message), "{error}");
        assert!(used < fuel);
    }
    let error = session.call_values_with("spin", &[], &[], CallLimits::new().fuel(1_000_000)).unwrap_err();
    assert_eq!(error.location().map(|at| at.line > 1), Some(true));
    assert_eq!(session.call_values("spin_ticks", &[7.into()]).unwrap(), 7.into());
}

#[test]
fn a_call_has_no_more_than_the_session_has_left() {
    let limits = Limits::new().ticks(10_000).fuel(100_000);
    let mut session = loops(true, limits, true);
    let wide = CallLimits::new().ticks(u64::MAX).fuel(u64::MAX);
    for (name, message) in [
        ("spin", "the sandbox's fuel is used up: limit `fuel` is 100000, in wasm function `spin()`"),
        ("script", "the sandbox's limit `ticks` is reached: 10000"),
    ] {
        let error = session.call_values_with(name, &[], &[], wide).unwrap_err();
        assert_eq!(error.message(), message);
        assert!(session.call_values_with(name, &[], &[], wide.ticks(5)).is_err(), "{name} is still spent");
    }
    let spent = session.stats();
    session.refill().unwrap();
    assert_eq!(session.stats(), spent);
    let error = session.call_values_with("spin", &[], &[], CallLimits::new().fuel(60_000)).unwrap_err();
    assert_eq!(error.message(), "the call's fuel is used up: its limit `fuel` is 60000, in wasm function `spin()`");
    let error = session.call_values_with("spin", &[], &[], CallLimits::new().fuel(60_000)).unwrap_err();
    assert_eq!(error.message(), "the sandbox's fuel is used up: limit `fuel` is 100000, in wasm function `spin()`");
    assert!(session.stats().fuel.unwrap() > 190_000, "{:?}", session.stats());
    let mut unmetered = loops(false, Limits::new().fuel(None), true);
    let error = unmetered.call_values_with("work", &[], &[], CallLimits::new().fuel(1)).unwrap_err();
    assert_eq!(
        error.message(),
        "a call cannot have a limit `fuel` where the sandbox has none: its fuel is not counted"
    );
}

/// A refilled session works like a new one, again and again, and keeps its state.
#[test]
fn a_refilled_session_continues() {
    let limits = Limits::new().ticks(12_000).output(20);
    let script = "memory = wasm.Memory(1)\nkept = []\ndef f(n):\n    print(n)\n    kept.append(n)\n    memory.write_u32(0, n)\n    x = [[i] for i in range(9000)]\n    return (len(kept), memory.read_u32(0), len(x))";
    let mut session = Sandbox::new().limits(limits).load("main.star", script).unwrap();
    for n in 0..8 {
        let result = session.call_values("f", &[n.into()]).unwrap();
        assert_eq!(result, Value::Tuple(vec![(n + 1).into(), n.into(), 9000.into()]));
        assert_eq!(session.call_values("f", &[n.into()]).unwrap_err().kind(), ErrorKind::Limit(Limit::Ticks));
        session.call_values("f", &["x".into()]).unwrap_err();
        session.refill().unwrap();
        let error = session.call_values_with("f", &["a text of more than twenty bytes".into()], &[], CallLimits::new());
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Limit(Limit::Output));
        session.refill().unwrap();
        let kept = session.get("kept").unwrap().unwrap().as_slice().unwrap().len();
        assert!(kept > usize::try_from(n).unwrap());
        assert!(session.call_values("f", &[0.into()]).is_ok());
        session.refill().unwrap();
        session = Sandbox::new().limits(Limits::new().ticks(12_000).output(20)).load("main.star", script).unwrap();
        for earlier in 0..=n {
            session.call_values("f", &[earlier.into()]).unwrap();
            session.refill().unwrap();
        }
    }
}

#[test]
fn a_deadline_reaches_every_loop() {
    use std::time::{Duration, Instant};
    let limits = || Limits::new().ticks(u64::MAX);
    for mut session in [loops(true, limits().fuel(u64::MAX), true), loops(false, limits().fuel(None), true)] {
        for function in ["script", "spin", "spin_script"] {
            let start = Instant::now();
            let deadline = CallLimits::new().deadline(Duration::from_millis(30));
            let error = session.call_values_with(function, &[], &[], deadline).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Deadline, "{function}: {error}");
            assert_eq!(
                error.message(),
                "the deadline of 30ms has passed; how far a script gets until then depends on the clock, so this is not repeatable"
            );
            assert!(error.location().is_some(), "{function}: {error}");
            // Far above what it takes, for a busy machine.
            assert!(start.elapsed() < Duration::from_secs(1), "{function}: {:?}", start.elapsed());
            session.call_values("work", &[]).unwrap();
            let error = session.call_values_with(function, &[], &[], CallLimits::new().deadline(Duration::ZERO));
            assert_eq!(error.unwrap_err().kind(), ErrorKind::Deadline);
        }
    }
}

/// Interrupts the statements of the script itself, of a file that it loads, and of a program.
#[test]
fn an_interrupt_of_the_sandbox_reaches_its_top_level() {
    use std::time::Duration;
    let wait = || Duration::from_millis(30);
    let call = |name: &str| format!("metered = True\n{LOOPS}\n{name}()");
    let mut sandbox = Sandbox::new().limits(Limits::new().ticks(u64::MAX).fuel(u64::MAX)).interruptible(true);
    for name in ["script", "spin", "spin_script"] {
        sandbox.file(format!("{name}.star"), call(name));
    }
    for name in ["script", "spin", "spin_script"] {
        let direct = call(name);
        let loads = format!("load('{name}.star', 'work')");
        for (script, file) in [(&direct, "main.star"), (&loads, "main.star")] {
            let stop = sandbox.interrupt();
            let stopper = std::thread::spawn(move || {
                std::thread::sleep(wait());
                stop.now();
            });
            let error = sandbox.run("main.star", script).unwrap_err();
            stopper.join().unwrap();
            assert_eq!(error.kind(), ErrorKind::Interrupted, "{name}: {error}");
            assert!(error.location().is_some(), "{name} {file}: {error}");
            // Until the interrupt is reset, whatever begins is ended.
            assert_eq!(sandbox.load("main.star", script).unwrap_err().kind(), ErrorKind::Interrupted);
            sandbox.interrupt().reset();
        }
        sandbox.interrupt().after(wait());
        assert_eq!(sandbox.program("main.star", &loads).unwrap_err().kind(), ErrorKind::Deadline, "{name}");
        sandbox.interrupt().reset();
        let program = sandbox.program("main.star", &direct).unwrap();
        sandbox.interrupt().after(wait());
        assert_eq!(program.session().unwrap_err().kind(), ErrorKind::Deadline, "{name}");
        sandbox.interrupt().reset();
        // It also ends a session's calls.
        let mut session = sandbox.load("main.star", &format!("metered = True\n{LOOPS}")).unwrap();
        sandbox.interrupt().now();
        assert_eq!(session.call_values(name, &[]).unwrap_err().kind(), ErrorKind::Interrupted);
        sandbox.interrupt().reset();
        session.call_values("work", &[]).unwrap();
    }
}

/// wasmi cannot resume `table.grow`, so a guest that has it is not paused there: it ends as it does without slices.
#[test]
fn slices_change_no_growth_of_a_table() {
    let script = r#"
guest = wasm.instantiate(wasm.wat('''(module
    (table $t 0 funcref)
    (func (export "grow") (param $n i32) (result i32 i32)
        (local $rounds i32)
        (loop $l
            (local.set $rounds (i32.add (local.get $rounds) (i32.const 1)))
            (drop (table.grow $t (ref.null func) (i32.const 100000)))
            (br_if $l (i32.lt_u (local.get $rounds) (local.get $n))))
        (local.get $rounds) (table.size $t)))''')).exports
def grow(n): return guest.grow(n)
"#;
    let mut outcomes = Vec::new();
    for is_interruptible in [false, true] {
        for fuel in [1_000_000_000, 300_000, 200_000] {
            let sandbox = Sandbox::new().limits(Limits::new().fuel(fuel)).interruptible(is_interruptible);
            let mut session = sandbox.load("main.star", script).unwrap();
            let result = session.call_values("grow", &[40.into()]).map_err(|error| error.to_string());
            outcomes.push((result, session.stats()));
        }
    }
    assert_eq!(outcomes[..3], outcomes[3..]);
    assert_eq!(outcomes[0].0, Ok(Value::Tuple(vec![40.into(), 4_000_000.into()])));
    assert!(outcomes[2].0.is_err());
}

/// After a check has ended a call, starlark still checks at each tick.
#[test]
fn a_call_that_follows_one_without_ticks_has_its_own() {
    let sandbox = Sandbox::new().limits(Limits::new().ticks(20_000));
    let mut session = sandbox.load("main.star", "def work(n):\n    for _ in range(n): pass\n    return n").unwrap();
    for _ in 0..3 {
        let limits = CallLimits::new().ticks(100);
        let error = session.call_values_with("work", &[15_000.into()], &[], limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit(Limit::Ticks), "{error}");
        assert_eq!(session.call_values_with("work", &[2.into()], &[], limits).unwrap(), 2.into());
    }
}

/// The ticks that a file has left after the files that it loads have used theirs.
#[test]
fn assert_fails_does_not_catch_the_end_of_the_ticks() {
    let mut sandbox = Sandbox::new().limits(Limits::new().ticks(40_000)).asserts(true);
    sandbox.file("lib.star", "def spin():\n    for _ in range(15000): pass\nspin()\ndone = 1");
    let script = "load('lib.star', 'done')\ndef loop():\n    for _ in range(100000000): pass\nassert_fails(loop)";
    let error = sandbox.run("main.star", script).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::Ticks), "{error}");
    assert_eq!(error.location().map(|place| place.line), Some(3), "{error}");
}

/// Also where the script was parsed before, and where the function is another file's.
#[test]
fn a_wrong_result_names_the_place_of_its_function() {
    let mut sandbox = Sandbox::new();
    sandbox.file("guest.wat", r#"(module (import "env" "f" (func (result i32))) (export "f" (func 0)))"#);
    sandbox.file("lib.star", "\ndef f(caller): return 'a'\n");
    let script = "load('lib.star', loaded = 'f')\ndef f(caller): return 'a'\ndef call(f):\n    \
                  return wasm.instantiate('guest.wat', imports = {'env': {'f': f}}).exports.f()\n\
                  def own(): call(f)\ndef other(): call(loaded)\n";
    let program = sandbox.program("main.star", script).unwrap();
    for mut session in
        [sandbox.load("main.star", script).unwrap(), program.session().unwrap(), program.session().unwrap()]
    {
        for (function, place) in [("own", "main.star:2"), ("other", "lib.star:2")] {
            let error = session.call_values(function, &[]).unwrap_err();
            assert!(error.message().ends_with(&format!("got str \"a\" from `f` at {place}")), "{}", error.message());
        }
    }
}
