//! Isolated scripts, compared with the same that are not. Needs the feature `isolated`, and the evaluator's module.

use std::time::{Duration, Instant};

use wasmlark::{Limits, Sandbox, Session, Value};

use crate::harness::{Effort, Figure, Goal, Unit};

const GUEST: &str = r#"
(module (memory (export "memory") 2)
    (func (export "nothing"))
    (func (export "sum") (param i32) (result i32) (local i32)
        (loop
            (local.set 1 (i32.xor (i32.add (local.get 1) (local.get 0)) (i32.const 5)))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 1)))
"#;

const SCRIPT: &str = r#"
guest = wasm.instantiate("guest.wasm")
nothing = guest.exports.nothing
sum = guest.exports.sum
memory = guest.memory

def one(x):
    return x + 1

def calls(n):
    for i in range(n):
        one(i)

def texts(n):
    for i in range(n):
        words = sorted([str(i * j % 17) for j in range(12)])
        len(" ".join(words).replace("1", "one").upper())

def crossings(n):
    for _ in range(n):
        nothing()

def loop(n):
    for _ in range(n):
        sum(10000)

def reads(n):
    for _ in range(n):
        memory.read(0, 65536)
"#;

pub fn figures() -> Vec<Figure> {
    vec![
        figure("isolated calls", "calls", Goal::Stretch(20.0)),
        figure("isolated sorting and strings", "texts", Goal::Stretch(20.0)),
        figure("isolated calls of a guest", "crossings", Goal::Stretch(20.0)),
        figure("isolated loop of a guest", "loop", Goal::Stretch(1.02)),
        figure("isolated read 64 KiB", "reads", Goal::Stretch(2.0)),
        run(),
        first(),
    ]
}

fn figure(name: &'static str, function: &'static str, goal: Goal) -> Figure {
    Figure::ratio(name, "not isolated", goal, Effort::SHORT, 1, move |effort, samples| {
        let [mut isolated, mut here] =
            [true, false].map(|is_isolated| sandbox(is_isolated).load("bench.star", SCRIPT).unwrap());
        samples.alternate(effort, &mut |n| time(&mut isolated, function, n), &mut |n| time(&mut here, function, n));
        Ok(())
    })
}

/// A run of `1 + 1` by a sandbox that has run before.
fn run() -> Figure {
    Figure::amount(
        "isolated run of 1 + 1",
        "a sandbox that has run before",
        Goal::Stretch(2.0),
        Unit::Milliseconds,
        || {
            let sandbox = sandbox(true);
            let mut times: Vec<Duration> = (0..50).map(|_| run_once(&sandbox)).collect();
            times.sort();
            times[times.len() / 10].as_secs_f64() * 1e3
        },
    )
}

/// The first run of a process: the evaluator's module is decompressed and compiled.
fn first() -> Figure {
    let what = "the first of a process";
    Figure::amount("isolated first run", what, Goal::Stretch(400.0), Unit::Milliseconds, || {
        run_once(&sandbox(true)).as_secs_f64() * 1e3
    })
}

fn run_once(sandbox: &Sandbox) -> Duration {
    let start = Instant::now();
    assert_eq!(sandbox.run("bench.star", "1 + 1").unwrap().value, Value::from(2));
    start.elapsed()
}

fn sandbox(is_isolated: bool) -> Sandbox {
    let limits = Limits::new().ticks(u64::MAX).fuel(u64::MAX).cost(None);
    let mut sandbox = Sandbox::new().limits(limits).isolated(is_isolated);
    sandbox.file("guest.wasm", wat::parse_str(GUEST).unwrap());
    sandbox
}

fn time(session: &mut Session, function: &str, n: u64) -> Duration {
    let n = Value::from(i64::try_from(n).unwrap());
    let start = Instant::now();
    session.call_values(function, &[n]).unwrap();
    start.elapsed()
}
