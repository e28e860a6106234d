//! The cost of one call, which must not grow with anything else that exists.

use std::cell::RefCell;
use std::fmt::Write;
use std::time::Duration;

use crate::figures::script::{self, UNROLLED, repeat};
use crate::harness::{Effort, Figure, Goal};

/// As good as equal: more data leaves less room in the caches.
const SAME: Goal = Goal::AtMost(1.1);

pub fn figures() -> Vec<Figure> {
    let one = || Setting::exports(1);
    let many = || Setting::exports(10_000);
    let handles = move || many().then("[getattr(instance.exports, name) for name in dir(instance.exports)]");
    let instances = move || one().then("[wasm.instantiate(module) for _ in range(10000)]");
    let stores =
        move || one().then("[wasm.instantiate(module, store = wasm.Store()).exports.f0(1) for _ in range(1000)]");
    // The size of the heap is checked after each call from wasm.
    let values = || Setting::imports(1).then("[0.5 * i for i in range(1000000)]");
    vec![
        pair("growth call bound, 10,000 exports", "1 export", "ours", many, one),
        pair("growth call exports, 10,000 exports", "1 export", "through_exports", many, one),
        pair("growth call bound, 10,000 handles", "1 handle", "ours", handles, one),
        pair("growth call bound, 10,000 instances", "1 instance", "ours", instances, one),
        pair("growth call bound, 1,000 stores", "1 store", "ours", stores, one),
        pair("growth host call, 1,000,000 values on the heap", "few values", "ours", values, || Setting::imports(1)),
        pair("growth host call, 1,000 imports", "1 import", "ours", || Setting::imports(1_000), || Setting::imports(1)),
        pair(
            "growth host memory, passed on, 1,000 instances",
            "1 instance",
            "ours",
            || Setting::passed_on(1_000),
            || Setting::passed_on(1),
        ),
        instantiate(),
    ]
}

/// A guest and a script, without the functions that are timed.
struct Setting {
    wasm: Vec<u8>,
    script: String,
}

impl Setting {
    fn exports(count: usize) -> Self {
        let mut text = "(module ".to_owned();
        for index in 0..count {
            write!(text, "(func (export \"f{index}\") (param i32) (result i32) (local.get 0))").unwrap();
        }
        let script = "module = wasm.Module(binary)\ninstance = wasm.instantiate(module)\n".to_owned();
        Self { wasm: wat::parse_str(text + ")").unwrap(), script }
    }

    /// A guest whose `f0` calls its last import.
    fn imports(count: usize) -> Self {
        let mut text = "(module ".to_owned();
        for index in 0..count {
            write!(text, "(import \"env\" \"i{index}\" (func $i{index} (param i32) (result i32)))").unwrap();
        }
        let call = format!("(call $i{} (local.get 0))", count - 1);
        write!(text, "(func (export \"f0\") (param i32) (result i32) {call}))").unwrap();
        let script = format!(
            "def answer(caller, x):
    return x
instance = wasm.instantiate(binary, imports = {{'env': {{'i%d' % i: answer for i in range({count})}}}})
"
        );
        Self { wasm: wat::parse_str(text).unwrap(), script }
    }

    /// A guest that exports what it imports, so that each call must find the instance for `caller`.
    fn passed_on(instances: usize) -> Self {
        let text = r#"(module
            (import "env" "f" (func $f (param i32) (result i32)))
            (export "f" (func $f))
            (memory (export "memory") 1)
            (func (export "f0") (param i32) (result i32) (call $f (local.get 0))))"#;
        let script = format!(
            "def peek(caller, x):
    return caller.memory.read_u8(x)
instances = [wasm.instantiate(binary, imports = {{'env': {{'f': peek}}}}) for _ in range({instances})]
instance = instances[-1]
"
        );
        Self { wasm: wat::parse_str(text).unwrap(), script }
    }

    fn then(self, statement: &str) -> Self {
        Self { script: format!("{}kept = {statement}\n", self.script), ..self }
    }

    fn source(&self) -> String {
        let ours = repeat("ours", "f = instance.exports.f0", "f(5)");
        let through_exports = repeat("through_exports", "inst = instance", "inst.exports.f0(5)");
        format!("{}{ours}{through_exports}", self.script)
    }
}

/// Calls of `function` in a large setting, compared with the same in a small one.
fn pair(
    name: &str,
    against: &'static str,
    function: &'static str,
    many: impl Fn() -> Setting + 'static,
    few: impl Fn() -> Setting + 'static,
) -> Figure {
    let effort = Effort::SHORT.processes(5);
    Figure::ratio(name, against, SAME, effort, UNROLLED, move |effort, samples| {
        let (many, few) = (many(), few());
        script::with(&script::engine(), &[("binary", &many.wasm)], &many.source(), |ours| {
            script::with(&script::engine(), &[("binary", &few.wasm)], &few.source(), |theirs| {
                samples.alternate(effort, &mut |n| ours.time(function, n), &mut |n| theirs.time(function, n));
            });
        });
        Ok(())
    })
}

/// Another instance in a store of 10,000, compared with another in a store of few. Both are in one script, so that
/// neither side finds memory that was freed while the other was set up.
fn instantiate() -> Figure {
    let name = "growth instantiate, 10,000 instances";
    // Only few instances are made while measuring, compared to these.
    let effort = Effort { slice: Duration::from_micros(100), rounds: 10, processes: 4 };
    let source = "
module = wasm.Module(binary)
few, many = wasm.Store(), wasm.Store()
kept = [wasm.instantiate(module, store = many) for _ in range(10000)]
def ours(n):
    for _ in range(n):
        wasm.instantiate(module, store = many)
def theirs(n):
    for _ in range(n):
        wasm.instantiate(module, store = few)
";
    Figure::ratio(name, "few instances", Goal::AtMost(1.25), effort, 1, move |effort, samples| {
        script::with(&script::engine(), &[("binary", &Setting::exports(1).wasm)], source, |session| {
            let session = RefCell::new(session);
            let time = |function, n| session.borrow_mut().time(function, n);
            samples.alternate(effort, &mut |n| time("ours", n), &mut |n| time("theirs", n));
        });
        Ok(())
    })
}
