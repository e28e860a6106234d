//! Isolated scripts, compared with the same that are not. Skipped without the feature `isolated` or the evaluator's module.

use std::time::{Duration, Instant};

use wasmlark::{Limits, Sandbox, Session, Value};

use crate::harness::{Effort, Figure, Goal};

const GUEST: &str = r#"
(module (import "env" "one" (func $one (param i32) (result i32))) (memory (export "memory") 2)
    (func (export "nothing"))
    (func (export "call_back") (param i32)
        (loop
            (drop (call $one (i32.const 1)))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "sum") (param i32) (result i32) (local i32)
        (loop
            (local.set 1 (i32.xor (i32.add (local.get 1) (local.get 0)) (i32.const 5)))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 1)))
"#;

const SCRIPT: &str = r#"
def one(x):
    return x + 1

guest = wasm.instantiate("guest.wasm", imports = {"env": {"one": lambda _, x: one(x)}})
nothing = guest.exports.nothing
call_back = guest.exports.call_back
sum = guest.exports.sum
memory = guest.memory
data = memory.read(0, 65536)

def empty(n):
    pass

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

def callbacks(n):
    call_back(n)

def loop(n):
    for _ in range(n):
        sum(10000)

def reads(n):
    for _ in range(n):
        memory.read(0, 65536)

def writes(n):
    for _ in range(n):
        memory.write(0, data)
"#;

pub fn figures() -> Vec<Figure> {
    vec![
        work("isolated calls", "calls", 20.0),
        work("isolated sorting and strings", "texts", 20.0),
        session_call(),
        work("isolated calls of a guest", "crossings", 20.0),
        work("isolated calls from a guest", "callbacks", 20.0),
        work("isolated loop of a guest", "loop", 1.02),
        copy("isolated read 64 KiB", "reads"),
        copy("isolated write 64 KiB", "writes"),
        run(),
        first(),
    ]
}

/// What a script does by itself. A slice is long enough that the call by which it begins does not count.
fn work(name: &'static str, function: &'static str, goal: f64) -> Figure {
    let effort = Effort { slice: Duration::from_millis(3), rounds: 20, processes: 8 };
    figure_with(effort, name, function, Goal::Stretch(goal))
}

/// What copies so much that the limit `heap` leaves no room for a long slice.
fn copy(name: &'static str, function: &'static str) -> Figure {
    figure_with(Effort::SHORT, name, function, Goal::Stretch(2.0))
}

/// The call by which the application reaches a function of the script.
fn session_call() -> Figure {
    let name = "isolated call of a session";
    Figure::ratio(name, "not isolated", Goal::Stretch(20.0), Effort::SHORT, 1, |effort, samples| {
        let load = |sandbox: Sandbox| sandbox.load("bench.star", SCRIPT).unwrap();
        let (mut isolated, mut here) = (load(isolated()?), load(sandbox()));
        let times = |session: &mut Session, n: u64| (0..n).map(|_| time(session, "empty", 0)).sum();
        samples.alternate(effort, &mut |n| times(&mut isolated, n), &mut |n| times(&mut here, n));
        Ok(())
    })
}

fn figure_with(effort: Effort, name: &'static str, function: &'static str, goal: Goal) -> Figure {
    Figure::ratio(name, "not isolated", goal, effort, 1, move |effort, samples| {
        let load = |sandbox: Sandbox| sandbox.load("bench.star", SCRIPT).unwrap();
        let (mut isolated, mut here) = (load(isolated()?), load(sandbox()));
        samples.alternate(effort, &mut |n| time(&mut isolated, function, n), &mut |n| time(&mut here, function, n));
        Ok(())
    })
}

/// Runs of `1 + 1` by a sandbox that has run before.
fn run() -> Figure {
    let goal = Goal::Stretch(300.0);
    Figure::ratio("isolated run of 1 + 1", "not isolated", goal, Effort::SHORT, 1, |effort, samples| {
        let (isolated, here) = (isolated()?, sandbox());
        let times = |sandbox: &Sandbox, n: u64| (0..n).map(|_| run_once(sandbox)).sum();
        samples.alternate(effort, &mut |n| times(&isolated, n), &mut |n| times(&here, n));
        Ok(())
    })
}

/// The first run of a process, in which the evaluator's module is decompressed and compiled.
fn first() -> Figure {
    let goal = Goal::Stretch(350.0);
    Figure::once("isolated first run", "a run after it", goal, || {
        let sandbox = isolated()?;
        let first = run_once(&sandbox);
        let mut later: Vec<Duration> = (0..50).map(|_| run_once(&sandbox)).collect();
        later.sort();
        Ok((first, later[later.len() / 10]))
    })
}

fn run_once(sandbox: &Sandbox) -> Duration {
    let start = Instant::now();
    assert_eq!(sandbox.run("bench.star", "1 + 1").unwrap().value, Value::from(2));
    start.elapsed()
}

fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new().limits(Limits::new().ticks(u64::MAX).fuel(u64::MAX));
    sandbox.file("guest.wasm", wat::parse_str(GUEST).unwrap());
    sandbox
}

#[cfg(feature = "isolated")]
fn isolated() -> Result<Sandbox, String> {
    if !wasmlark::has_core() {
        return Err("there is no module of the evaluator: cargo run -p wasmlark-make-core".to_owned());
    }
    let mut sandbox = sandbox();
    *sandbox.limits_mut() = sandbox.limits_ref().clone().cost(None);
    Ok(sandbox.isolated(true))
}

#[cfg(not(feature = "isolated"))]
fn isolated() -> Result<Sandbox, String> {
    Err("needs the feature `isolated`".to_owned())
}

fn time(session: &mut Session, function: &str, n: u64) -> Duration {
    let n = Value::from(i64::try_from(n).unwrap());
    let start = Instant::now();
    session.call_values(function, &[n]).unwrap();
    start.elapsed()
}
