//! What is measured. Each file has the figures whose names begin with its own name.
//!
//! `raw` is wasmi driven from Rust, `script` a script in an evaluator, and `machine` a host for real modules on wasmi's
//! side.

mod call;
mod compute;
mod growth;
mod host;
mod isolated;
mod machine;
mod memory;
mod module;
mod raw;
mod real;
// starlark's derives expand to `unsafe`.
#[allow(unsafe_code)]
mod script;
#[allow(unsafe_code)]
mod session;
mod startup;

use crate::harness::Figure;
use crate::harness::table::{Cell, Row};

pub fn all() -> Vec<Figure> {
    [
        call::figures(),
        host::figures(),
        memory::figures(),
        compute::figures(),
        growth::figures(),
        module::figures(),
        session::figures(),
        startup::figures(),
        real::figures(),
        isolated::figures(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// README's table.
pub const TABLE: &[Row] = &[
    each("a bound call `f()` / wasmi's dynamic call, `()→()`", &["call bound ()"]),
    each("… `(i32,i32)→i32`", &["call bound (i32,i32)->i32"]),
    each(
        "… `(i64×8)→i64`, `f64→f64`, two results",
        &["call bound (i64*8)->i64", "call bound (f64)->f64", "call bound (i32,i32)->(i32,i32)"],
    ),
    each(
        "… `f64→f64`, two results / the same, and the result put on a Starlark heap",
        &["call bound (f64)->f64, kept", "call bound (i32,i32)->(i32,i32), kept"],
    ),
    each("… `(i64×8)→i64` / the same, and a Starlark function of eight arguments", &["call bound (i64*8)->i64, taken"]),
    each("… `(i32,i32)→i32` / wasmi's typed call", &["call bound (i32,i32)->i32, typed"]),
    range(
        "`inst.exports.f()` / a bound call",
        &[
            "call exports ()",
            "call exports (i32,i32)->i32",
            "call exports (i64*8)->i64",
            "call exports (f64)->f64",
            "call exports (i32,i32)->(i32,i32)",
        ],
    ),
    each("a call from wasm into `lambda`, `def`, builtin / a bound call", &["host lambda", "host def", "host builtin"]),
    each("`read` of 4 KiB, 1 MiB / allocate and copy in Rust", &["memory read 4 KiB", "memory read 1 MiB"]),
    each("`write` of 4 KiB / memcpy", &["memory write 4 KiB"]),
    each("`write` of 64 KiB, 1 MiB / memcpy", &["memory write 64 KiB", "memory write 1 MiB"]),
    each(
        "`read_u8`, `read_i32`, `read_f64` / a Starlark method that does the same",
        &["memory read_u8", "memory read_i32", "memory read_f64"],
    ),
    each("`session.call` of a function that returns its argument / starlark's `eval_function`", &["session echo"]),
    each("a policy decision, structs in and out / by hand on starlark and wasmi", &["session decision"]),
    each("a Rust import, called from a guest / `Func::wrap` of wasmi", &["host rust"]),
    range(
        "a loop in a guest / the same in wasmi",
        &[
            "compute fib, fuel off",
            "compute fib, fuel on",
            "compute sum, fuel off",
            "compute sum, fuel on",
            "compute newton, fuel off",
            "compute newton, fuel on",
        ],
    ),
    range(
        "fuel on / fuel off",
        &["compute fib, fuel on or off", "compute sum, fuel on or off", "compute newton, fuel on or off"],
    ),
    each(
        "compile and instantiate 1 KB, 1 MB / the same in wasmi",
        &["module compile and instantiate 1 KB", "module compile and instantiate 1 MB"],
    ),
    each("a script with a module of 1 MB, run again by its `Sandbox` / its first run", &["module sandbox again 1 MB"]),
    each("an instance beside its linear memory", &["module bytes of an instance"]),
    each(
        "an isolated script / the same, not isolated: calls, sorting and strings",
        &["isolated calls", "isolated sorting and strings"],
    ),
    each("… calls of a guest, calls from a guest", &["isolated calls of a guest", "isolated calls from a guest"]),
    each("… `read`, `write` of 64 KiB", &["isolated read 64 KiB", "isolated write 64 KiB"]),
    each("… a loop in a guest", &["isolated loop of a guest"]),
    each("… a run of `1 + 1`", &["isolated run of 1 + 1"]),
    each("the first isolated run of a process / a run after it", &["isolated first run"]),
];

const fn each(title: &'static str, figures: &'static [&'static str]) -> Row {
    Row { title, figures, cell: Cell::Each }
}

const fn range(title: &'static str, figures: &'static [&'static str]) -> Row {
    Row { title, figures, cell: Cell::Range }
}
