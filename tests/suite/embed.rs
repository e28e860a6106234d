//! Applications with their own evaluator, and the static type checker.

use starlark::environment::{Globals, GlobalsBuilder, Module};
use starlark::eval::Evaluator;
use starlark::syntax::{AstModule, Dialect};
use starlark::typing::AstModuleTypecheck;
use std::collections::HashMap;
use wasmlark::{Engine, Limits};

const DOUBLE: &str =
    r#"(module (func (export "double") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))"#;

fn globals() -> Globals {
    GlobalsBuilder::standard().with(wasmlark::globals).build()
}

/// Runs a script in our own evaluator. Returns its value as text, or its error without excerpt and frames.
fn run(engine: Option<&Engine>, script: &str) -> Result<String, String> {
    let ast = AstModule::parse("own.star", script.to_owned(), &Dialect::Extended).unwrap();
    Module::with_temp_heap(|module| {
        if let Some(engine) = engine {
            engine.attach(&module);
        }
        let mut eval = Evaluator::new(&module);
        let value = eval.eval_module(ast, &globals());
        value.map(|v| v.to_string()).map_err(|e| e.without_diagnostic().to_string())
    })
}

/// Type-checks a script without running it.
fn check(script: &str) -> Vec<String> {
    let ast = AstModule::parse("own.star", script.to_owned(), &Dialect::Extended).unwrap();
    let (errors, ..) = ast.typecheck(&globals(), &HashMap::new());
    errors.into_iter().map(|e| e.without_diagnostic().to_string()).collect()
}

#[test]
fn without_an_engine() {
    let script = format!("wasm.instantiate(wasm.wat('{DOUBLE}')).exports.double(21)");
    assert_eq!(run(None, &script).unwrap(), "42");
    let error = run(None, "wasm.Module('double.wasm')").unwrap_err();
    assert_eq!(
        error,
        "cannot load module \"double.wasm\": this host gives no modules by name; pass bytes, or give the host a loader"
    );
}

#[test]
fn with_an_engine() {
    let bytes = wat::parse_str(DOUBLE).unwrap();
    let engine = Engine::with_loader(Limits::new().memory(65_536), move |name| match name {
        "double.wasm" => Ok(Some(bytes.clone())),
        "broken" => Err("the disk is on fire".to_owned()),
        _ => Ok(None),
    });
    assert_eq!(run(Some(&engine), "wasm.instantiate('double.wasm').exports.double(4)").unwrap(), "8");
    assert_eq!(run(Some(&engine), "wasm.Module('nope')").unwrap_err(), "module \"nope\" not found");
    let error = run(Some(&engine), "wasm.Module('broken')").unwrap_err();
    assert_eq!(error, "cannot load module \"broken\": the disk is on fire");
    let error = run(Some(&engine), "wasm.Memory(2)").unwrap_err();
    assert_eq!(
        error,
        "a new memory needs 131072 bytes: the sandbox's limit `memory` is 65536 bytes, and 65536 are left"
    );
    // Each evaluation has its own budget.
    assert_eq!(run(Some(&engine), "wasm.Memory(1).size()").unwrap(), "1");
    assert_eq!(run(Some(&engine), "wasm.Memory(1).size()").unwrap(), "1");
}

/// An application calls a script's functions after it has run.
#[test]
fn functions_are_called_from_rust() {
    let script = format!(
        "double = wasm.instantiate(wasm.wat('{DOUBLE}')).exports.double\ndef twice(x): return double(double(x))"
    );
    let ast = AstModule::parse("own.star", script, &Dialect::Extended).unwrap();
    Module::with_temp_heap(|module| {
        let mut eval = Evaluator::new(&module);
        eval.eval_module(ast, &globals()).unwrap();
        for name in ["double", "twice"] {
            let function = module.get(name).unwrap();
            let five = module.heap().alloc(5);
            let value = eval.eval_function(function, &[five], &[]).unwrap();
            assert_eq!(value.unpack_i32(), Some(if name == "double" { 10 } else { 20 }));
        }
    });
}

