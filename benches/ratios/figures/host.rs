//! Calls from WebAssembly into a script.

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
    CASES.iter().map(case).collect()
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
