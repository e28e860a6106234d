//! Rust closures that WebAssembly code calls.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use wasmlark::{Caller, Error, ErrorKind, Limits, Sandbox, TrapCode};

/// Returns a script that makes an instance of a guest that imports `env.f` with a signature, and exports it.
fn guest(signature: &str, rest: &str) -> String {
    format!(
        "guest = wasm.wat('''(module (import \"env\" \"f\" (func $f {signature})) (memory (export \"memory\") 1)
    (export \"f\" (func $f)))''')\n{rest}"
    )
}

fn run(sandbox: &Sandbox, signature: &str, call: &str) -> Result<String, Error> {
    let script = guest(signature, &format!("f = wasm.instantiate(guest).exports.f\n{call}"));
    sandbox.run("main.star", &script).map(|run| run.value.to_string())
}

#[test]
fn every_number_goes_both_ways() {
    macro_rules! check {
        ($($signature:literal $call:literal => $expected:literal: $function:expr;)*) => {$(
            let mut sandbox = Sandbox::new();
            sandbox.import("env", "f", $function);
            assert_eq!(run(&sandbox, $signature, $call).unwrap(), $expected, $signature);
        )*};
    }
    check! {
        "" "f()" => "None": |_: &mut Caller<'_>| Ok::<_, Error>(());
        "(result i32)" "f()" => "-1": |_: &mut Caller<'_>| Ok::<_, Error>(-1);
        "(param i32) (result i32)" "f(1 << 31)" => "-2147483648": |_: &mut Caller<'_>, x: i32| Ok::<_, Error>(x);
        "(param i32) (result i64)" "f(-1)" => "4294967295": |_: &mut Caller<'_>, x: u32| Ok::<_, Error>(u64::from(x));
        "(param i64) (result i64)" "f(-1)" => "-2": |_: &mut Caller<'_>, x: u64| Ok::<_, Error>(x - 1);
        "(param i64 i32) (result i64)" "f(-1, 3)" => "2": |_: &mut Caller<'_>, x: i64, y: i32| Ok::<_, Error>(x + i64::from(y));
        "(param f32) (result f64)" "f(0.5)" => "0.5": |_: &mut Caller<'_>, x: f32| Ok::<_, Error>(f64::from(x));
        "(param f64) (result f32 i32)" "f(0.5)" => "(0.25, 7)": |_: &mut Caller<'_>, x: f64| Ok::<_, Error>((x as f32 / 2.0, 7));
        "(param i32) (result i32 i32 i32)" "f(1)" => "(1, 2, 3)": |_: &mut Caller<'_>, x: i32| Ok::<_, Error>((x, 2, 3));
        "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)" "f(*range(12))" => "11":
            |_: &mut Caller<'_>, _: i32, _: i32, _: i32, _: i32, _: i32, _: i32, _: i32, _: i32, _: i32, _: i32, _: i32, z: i32|
                Ok::<_, Error>(z);
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let mut sandbox = Sandbox::new();
    sandbox.import("env", "f", |_: &mut Caller<'_>, x: i32| Ok::<_, Error>(x));
    sandbox.import("env", "clock", |_: &mut Caller<'_>| Ok::<_, Error>(0_i64));
    let fails = |script: &str| {
        let error = sandbox.run("main.star", script).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Link);
        error.message().to_owned()
    };
    assert_eq!(
        fails(&guest("(param i64)", "wasm.instantiate(guest)")),
        "cannot link: `env.f` must be func (i64), but the application gives func (i32) -> i32; \
         a function of the type that the module wants can be given in `imports`"
    );
    let wants = |module, name| {
        format!("wasm.instantiate(wasm.wat('(module (import \"{module}\" \"{name}\" (func (param i32))))'))")
    };
    assert_eq!(fails(&wants("env", "clok")), "cannot link: `env.clok` (func (i32)) is missing; did you mean `clock`?");
    assert_eq!(
        fails(&wants("evn", "f")),
        "cannot link: `evn.f` (func (i32)) is missing: nothing is given for `evn`; did you mean `env`?"
    );
    assert_eq!(
        fails(&wants("wasi_snapshot_preview1", "proc_exit")),
        "cannot link: `wasi_snapshot_preview1.proc_exit` (func (i32)) is missing: nothing is given for \
         `wasi_snapshot_preview1`; the module is built for WASI: `wasi = wasm.wasi()` gives it a system"
    );
    let memory = "wasm.instantiate(wasm.wat('(module (import \"env\" \"f\" (memory 1)))'))";
    assert_eq!(
        fails(memory),
        "cannot link: `env.f` must be memory(1), but the application gives func (i32) -> i32; \
         a function of the type that the module wants can be given in `imports`"
    );
}

#[test]
fn a_script_goes_first() {
    let mut sandbox = Sandbox::new();
    sandbox.import("env", "f", |_: &mut Caller<'_>| Ok::<_, Error>(1));
    sandbox.import("env", "g", |_: &mut Caller<'_>| Ok::<_, Error>(2));
    sandbox.import("wasi_snapshot_preview1", "sched_yield", |_: &mut Caller<'_>| Ok::<_, Error>(3));
    let script = r#"
guest = wasm.wat('''(module
    (import "env" "f" (func $f (result i32)))
    (import "env" "g" (func $g (result i32)))
    (import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32)))
    (export "f" (func $f)) (export "g" (func $g)) (export "y" (func $y)))''')
def all(**kwargs):
    exports = wasm.instantiate(guest, **kwargs).exports
    return (exports.f(), exports.g(), exports.y())
(all(), all(imports = {"env": {"f": lambda caller: 10}}), all(wasi = wasm.wasi()))"#;
    assert_eq!(sandbox.run("main.star", script).unwrap().value.to_string(), "((1, 2, 3), (10, 2, 3), (1, 2, 0))");
    sandbox.import("env", "f", |_: &mut Caller<'_>| Ok::<_, Error>(4));
    let again = sandbox.run("main.star", script).unwrap().value.to_string();
    assert_eq!(again, "((4, 2, 3), (10, 2, 3), (4, 2, 0))", "a name is what it was last set to");
}

#[test]
#[cfg_attr(feature = "core", ignore = "imports get no memory where guests run outside")]
fn memory_is_read_and_written() {
    let mut sandbox = Sandbox::new();
    sandbox.import("env", "f", |caller: &mut Caller<'_>, ptr: u32, len: u32| -> Result<i32, Error> {
        let mut memory = caller.memory()?;
        assert_eq!(memory.size(), memory.data().len() as u64);
        let text = memory.read_str(ptr, len)?.to_owned();
        memory.slice_mut(ptr, 1_u32)?[0] = b'J';
        memory.write(ptr + len, b"!")?;
        assert_eq!(memory.slice(ptr, len + 1)?, format!("J{}!", &text[1..]).as_bytes());
        memory.data_mut()[0] = 9;
        Ok(i32::from_le_bytes(memory.read(0_u32)?))
    });
    let rest = |body: &str| {
        guest(
            "(param i32 i32) (result i32)",
            &format!("i = wasm.instantiate(guest)\nm = i.memory\nm.write_string(100, 'hello')\n{body}"),
        )
    };
    let run = sandbox.run("main.star", &rest("(i.exports.f(100, 5), m.read_string(100, 6))")).unwrap();
    assert_eq!(run.value.to_string(), r#"(9, "Jello!")"#);
    for (args, expected) in [
        ("65536, 1", "wasm trap: out of bounds memory access: 1 bytes at 65536 in a memory of 65536 bytes"),
        ("-1, -1", "wasm trap: out of bounds memory access: 4294967295 bytes at 4294967295 in a memory of 65536 bytes"),
        ("65535, 1", "wasm trap: out of bounds memory access: 1 bytes at 65536 in a memory of 65536 bytes"),
    ] {
        let error = sandbox.run("main.star", &rest(&format!("i.exports.f({args})"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Trap(TrapCode::MemoryOutOfBounds));
        assert_eq!(error.message(), format!("{expected}, in wasm function `f(i32, i32) -> i32`"));
    }
    let body = "m.write(100, b'\\xff')\nwasm.attempt(i.exports.f, 100, 1)";
    let error = sandbox.run("main.star", &rest(body)).unwrap_err();
    assert!(error.message().starts_with("the 1 bytes at 100 are not UTF-8"), "{error}");
    let attempt = sandbox.run("main.star", &rest("wasm.attempt(i.exports.f, 65536, 1).trap.code")).unwrap();
    assert_eq!(attempt.value.as_str(), Some("memory-out-of-bounds"));
}

#[test]
#[cfg_attr(feature = "core", ignore = "imports get no memory where guests run outside")]
fn memory_of_any_name() {
    let mut sandbox = Sandbox::new();
    sandbox.import("env", "f", |caller: &mut Caller<'_>| -> Result<u32, Error> {
        Ok(caller.memory()?.read::<1>(0_u32)?[0].into())
    });
    let script = |memory: &str, imports: &str| {
        format!(
            "memory = wasm.Memory(1)\nmemory.write(0, b'a')
guest = wasm.wat('''(module (import \"env\" \"f\" (func $f (result i32))) {memory}
    (func (export \"g\") (result i32) (call $f)))''')
wasm.instantiate(guest, imports = {{{imports}}}).exports.g()"
        )
    };
    let value = |text: String| sandbox.run("main.star", &text).map(|run| run.value.to_string());
    assert_eq!(value(script("(memory (export \"m\") 1) (data (i32.const 0) \"b\")", "")).unwrap(), "98");
    assert_eq!(value(script("(import \"env\" \"m\" (memory 1))", "\"env\": {\"m\": memory}")).unwrap(), "97");
    let error = value(script("", "")).unwrap_err();
    assert_eq!(error.message(), "the module that called this import has no memory, in wasm function `g() -> i32`");
}

#[test]
fn errors_and_panics_come_back() {
    let mut sandbox = Sandbox::new();
    sandbox.import("env", "f", |_: &mut Caller<'_>, n: i32| match n {
        0 => Ok(7),
        1 => Err(std::io::Error::other("the disk is full")),
        _ => panic!("no {n}"),
    });
    let script = guest(
        "(param i32) (result i32)",
        "exports = wasm.instantiate(guest).exports\ndef call(n): return exports.f(n)\n\
         def attempt(n): return wasm.attempt(exports.f, n).ok",
    );
    let mut session = sandbox.load("main.star", &script).unwrap();
    for _ in 0..2 {
        for name in ["call", "attempt"] {
            let error = session.call_values(name, &[1.into()]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Host);
            assert_eq!(error.message(), "the disk is full, in wasm function `f(i32) -> i32`");
            assert!(error.source().is_some_and(|source| source.is::<std::io::Error>()));
            assert!(error.text().contains("main.star:4") || error.text().contains("main.star:5"), "{error}");
            let error = session.call_values(name, &[2.into()]).unwrap_err();
            assert_eq!(error.message(), "env.f panicked: no 2, in wasm function `f(i32) -> i32`");
            assert!(error.source().is_none());
        }
        assert_eq!(session.call_values("call", &[0.into()]).unwrap(), 7.into());
    }
}

/// A start function runs before there is an instance.
#[test]
fn a_start_function_may_call() {
    let mut sandbox = Sandbox::new().limits(Limits::new().fuel(1_000_000));
    let seen = Arc::new(AtomicU32::new(0));
    let kept = seen.clone();
    sandbox.import("env", "f", move |_: &mut Caller<'_>, x: u32| {
        kept.store(x, Ordering::Relaxed);
        if x == 5 { Err("not five") } else { Ok(()) }
    });
    let start = |x| {
        format!(
            "wasm.instantiate(wasm.wat('(module (import \"env\" \"f\" (func $f (param i32))) \
             (func $s (call $f (i32.const {x}))) (start $s))'))"
        )
    };
    sandbox.run("main.star", &start(4)).unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 4);
    let error = sandbox.run("main.star", &start(5)).unwrap_err();
    assert_eq!(error.message(), "not five, while instantiating");
    assert_eq!(error.kind(), ErrorKind::Host);
}
