//! Calls from a script into WebAssembly.

use std::hint::black_box;
use std::time::Instant;

use starlark::environment::Module;
use starlark::values::{Heap, Value};
use wasmi::Val;

use crate::figures::raw::Raw;
use crate::figures::script::{self, UNROLLED, repeat};
use crate::harness::{Effort, Figure, Goal, Side};

pub const FUNCTIONS: &str = r#"
(module
    (memory (export "memory") 1)
    (func (export "unit"))
    (func (export "id") (param i32) (result i32) (local.get 0))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "eight") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
        (i64.add (local.get 0) (local.get 7)))
    (func (export "half") (param f64) (result f64) (f64.mul (local.get 0) (f64.const 0.5)))
    (func (export "swap") (param i32 i32) (result i32 i32) (local.get 1) (local.get 0)))
"#;

struct Call {
    signature: &'static str,
    name: &'static str,
    args: &'static str,
    values: fn() -> Vec<Val>,
    results: usize,
    /// Puts the results on a heap, where starlark must also keep them.
    keep: Option<Keep>,
}

type Keep = for<'v> fn(&[Val], Heap<'v>) -> Value<'v>;

const CALLS: [Call; 5] = [
    Call { signature: "()", name: "unit", args: "", values: Vec::new, results: 0, keep: None },
    Call {
        signature: "(i32,i32)->i32",
        name: "add",
        args: "40, 2",
        values: || vec![Val::I32(40), Val::I32(2)],
        results: 1,
        keep: None,
    },
    Call {
        signature: "(i64*8)->i64",
        name: "eight",
        args: "1, 2, 3, 4, 5, 6, 7, 8",
        values: || (1..9).map(Val::I64).collect(),
        results: 1,
        keep: None,
    },
    Call {
        signature: "(f64)->f64",
        name: "half",
        args: "1.5",
        values: || vec![Val::F64(wasmi::F64::from_float(1.5))],
        results: 1,
        keep: Some(|results, heap| heap.alloc(results[0].f64().unwrap().to_float())),
    },
    Call {
        signature: "(i32,i32)->(i32,i32)",
        name: "swap",
        args: "1, 2",
        values: || vec![Val::I32(1), Val::I32(2)],
        results: 2,
        keep: Some(|results, heap| heap.alloc((results[0].i32().unwrap(), results[1].i32().unwrap()))),
    },
];

pub fn figures() -> Vec<Figure> {
    let mut figures: Vec<Figure> = CALLS.iter().map(bound).collect();
    figures.push(typed());
    figures.extend(CALLS.iter().filter_map(|call| Some(kept(call, call.keep?))));
    figures.push(taken());
    figures.extend(CALLS.iter().map(through_exports));
    figures
}

fn bound(call: &'static Call) -> Figure {
    let name = format!("call bound {}", call.signature);
    bound_against(name, "wasmi, dynamic call", Goal::AtMost(1.25), call, |mut raw, measure| {
        let (args, mut results) = ((call.values)(), vec![Val::I32(0); call.results]);
        measure(&mut |n| raw.dynamic(call.name, &args, &mut results, n * UNROLLED));
    })
}

/// A bound call, compared with the call of a wasmi user who knows the signature at compile time.
fn typed() -> Figure {
    let name = "call bound (i32,i32)->i32, typed";
    bound_against(name, "wasmi, typed call", Goal::Stretch(1.25), &CALLS[1], |mut raw, measure| {
        let add = raw.func("add").typed::<(i32, i32), i32>(&raw.store).unwrap();
        measure(&mut |n| {
            let start = Instant::now();
            for _ in 0..n * UNROLLED {
                black_box(add.call(&mut raw.store, black_box((40, 2))).unwrap());
            }
            start.elapsed()
        });
    })
}

/// A bound call, compared with a wasmi call whose result is also put on a heap. This leaves out the price of fresh memory.
fn kept(call: &'static Call, keep: Keep) -> Figure {
    let name = format!("call bound {}, kept", call.signature);
    let against = "wasmi, dynamic call, and a value on a heap";
    bound_against(name, against, Goal::AtMost(1.25), call, move |mut raw, measure| {
        let (args, mut results) = ((call.values)(), vec![Val::I32(0); call.results]);
        let func = raw.func(call.name);
        Module::with_temp_heap(|module| {
            measure(&mut |n| {
                let start = Instant::now();
                for _ in 0..n * UNROLLED {
                    func.call(&mut raw.store, black_box(&args), &mut results).unwrap();
                    black_box(keep(black_box(&results), module.heap()));
                }
                start.elapsed()
            });
        });
    })
}

/// A call with eight arguments, compared with wasmi's plus a call of a Starlark function with eight arguments. This
/// leaves out what starlark takes to pass them.
fn taken() -> Figure {
    let call = &CALLS[2];
    let name = format!("call bound {}, taken", call.signature);
    let against = "wasmi, dynamic call, and a Starlark function of eight arguments";
    bound_against(name, against, Goal::AtMost(1.25), call, move |mut raw, measure| {
        let (args, mut results) = ((call.values)(), vec![Val::I32(0); call.results]);
        let takes = repeat("takes", "f = take_eight", &format!("f({})", call.args));
        script::with(&script::engine(), &[], &takes, |session| {
            measure(&mut |n| raw.dynamic(call.name, &args, &mut results, n * UNROLLED) + session.time("takes", n));
        });
    })
}

/// A script's loop over calls of a bound function, compared with the side that `theirs` passes to its second argument.
/// `theirs` gets the same guest in wasmi.
fn bound_against(
    name: impl Into<String>,
    against: &'static str,
    goal: Goal,
    call: &'static Call,
    theirs: impl Fn(Raw, &mut dyn FnMut(Side<'_>)) + 'static,
) -> Figure {
    Figure::ratio(name, against, goal, Effort::SHORT, UNROLLED, move |effort, samples| {
        let wasm = wat::parse_str(FUNCTIONS).unwrap();
        script::with(&script::engine(), &[("binary", &wasm)], &script(call), |session| {
            theirs(Raw::new(&wasm, true), &mut |side| {
                samples.alternate(effort, &mut |n| session.time("bound", n), side)
            });
        });
        Ok(())
    })
}

fn through_exports(call: &'static Call) -> Figure {
    Figure::ratio(
        format!("call exports {}", call.signature),
        "a bound call",
        Goal::AtMost(1.5),
        Effort::SHORT,
        UNROLLED,
        move |effort, samples| {
            let wasm = wat::parse_str(FUNCTIONS).unwrap();
            let source = script(call);
            script::with(&script::engine(), &[("binary", &wasm)], &source, |ours| {
                script::with(&script::engine(), &[("binary", &wasm)], &source, |theirs| {
                    samples.alternate(effort, &mut |n| ours.time("exports", n), &mut |n| theirs.time("bound", n));
                });
            });
            Ok(())
        },
    )
}

fn script(call: &Call) -> String {
    let Call { name, args, .. } = call;
    let bound = repeat("bound", &format!("f = instance.exports.{name}"), &format!("f({args})"));
    let exports = repeat("exports", "inst = instance", &format!("inst.exports.{name}({args})"));
    format!("instance = wasm.instantiate(binary)\n{bound}{exports}")
}
