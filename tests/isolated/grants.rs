//! What an application gives to an isolated script works as it does for others.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::{Arc, Mutex};

use wasmlark::{Caller, Error, ErrorKind, Limits, Number, NumberType, Rest, Sandbox, Serde, Value};

use super::sandbox;

/// Runs a script in a sandbox that `give` has given something, isolated and not, and returns what both agree on.
fn both(give: impl Fn(&mut Sandbox), script: &str) -> Result<Value, (ErrorKind, String, String)> {
    let [here, isolated] = [false, true].map(|is_isolated| {
        let mut sandbox = Sandbox::new().isolated(is_isolated);
        give(&mut sandbox);
        let report = sandbox.report("main.star", script);
        let result = report.result.map_err(|error| (error.kind(), error.message().to_owned(), error.text().to_owned()));
        (report.output, result, report.stats.ticks)
    });
    assert_eq!(here, isolated, "{script}");
    isolated.1
}

#[test]
fn functions() {
    let give = |sandbox: &mut Sandbox| {
        sandbox.function("add", |a: i64, b: Option<i64>| Ok::<_, Error>(a + b.unwrap_or(1))).params(["a", "b"]);
        sandbox.function("join", |with: &str, Rest(parts): Rest<&str>| Ok::<_, Error>(parts.join(with)));
        sandbox.function("same", |value: Value| Ok::<_, Error>(value));
        sandbox.function("read", |path: &str| std::fs::read_to_string(path));
        sandbox.function("panics", |_: i64| -> Result<i64, Error> { panic!("on purpose") });
    };
    assert_eq!(
        both(give, "[add(1), add(1, 2), add(a = 1, b = 5), join('-', 'a', 'b')]").unwrap().to_string(),
        "[2, 3, 6, \"a-b\"]"
    );
    let all = "[None, True, 1 << 100, -5, 1.5, 'é', wasm.Memory(1).read(0, 2), (1, [2]), {'k': {1: 2}}, set([1]), struct(a = 1)]";
    assert_eq!(
        both(give, &format!("x = {all}\nsame(x) == x and same(x)")).unwrap().as_slice().map(<[_]>::len),
        Some(11)
    );
    for script in [
        "add('x')",
        "add()",
        "add(1, 2, 3)",
        "add(c = 1)",
        "add(1 << 70)",
        "join()",
        "read('/no/such/file')",
        "panics(1)",
        "same(len)",
    ] {
        both(give, script).unwrap_err();
    }
}

#[test]
fn the_error_of_a_function_comes_back_as_its_source() {
    let mut sandbox = sandbox();
    sandbox.function("read", |path: &str| std::fs::read_to_string(path));
    let error = sandbox.run("main.star", "def f():\n    read('/nothing/there')\nf()").unwrap_err();
    assert_eq!((error.kind(), error.location().map(|place| place.line)), (ErrorKind::Host, Some(2)));
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    assert_eq!(source.map(std::io::Error::kind), Some(std::io::ErrorKind::NotFound));
}

#[test]
fn values() {
    let give = |sandbox: &mut Sandbox| {
        sandbox.value("config", &BTreeMap::from([("name", "main"), ("size", "7")])).unwrap();
        sandbox.set_value("big", Value::from(u128::MAX)).unwrap();
    };
    assert_eq!(
        both(give, "config['name'] + str(big)").unwrap().as_str(),
        Some("main340282366920938463463374607431768211455")
    );
    both(give, "config['x'] = 1").unwrap_err();
}

const GUEST: &str = r#"
guest = wasm.instantiate(wasm.wat('''(module
    (import "env" "shout" (func $shout (param i32 i32) (result i32)))
    (import "env" "sum" (func $sum (param i32 i64 f32 f64) (result f64)))
    (memory (export "memory") 1)
    (func (export "sum") (result f64)
        (call $sum (i32.const -1) (i64.const 2) (f32.const 0.5) (f64.const 0.25)))
    (func (export "shout") (param i32 i32) (result i32) (call $shout (local.get 0) (local.get 1))))'''))
"#;

fn give_imports(sandbox: &mut Sandbox) {
    sandbox.import("env", "shout", |caller: &mut Caller<'_>, ptr: u32, len: u32| -> Result<u32, Error> {
        caller.memory()?.slice_mut(ptr, len)?.make_ascii_uppercase();
        Ok(len * 2)
    });
    let types = [NumberType::I32, NumberType::I64, NumberType::F32, NumberType::F64];
    let sum = |_: &mut Caller<'_>, args: &[Number], results: &mut [Number]| {
        let number = |number: &Number| match *number {
            Number::I32(number) => f64::from(number),
            Number::I64(number) => number as f64,
            Number::F32(number) => number.into(),
            Number::F64(number) => number,
        };
        results[0] = Number::F64(args.iter().map(number).sum());
        Ok::<_, Error>(())
    };
    sandbox.import_dynamic("env", "sum", (&types, &[NumberType::F64]), sum).unwrap();
}

#[test]
fn imports_and_the_memory_of_the_guest() {
    let script = format!(
        "{GUEST}\nguest.memory.write_string(10, 'hello')\n(guest.exports.shout(10, 4), guest.memory.read_string(10, 5), guest.exports.sum())"
    );
    assert_eq!(both(give_imports, &script).unwrap().to_string(), "(8, \"HELLo\", 1.75)");
    let (kind, message, _) = both(give_imports, &format!("{GUEST}\nguest.exports.shout(65530, 10)")).unwrap_err();
    assert!(message.contains("10 bytes at 65530 in a memory of 65536 bytes"), "{kind:?} {message}");
}