/// A module compiled for one engine does not run on another.
#[test]
fn a_module_of_another_engine() {
    let (one, two) = (Engine::new(Limits::new()), Engine::new(Limits::new()));
    let ast =
        AstModule::parse("lib.star", "m = wasm.Module(wasm.wat('(module)'))".to_owned(), &Dialect::Extended).unwrap();
    let frozen = Module::with_temp_heap(|module| {
        one.attach(&module);
        Evaluator::new(&module).eval_module(ast, &globals()).map(|_| ()).unwrap();
        module.freeze().unwrap()
    });
    let ast =
        AstModule::parse("main.star", "load('lib.star', 'm')\nwasm.instantiate(m)".to_owned(), &Dialect::Extended)
            .unwrap();
    let error = Module::with_temp_heap(|module| {
        two.attach(&module);
        let modules = HashMap::from([("lib.star", &frozen)]);
        let loader = starlark::eval::ReturnFileLoader { modules: &modules };
        let mut eval = Evaluator::new(&module);
        eval.set_loader(&loader);
        eval.eval_module(ast, &globals()).map(|_| ()).unwrap_err().without_diagnostic().to_string()
    });
    assert_eq!(
        error,
        "this module was compiled for another engine; attach the same `Engine` to the file that made it and to the one that loads it"
    );
}

#[test]
fn the_type_checker_finds_mistakes_without_running() {
    let wrong = [
        "wasm.Memory(1).raed(0, 1)",
        "wasm.Memory(1).read(\"x\", 1)",
        "wasm.Memory(1).read(0)",
        "wasm.Memory(1).grow(by = 1)",
        "wasm.Memory(1).read_cstring(0, 10)",
        "wasm.Memory(1).write_string(0, b\"x\")",
        "wasm.Memory(\"1\")",
        "wasm.Memory(1).size() + \"x\"",
        "wasm.memory(1)",
        "wasm.wat(5)",
        "wasm.instantiate(b\"\").exprots",
        "wasm.instantiate(b\"\").memory.raed(0, 1)",
        "wasm.Module(b\"\").exprots",
        "wasm.Table(1).grow(\"x\")",
        "wasm.Global(1, 2)",
        "wasm.Store().colse()",
        "wasm.attempt(len, \"a\").trap.cod",
        "def f(m: wasm.Memory) -> wasm.Function:\n    return m",
        "def f(m: wasm.Memory): pass\ndef g():\n    f(wasm.Store())",
        "def f(c: wasm.Caller): return c.memroy",
    ];
    // In a function, so that nothing can run by accident.
    let main = |script: &str| match script.starts_with("def ") {
        true => script.to_owned(),
        false => format!("def main():\n    return {script}"),
    };
    let missed: Vec<_> = wrong.into_iter().filter(|script| check(&main(script)).is_empty()).collect();
    assert!(missed.is_empty(), "the type checker accepts: {missed:#?}");
    let right = [
        "wasm.Memory(1, maximum = None).read(0, 1)",
        "wasm.Memory(1).write(0, [1, 2])",
        "wasm.Memory(1).read_cstring(0, max_len = 5)",
        "wasm.instantiate(\"a.wasm\", imports = {\"a\": {\"b\": len}}).exports.anything(1, 2)",
        "wasm.instantiate(wasm.Module(b\"\"), store = wasm.Store(fuel = 5)).exports[\"f\"]()",
        "wasm.instantiate(b\"\").get_memory(\"m\").read_u8(0) + 1",
        "wasm.attempt(len, \"a\").value + 1",
        "wasm.Global(\"i32\", 1).value + 1",
        "len(wasm.Memory(1))",
    ];
    for script in right {
        let errors = check(&main(script));
        assert!(errors.is_empty(), "{script}: {errors:?}");
    }
}

/// A 32-bit host cannot represent such a maximum, and reports that instead.
#[test]
fn a_64_bit_table_has_any_maximum() {
    let script = r#"[
    wasm.instantiate(wasm.wat('(module (table (export "t") i64 0 0x100000000 funcref))')).exports.t.maximum,
    wasm.instantiate(wasm.wat('(module (table (export "t") i64 0 0xffffffffffffffff funcref))')).exports.t.maximum,
    wasm.Table(0, maximum = (1 << 64) - 1, table64 = True).maximum,
]"#;
    let result = wasmlark::Sandbox::new().run("main.star", script).map(|run| run.value.to_string());
    if cfg!(target_pointer_width = "64") {
        assert_eq!(result.unwrap(), "[4294967296, 18446744073709551615, 18446744073709551615]");
    } else {
        let message = "a table's maximum may be at most 4294967295 elements on this host, got 4294967296";
        assert_eq!(result.unwrap_err().message(), message);
    }
}
