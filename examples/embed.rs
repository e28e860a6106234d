//! An application that has its own starlark-rust evaluator keeps it, and adds `wasm` to its globals.
//!
//! `cargo run --example embed`

use starlark::environment::{GlobalsBuilder, Module};
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::syntax::{AstModule, Dialect};
use wasmlark::{Engine, Limits};

/// A builtin of the application, next to `wasm`.
#[starlark_module]
fn application(builder: &mut GlobalsBuilder) {
    fn version() -> anyhow::Result<&'static str> {
        Ok("1.2.3")
    }
}

const SCRIPT: &str = r#"
def log(caller, ptr, length):
    print("guest says:", caller.memory.read_string(ptr, length))

guest = wasm.instantiate("guest.wat", imports = {"app": {"log": log}})
guest.exports.run()
"done with " + version()
"#;

const GUEST: &str = r#"
    (module
      (import "app" "log" (func $log (param i32 i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "good morning")
      (func (export "run") (call $log (i32.const 0) (i32.const 12))))
"#;

fn main() -> starlark::Result<()> {
    // The one line that adds `wasm`.
    let globals = GlobalsBuilder::standard().with(wasmlark::globals).with(application).with(|b| {
        starlark::environment::LibraryExtension::Print.add(b);
    });
    let globals = globals.build();

    // Limits, and modules found by name, are optional.
    let engine = Engine::with_loader(Limits::new().memory(1 << 20), |name| {
        Ok((name == "guest.wat").then(|| GUEST.as_bytes().to_vec()))
    });

    let ast = AstModule::parse("main.star", SCRIPT.to_owned(), &Dialect::Extended)?;
    Module::with_temp_heap(|module| {
        engine.attach(&module);
        let mut evaluator = Evaluator::new(&module);
        engine.configure(&mut evaluator).map_err(starlark::Error::new_other)?;
        let value = evaluator.eval_module(ast, &globals)?;
        println!("{value}");
        Ok(())
    })
}
