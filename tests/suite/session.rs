//! Sessions, and the values that go into and out of them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wasmlark::{ErrorKind, Int, Limit, Limits, Sandbox, Session, Struct, TrapCode, Value};

fn load(script: &str) -> Session {
    Sandbox::new().load("main.star", script).unwrap()
}

/// All that a value may be, one a line.
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
fn a_session_goes_on_after_an_error() {
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

/// What calls leave behind would be three times the limit, and wasm's handles are moved by the collector.
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
    assert!(catch_unwind(AssertUnwindSafe(|| session.call_values("say", &["boom".into()]))).is_err());
    let error = session.call_values("say", &["hello".into()]).unwrap_err();
    assert_eq!(error.message(), "the session has ended: a call panicked");
}

#[test]
fn a_script_that_fails_is_no_session() {
    let error = Sandbox::new().load("main.star", "x = 1\nfail('no')").unwrap_err();
    assert_eq!(error.location().map(|at| at.line), Some(2));
}
