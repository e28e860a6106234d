//! Profiles: what they say, and that they change nothing.

use wasmlark::{Limits, Report, Sandbox};

/// Calls in both directions, of two stores, a start function, tail calls, traps, a guest's and the host's own work.
const SCRIPT: &str = r#"
module = wasm.Module(wasm.wat("""(module $guest
    (import "env" "ask" (func $ask (param i32) (result i32)))
    (memory (export "memory") 1)
    (table 1 funcref) (elem (i32.const 0) func $leaf)
    (type $unary (func (param i32) (result i32)))
    (func $leaf (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
    (func $loop (param i32) (result i32) (local $sum i32)
        (loop $l
            (local.set $sum (i32.add (local.get $sum) (call $leaf (local.get 0))))
            (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get $sum))
    (func $many (param i64 f32 i32) (result i32 i64) (local.get 2) (local.get 0))
    (func $down (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 7))))
        (return_call $down (i32.sub (local.get 0) (i32.const 1))))
    (func $start (drop (call $loop (i32.const 7))))
    (start $start)
    (func (export "run") (param i32) (result i32)
        (memory.fill (i32.const 0) (i32.const 1) (i32.const 6400))
        (drop (call_indirect (type $unary) (local.get 0) (i32.const 0)))
        (drop (drop (call $many (i64.const 1) (f32.const 2) (i32.const 3))))
        (drop (call $down (local.get 0)))
        (i32.add (call $loop (local.get 0)) (call $ask (local.get 0))))
    (func (export "inner") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then unreachable))
        (call $loop (local.get 0))))"""))

def ask(caller, n):
    caller.memory.fill(0, 1, 640)
    return help(caller, n)

def help(caller, n):
    outcome = wasm.attempt(caller.exports.inner, n % 3)
    return (outcome.value or 1) + (other.run(n) if n == 10 else 0)

exports = wasm.instantiate(module, imports = {"env": {"ask": ask}}).exports
other = wasm.instantiate(module, imports = {"env": {"ask": lambda caller, n: 5}}, store = wasm.Store()).exports

def work():
    return [exports.run(n) for n in range(8, 20)]

work()
"#;

fn report(sandbox: Sandbox) -> Report {
    let report = sandbox.report("main.star", SCRIPT);
    assert!(report.result.is_ok(), "{:?}", report.result);
    report
}

#[test]
fn a_profile_is_all_the_fuel_that_is_spent_without_one() {
    let plain = report(Sandbox::new());
    assert!(plain.profile.is_none());
    for sandbox in [Sandbox::new(), Sandbox::new().interruptible(true)] {
        let profiled = report(sandbox.profile(true));
        assert_eq!(profiled.stats, plain.stats);
        assert_eq!(profiled.result.unwrap(), *plain.result.as_ref().unwrap());
        assert_eq!(Some(profiled.profile.unwrap().fuel()), plain.stats.fuel);
    }
}

#[test]
fn a_profile_has_the_functions_of_both_languages() {
    let folded = report(Sandbox::new().profile(true)).profile.unwrap().folded();
    for stack in [
        "main.star:<module>;instantiate;start;loop;leaf ",
        "main.star:<module>;main.star:work;run ",
        "main.star:<module>;main.star:work;run;leaf ",
        "main.star:<module>;main.star:work;run;main.star:ask;main.star:help;attempt;inner;loop;leaf ",
        "main.star:<module>;main.star:work;run;main.star:ask;main.star:help;run;loop ",
    ] {
        assert!(folded.lines().any(|line| line.starts_with(stack)), "{stack}: {folded}");
    }
    let sorted = {
        let mut lines: Vec<&str> = folded.lines().collect();
        lines.sort_unstable();
        lines.join("\n") + "\n"
    };
    assert_eq!(folded, sorted);
}

#[test]
fn fuel_without_a_limit_is_reported_too() {
    let folded = report(Sandbox::new().limits(Limits::new().fuel(None)).profile(true)).profile.unwrap().folded();
    assert!(folded.contains("main.star:work;run;loop;leaf "), "{folded}");
}

#[test]
fn a_limit_ends_a_profiled_guest_where_it_ends_another() {
    for stack_depth in [64, 100] {
        let script = "e = wasm.instantiate(wasm.wat('(module (global $g (mut i32) (i32.const 0)) (func $f (export \"f\")\
                      (global.set $g (i32.add (global.get $g) (i32.const 1))) (call $f))\
                      (func (export \"g\") (result i32) (global.get $g)))')).exports\n\
                      outcome = wasm.attempt(e.f)\n(outcome.trap.code, e.g())";
        let run = |sandbox: Sandbox| sandbox.limits(Limits::new().stack_depth(stack_depth)).run("main.star", script);
        assert_eq!(run(Sandbox::new().profile(true)).unwrap().value, run(Sandbox::new()).unwrap().value);
    }
    let limits = Limits::new().fuel(1500);
    let error = |sandbox: Sandbox| sandbox.limits(limits.clone()).run("main.star", SCRIPT).unwrap_err();
    assert_eq!(error(Sandbox::new().profile(true)).kind(), error(Sandbox::new()).kind());
}

#[test]
fn deep_stacks_are_cut_off() {
    let script = "e = wasm.instantiate(wasm.wat('(module (func $f (export \"f\") (param i32) (if (local.get 0)\
                  (then (call $f (i32.sub (local.get 0) (i32.const 1)))))))')).exports\ne.f(5000)";
    let report = Sandbox::new().profile(true).report("main.star", script);
    let profile = report.profile.unwrap();
    assert_eq!(Some(profile.fuel()), report.stats.fuel);
    let longest = profile.folded().lines().map(|line| line.split(';').count()).max();
    assert_eq!(longest, Some(250));
}
