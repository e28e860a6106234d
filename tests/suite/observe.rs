//! What an observer is told of the calls between scripts, guests and the host.

use std::sync::{Arc, Mutex};

use wasmlark::starlark::environment::{GlobalsBuilder, Module};
use wasmlark::starlark::eval::Evaluator;
use wasmlark::starlark::syntax::{AstModule, Dialect};
use wasmlark::{
    Caller, Crossing, CrossingEvent, Engine, Error, Limits, Number, NumberType, Sandbox, Value, WasiCommand,
};

type Lines = Arc<Mutex<Vec<String>>>;

/// Returns an observer, and where it notes what it is told.
fn observer() -> (impl Fn(&Crossing<'_>) + Send + Sync + 'static, Lines) {
    let lines = Lines::default();
    let noted = lines.clone();
    let note = move |crossing: &Crossing<'_>| {
        let Crossing { depth, caller, callee, module, instance, function, fuel, .. } = crossing;
        let show = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
        let what = match crossing.event {
            CrossingEvent::Call { args } => format!("{caller} > {callee} {function}({})", show(args)),
            CrossingEvent::Return { results } => format!("{function} = {}", show(results)),
            CrossingEvent::Failure { error } => format!("{function} ! {:?}: {}", error.kind(), error.message()),
            _ => panic!("{crossing:?}"),
        };
        let (module, instance) = (module.unwrap_or("?"), instance.unwrap_or_default());
        noted.lock().unwrap().push(format!("{depth} {module}#{instance} {what} @{}", fuel.unwrap_or_default()));
    };
    (note, lines)
}

fn taken(lines: &Lines) -> Vec<String> {
    std::mem::take(&mut lines.lock().unwrap())
}

/// Makes a sandbox with an observer, and what the observer notes.
fn observed() -> (Sandbox, Lines) {
    let (observer, lines) = observer();
    (Sandbox::new().observer(observer), lines)
}

#[test]
fn both_directions_are_reported_as_they_nest() {
    let (mut sandbox, lines) = observed();
    sandbox.file(
        "outer.wat",
        r#"(module $outer (import "env" "f" (func $f (param i32) (result i32)))
        (func (export "run") (param i32) (result i32) (call $f (local.get 0))))"#,
    );
    sandbox.file(
        "inner.wat",
        r#"(module (func (export "neg") (param i32) (result i32) (i32.sub (i32.const 0) (local.get 0))))"#,
    );
    let script = "
inner = wasm.instantiate('inner.wat').exports
outer = wasm.instantiate('outer.wat', imports = {'env': {'f': lambda caller, n: inner.neg(n)}}).exports
outer.run(5)";
    assert_eq!(sandbox.run("main.star", script).unwrap().value, Value::from(-5));
    assert_eq!(
        taken(&lines),
        [
            "0 inner.wat#1 script > guest (instantiate)() @0",
            "0 inner.wat#1 (instantiate) =  @0",
            "0 outer#2 script > guest (instantiate)() @0",
            "0 outer#2 (instantiate) =  @0",
            "0 outer#2 script > guest run(5) @0",
            "1 outer#2 guest > script env.f(5) @3",
            "2 inner.wat#1 script > guest neg(5) @3",
            "2 inner.wat#1 neg = -5 @7",
            "1 outer#2 env.f = -5 @7",
            "0 outer#2 run = -5 @7",
        ]
    );
}