#[test]
fn files_streams_and_arguments() {
    let give = |sandbox: &mut Sandbox| {
        *sandbox = std::mem::take(sandbox)
            .loader(|name| Ok((name == "lib/loaded.star").then(|| b"loaded = 5".to_vec())))
            .lister(|folder| Ok(if folder == "lib" { vec!["loaded.star".to_owned()] } else { Vec::new() }))
            .stdin("one two")
            .args(["x"]);
        sandbox.file("own.star", "load('lib/loaded.star', 'loaded')\nown = loaded + 1\nprint('own')");
    };
    let give_isolated = |sandbox: &mut Sandbox, is_isolated: bool| {
        give(sandbox);
        *sandbox = std::mem::take(sandbox).isolated(is_isolated);
    };
    for script in [
        "load('own.star', 'own')\nprint(own, argv, len(stdin()))\n[list_files(), read_file('lib/loaded.star')]",
        "load('ownn.star', 'own')",
        "read_file('lib/loded.star')",
        "stdin()\nstdin()",
        "fail('no')",
        "load('own.star', 'nothing')",
    ] {
        let [here, isolated] = [false, true].map(|is_isolated| {
            let mut sandbox = Sandbox::new();
            give_isolated(&mut sandbox, is_isolated);
            let report = sandbox.report("main.star", script);
            (report.output, report.result.map_err(|error| error.to_string()), report.stats.ticks)
        });
        assert_eq!(here, isolated);
    }
}

#[test]
fn written_files_and_error_output() {
    let run = sandbox()
        .writable(true)
        .run("main.star", "write_file('out/a.bin', b'\\x00\\xff')\nwrite(b'\\xfe')\nprint('x')")
        .unwrap();
    assert_eq!(run.files["out/a.bin"], [0, 255]);
    assert_eq!(run.output_bytes(), b"\xfex\n");
}

#[test]
fn output_arrives_while_the_script_runs() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let lines = seen.clone();
    let sandbox = sandbox().on_print(move |text| lines.lock().unwrap().push(text.to_owned()));
    let error = sandbox.run("main.star", "print('a')\nprint('b')\nfail('c')").unwrap_err();
    assert_eq!(*seen.lock().unwrap(), ["a\n", "b\n"]);
    assert_eq!(error.kind(), ErrorKind::Script);
}

#[test]
fn a_panic_of_a_closure_that_writes_or_loads_ends_the_session() {
    let writes = |sandbox: Sandbox| sandbox.on_print(|_| panic!("on purpose"));
    let loads = |sandbox: Sandbox| sandbox.loader(|_| panic!("on purpose"));
    let scripts: [(fn(Sandbox) -> Sandbox, &str); 2] = [(writes, "print(1)"), (loads, "load('a.star', 'a')")];
    for (panicking, script) in scripts {
        for is_isolated in [false, true] {
            let sandbox = panicking(Sandbox::new().isolated(is_isolated));
            let (mut session, result) = sandbox.open("main.star", script);
            let error = result.unwrap_err();
            assert_eq!((error.kind(), error.message()), (ErrorKind::Internal, "a panic ended the script: on purpose"));
            session.eval("<console>", "1").unwrap_err();
        }
    }
}

#[test]
fn progress_backtraces_and_profiles() {
    let script = r#"
guest = wasm.wat('''(module
    (func $half (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
    (func (export "run") (param i32) (result i32) (call $half (local.get 0))))''')
wasm.instantiate(guest).exports.run(0)
"#;
    let [here, isolated] = [false, true].map(|is_isolated| {
        let error = Sandbox::new().isolated(is_isolated).backtrace(true).run("main.star", script).unwrap_err();
        let frames: Vec<_> = error.frames().iter().map(|frame| frame.to_string()).collect();
        (frames, error.to_string())
    });
    assert_eq!(here, isolated);
    assert_eq!(isolated.0.len(), 2);
    let works = script.replace("run(0)", "run(1)");
    let [here, isolated] = [false, true].map(|is_isolated| {
        Sandbox::new().isolated(is_isolated).profile(true).report("main.star", &works).profile.unwrap().folded()
    });
    assert_eq!(here, isolated);
    let seen = Arc::new(Mutex::new(0));
    let ticks = seen.clone();
    let sandbox = sandbox().on_progress(move |spent| *ticks.lock().unwrap() = spent.ticks);
    sandbox.run("main.star", "def f():\n    for _ in range(10000): pass\nf()").unwrap();
    assert!(*seen.lock().unwrap() > 8000);
}

#[test]
fn what_cannot_be_isolated_is_said() {
    let error = sandbox().observer(|_| ()).run("main.star", "1").unwrap_err();
    assert_eq!(error.message(), "an isolated sandbox has no observer and counts no coverage");
}

#[test]
fn types_of_serde() {
    #[derive(serde::Deserialize, serde::Serialize)]
    struct Point {
        x: f64,
        y: f64,
    }
    let mut sandbox = sandbox().limits(Limits::new());
    sandbox.function("flip", |Serde(p): Serde<Point>| Ok::<_, Error>(Serde(Point { x: p.y, y: p.x })));
    let mut session = sandbox.load("main.star", "def turn(p): return flip(flip(flip(p)))").unwrap();
    let turned: Point = session.call("turn", (Point { x: 1.5, y: 2.5 },)).unwrap();
    assert_eq!((turned.x, turned.y), (2.5, 1.5));
}
