//! Calls from WebAssembly into a script, and into Rust.

use std::time::Instant;

use crate::figures::raw;
use crate::figures::script::{self, UNROLLED, repeat};
use crate::harness::{Effort, Figure, Goal};

/// `run` calls the import in a loop, as often as its argument says.
const GUEST: &str = r#"
(module
    (import "env" "f" (func $f (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "id") (param i32) (result i32) (local.get 0))
    (func (export "run") (param $n i32)
        (loop $again
            (drop (call $f (i32.const 5)))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $again (local.get $n)))))
"#;

/// An import, and a statement of a script that does the same without a guest in between: it calls WebAssembly as many
/// times as there are calls between the languages.
struct Case {
    name: &'static str,
    import: &'static str,
    statement: &'static str,
    against: &'static str,
}

const CASES: [Case; 7] = [
    Case { name: "lambda", import: "lambda caller, x: x", statement: "f(5)", against: "a bound call" },
    Case { name: "def", import: "identity", statement: "f(5)", against: "a bound call" },
    Case { name: "builtin", import: "second", statement: "f(5)", against: "a bound call" },
    Case {
        name: "memory of caller",
        import: "lambda caller, x: caller.memory.read_u8(x)",
        statement: "m.read_u8(f(5))",
        against: "a bound call and a read",
    },
    Case {
        name: "memory bound",
        import: "lambda caller, x: handle.memory.read_u8(x)",
        statement: "m.read_u8(f(5))",
        against: "a bound call and a read",
    },
    Case {
        name: "re-entered",
        import: "lambda caller, x: handle.id(x)",
        statement: "f(f(5))",
        against: "two bound calls",
    },
    Case {
        name: "re-entered by caller",
        import: "lambda caller, x: caller.exports.id(x)",
        statement: "f(f(5))",
        against: "two bound calls",
    },
];

pub fn figures() -> Vec<Figure> {
    CASES.iter().map(case).chain([rust(), rust_memory()]).collect()
}

/// A Rust import of a `Sandbox`, called in a guest's loop.
fn rust() -> Figure {
    rust_figure(
        "host rust",
        "a function of `Func::wrap`",
        |sandbox| {
            sandbox.import("env", "f", |_: &mut wasmlark::Caller<'_>, x: i32| Ok::<_, wasmlark::Error>(x));
        },
        |store| wasmi::Func::wrap(store, |_: wasmi::Caller<'_, ()>, x: i32| x),
    )
}

/// The same with an import that reads four bytes of the guest.
fn rust_memory() -> Figure {
    rust_figure(
        "host rust memory",
        "the same with `Func::wrap`",
        |sandbox| {
            sandbox.import("env", "f", |caller: &mut wasmlark::Caller<'_>, x: u32| {
                caller.memory()?.read(x).map(i32::from_le_bytes)
            });
        },
        |store| {
            wasmi::Func::wrap(store, |caller: wasmi::Caller<'_, ()>, x: i32| -> Result<i32, wasmi::Error> {
                let memory = caller.get_export("memory").and_then(wasmi::Extern::into_memory);
                let memory = memory.ok_or_else(|| wasmi::Error::new("no memory"))?;
                let mut bytes = [0; 4];
                memory.read(&caller, x as usize, &mut bytes).map_err(|error| wasmi::Error::new(error.to_string()))?;
                Ok(i32::from_le_bytes(bytes))
            })
        },
    )
}

fn rust_figure(
    name: &'static str,
    against: &'static str,
    give: fn(&mut wasmlark::Sandbox),
    wrap: fn(&mut wasmi::Store<()>) -> wasmi::Func,
) -> Figure {
    Figure::ratio(name.to_owned(), against, Goal::AtMost(1.5), Effort::SHORT, 1, move |effort, samples| {
        let wasm = wat::parse_str(GUEST).unwrap();
        let mut sandbox = wasmlark::Sandbox::new().limits(script::limits());
        sandbox.file("guest.wasm", wasm.clone());
        give(&mut sandbox);
        let source = "instance = wasm.instantiate('guest.wasm')\ndef run(n): instance.exports.run(n)";
        let mut session = sandbox.load("bench.star", source).unwrap();

        let engine = raw::engine(true);
        let mut store = raw::store(&engine, ());
        let module = wasmi::Module::new(&engine, &wasm).unwrap();
        let f = wrap(&mut store);
        let instance = wasmi::Instance::new(&mut store, &module, &[f.into()]).unwrap();
        let run = instance.get_typed_func::<i32, ()>(&store, "run").unwrap();

        let mut ours = |n: u64| {
            let args = [n.into()];
            let start = Instant::now();
            session.call_values("run", &args).unwrap();
            start.elapsed()
        };
        let mut theirs = |n: u64| {
            let start = Instant::now();
            run.call(&mut store, n as i32).unwrap();
            start.elapsed()
        };
        samples.alternate(effort, &mut ours, &mut theirs);
        Ok(())
    })
}

fn case(case: &'static Case) -> Figure {
    Figure::ratio(
        format!("host {}", case.name),
        case.against,
        Goal::AtMost(2.0),
        Effort::SHORT,
        UNROLLED,
        |effort, samples| {
            let wasm = wat::parse_str(GUEST).unwrap();
            let source = script(case);
            script::with(&script::engine(), &[("binary", &wasm)], &source, |ours| {
                script::with(&script::engine(), &[("binary", &wasm)], &source, |theirs| {
                    samples.alternate(effort, &mut |n| ours.time("hosted", n), &mut |n| theirs.time("bound", n));
                });
            });
            Ok(())
        },
    )
}

fn script(case: &Case) -> String {
    let bound = repeat("bound", "f, m = instance.exports.id, instance.memory", case.statement);
    format!(
        "def identity(caller, x):
    return x
# An import's own instance is bound once it is made.
plain = wasm.instantiate(binary, imports = {{'env': {{'f': identity}}}})
handle = struct(memory = plain.memory, id = plain.exports.id)
instance = wasm.instantiate(binary, imports = {{'env': {{'f': {}}}}})
{bound}
def hosted(n):
    instance.exports.run(n * {UNROLLED})
",
        case.import
    )
}