#[test]
fn calls_of_hosts_are_reported_with_their_values() {
    let (mut sandbox, lines) = observed();
    sandbox.import("env", "pair", |_: &mut Caller<'_>, x: u32, y: f32| Ok::<_, Error>((u64::from(x), y / 2.0)));
    sandbox.import("env", "broken", |_: &mut Caller<'_>| Err::<(), _>("out of order"));
    sandbox
        .import_dynamic("env", "sum", (&[NumberType::I64; 2], &[NumberType::F64]), |_, args, results| {
            let [Number::I64(a), Number::I64(b)] = args else { return Err("other numbers") };
            results[0] = Number::F64((a + b) as f64);
            Ok(())
        })
        .unwrap();
    let script = r#"
guest = wasm.wat('''(module
    (import "env" "pair" (func $pair (param i32 f32) (result i64 f32)))
    (import "env" "broken" (func $broken))
    (import "env" "sum" (func $sum (param i64 i64) (result f64)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "pair") (result i64 f32) (call $pair (i32.const -1) (f32.const 3)))
    (func (export "sum") (result f64) (call $sum (i64.const -1) (i64.const 3)))
    (func (export "clock") (result i32) (call $clock (i32.const 0) (i64.const 0) (i32.const 8)))
    (func (export "broken") (call $broken))
    (func (export "leave") (call $exit (i32.const 4))))''')
e = wasm.instantiate(guest, wasi = wasm.wasi()).exports
results = [e.pair(), e.sum(), e.clock()]
wasm.attempt(e.leave)
e.broken()
"#;
    let error = sandbox.run("main.star", script).unwrap_err();
    assert_eq!(error.message(), "out of order, in wasm function `broken()`");
    let lines: Vec<String> = taken(&lines).iter().map(|line| line.rsplit_once(" @").unwrap().0.to_owned()).collect();
    let wasi = "wasi_snapshot_preview1";
    assert_eq!(
        lines[2..].join("\n"),
        format!(
            "\
0 ?#1 script > guest pair()
1 ?#1 guest > host env.pair(-1, 3.0)
1 ?#1 env.pair = 4294967295, 1.5
0 ?#1 pair = 4294967295, 1.5
0 ?#1 script > guest sum()
1 ?#1 guest > host env.sum(-1, 3)
1 ?#1 env.sum = 2.0
0 ?#1 sum = 2.0
0 ?#1 script > guest clock()
1 ?#1 guest > host {wasi}.clock_time_get(0, 0, 8)
1 ?#1 {wasi}.clock_time_get = 0
0 ?#1 clock = 0
0 ?#1 script > guest leave()
1 ?#1 guest > host {wasi}.proc_exit(4)
1 ?#1 {wasi}.proc_exit ! Trap(Exit): the guest exited with code 4, in import `{wasi}.proc_exit`
0 ?#1 leave ! Trap(Exit): the guest exited with code 4, in wasm function `leave()`
0 ?#1 script > guest broken()
1 ?#1 guest > host env.broken()
1 ?#1 env.broken ! Host: out of order
0 ?#1 broken ! Host: out of order, in wasm function `broken()`"
        )
    );
}

#[test]
fn references_have_no_instance() {
    let (sandbox, lines) = observed();
    let script = r#"
e = wasm.instantiate(wasm.wat('''(module $refs
    (func $hidden (param externref) (result externref funcref) (local.get 0) (ref.null func))
    (elem declare func $hidden)
    (func (export "get") (result funcref) (ref.func $hidden))
    (func (export "lanes") (result v128) (v128.const i32x4 1 2 3 4)))''')).exports
e.get()(e)
e.lanes()
"#;
    sandbox.run("main.star", script).unwrap();
    assert_eq!(
        taken(&lines)[2..],
        [
            "0 refs#1 script > guest get() @0",
            "0 refs#1 get = funcref @2",
            "0 ?#0 script > guest func(externref) @2",
            "0 ?#0 func = externref, None @5",
            "0 refs#1 script > guest lanes() @5",
            r#"0 refs#1 lanes = b"\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00" @7"#,
        ]
    );
}

#[test]
fn each_session_has_its_own_numbers() {
    let (mut sandbox, lines) = observed();
    sandbox.file("lib.star", "def one():\n    return wasm.instantiate('one.wat').exports.one()");
    sandbox.file("one.wat", r#"(module (func (export "one") (result i32) (i32.const 1)))"#);
    let program = sandbox.program("main.star", "load('lib.star', 'one')\ndef run(): return one()").unwrap();
    let run = || {
        let mut session = program.session().unwrap();
        session.call_values("run", &[]).unwrap();
        session.call_values("run", &[]).unwrap();
        taken(&lines)
    };
    let first = run();
    assert_eq!(first, run());
    assert_eq!(first.len(), 8);
    assert!(first[7].starts_with("0 one.wat#2 one = 1 @"), "{first:?}");
}

#[test]
fn evaluators_of_an_application_are_observed_too() {
    let (observer, lines) = observer();
    let engine = Engine::new(Limits::new()).observer(observer);
    let globals = GlobalsBuilder::standard().with(wasmlark::globals).build();
    let script = r#"wasm.instantiate(wasm.wat('(module (func (export "f")))')).exports.f()"#;
    let ast = AstModule::parse("main.star", script.to_owned(), &Dialect::Standard).unwrap();
    Module::with_temp_heap(|module| {
        engine.attach(&module);
        Evaluator::new(&module).eval_module(ast, &globals).unwrap();
    });
    assert_eq!(taken(&lines).len(), 4);
}

#[test]
fn a_command_is_called_by_the_host() {
    let (observer, lines) = observer();
    let module = wat::parse_str(
        r#"(module
            (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start") (drop (call $random (i32.const 0) (i32.const 6400))) (call $exit (i32.const 3))))"#,
    )
    .unwrap();
    let output = WasiCommand::new().observer(observer).run(&module);
    assert_eq!(output.result.unwrap(), 3);
    assert_eq!(
        taken(&lines),
        [
            "0 ?#1 host > guest (instantiate)() @0",
            "0 ?#1 (instantiate) =  @0",
            "0 ?#1 host > guest _start() @0",
            "1 ?#1 guest > host wasi_snapshot_preview1.random_get(0, 6400) @6",
            "1 ?#1 wasi_snapshot_preview1.random_get = 0 @6406",
            "1 ?#1 guest > host wasi_snapshot_preview1.proc_exit(3) @6406",
            "1 ?#1 wasi_snapshot_preview1.proc_exit ! Trap(Exit): the guest exited with code 3, in import \
             `wasi_snapshot_preview1.proc_exit` @6406",
            "0 ?#1 _start ! Trap(Exit): the guest exited with code 3, in wasm function `_start` @6406",
        ]
    );
}
