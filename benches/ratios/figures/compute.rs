//! Work that stays in WebAssembly, where this crate must cost nothing.

use std::time::Duration;

use wasmi::Val;
use wasmlark::Engine;

use crate::figures::raw::Raw;
use crate::figures::script::{self, limits};
use crate::harness::{Effort, Figure, Goal};

/// Calls, a loop over memory, and floating point.
const KERNELS: &str = r#"
(module
    (memory 1)
    (func $fib (export "fib") (param i32) (result i32)
        (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
            (then (local.get 0))
            (else (i32.add
                (call $fib (i32.sub (local.get 0) (i32.const 1)))
                (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    ;; The sum of a generator's bytes, written to memory and read back.
    (func (export "sum") (param $n i32) (result i32)
        (local $x i32) (local $sum i32)
        (loop $again
            (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223)))
            (i32.store (i32.and (local.get $n) (i32.const 0xfffc)) (local.get $x))
            (local.set $sum (i32.add (local.get $sum)
                (i32.load8_u (i32.and (local.get $x) (i32.const 0xffff)))))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $again (local.get $n)))
        (local.get $sum))
    ;; Newton's square roots.
    (func (export "newton") (param $n i32) (result i32)
        (local $x f64) (local $sum f64)
        (loop $again
            (local.set $x (f64.convert_i32_s (local.get $n)))
            (local.set $x (f64.mul (f64.const 0.5)
                (f64.add (local.get $x) (f64.div (f64.convert_i32_s (local.get $n)) (local.get $x)))))
            (local.set $sum (f64.add (local.get $sum) (local.get $x)))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $again (local.get $n)))
        (i32.trunc_sat_f64_s (local.get $sum))))
"#;

const CASES: [(&str, i32); 3] = [("fib", 18), ("sum", 50_000), ("newton", 50_000)];

const EFFORT: Effort = Effort { slice: Duration::from_millis(1), rounds: 20, processes: 8 };

pub fn figures() -> Vec<Figure> {
    let mut figures = Vec::new();
    for (name, argument) in CASES {
        figures.push(against_wasmi(name, argument, false));
        figures.push(against_wasmi(name, argument, true));
        figures.push(fuel(name, argument));
    }
    figures
}

fn against_wasmi(name: &'static str, argument: i32, fuel: bool) -> Figure {
    let title = format!("compute {name}, fuel {}", if fuel { "on" } else { "off" });
    Figure::ratio(title, "wasmi, the same setting", Goal::AtMost(1.02), EFFORT, 1, move |effort, samples| {
        let wasm = wat::parse_str(KERNELS).unwrap();
        let mut raw = Raw::new(&wasm, fuel);
        let mut results = [Val::I32(0)];
        let mut theirs = |n| raw.dynamic(name, &[Val::I32(argument)], &mut results, n);
        script::with(&engine_with(fuel), &[("binary", &wasm)], &script(name, argument), |session| {
            samples.alternate(effort, &mut |n| session.time("run", n), &mut theirs);
        });
        Ok(())
    })
}

fn fuel(name: &'static str, argument: i32) -> Figure {
    let title = format!("compute {name}, fuel on or off");
    Figure::ratio(title, "the same with fuel off", Goal::AtMost(1.15), EFFORT, 1, move |effort, samples| {
        let wasm = wat::parse_str(KERNELS).unwrap();
        let source = script(name, argument);
        script::with(&engine_with(true), &[("binary", &wasm)], &source, |on| {
            script::with(&engine_with(false), &[("binary", &wasm)], &source, |off| {
                samples.alternate(effort, &mut |n| on.time("run", n), &mut |n| off.time("run", n));
            });
        });
        Ok(())
    })
}

fn engine_with(fuel: bool) -> Engine {
    Engine::new(if fuel { limits() } else { limits().fuel(None) })
}

fn script(name: &str, argument: i32) -> String {
    format!(
        "instance = wasm.instantiate(binary)
def run(n):
    f = instance.exports.{name}
    for _ in range(n):
        f({argument})
"
    )
}
