//! One budget: nothing is free, and the figure is the same each time.

use wasmlark::{ErrorKind, Limit, Limits, Sandbox};

use super::sandbox;

fn cost(script: &str) -> u64 {
    let report = sandbox().report("main.star", script);
    report.result.unwrap();
    report.stats.cost.unwrap()
}

#[test]
fn a_run_costs_the_same_each_time() {
    let script = "x = {str(n): [n, n * 1.5] for n in range(1000)}\nsorted(x)[3] + json.encode(x)[:10]";
    let first = cost(script);
    assert_eq!(cost(script), first);
    // In the same sandbox, and in another thread.
    let sandbox = sandbox();
    for _ in 0..2 {
        assert_eq!(sandbox.run("main.star", script).unwrap().stats.cost, Some(first));
    }
    let there = std::thread::spawn(move || sandbox.run("main.star", script).unwrap().stats.cost);
    assert_eq!(there.join().unwrap(), Some(first));
}

/// What costs few ticks or none costs as much as it works.
#[test]
fn nothing_is_free() {
    for (small, large) in [
        ("len(str(3 << 10))", "len(str(3 << 2000)) + len(str((3 << 2000) * (3 << 2000)))"),
        ("len('aXb' * 10)", "len(('aXb' * 10000).replace('X', 'yz'))"),
        ("sorted(range(10))[0]", "sorted(range(10000))[0]"),
        ("1", "1 # and a long comment: ".to_owned().leak()),
        ("len([1])", "len(json.encode([1] * 10000))"),
    ] {
        let large = match large.starts_with("1 #") {
            true => format!("{large}{}\n{}", "x".repeat(10_000), "pass\n".repeat(1000)),
            false => large.to_owned(),
        };
        let (cheap, dear) = (cost(small), cost(&large));
        assert!(dear > cheap + 100_000, "{small}: {cheap}, {large:.40}: {dear}");
    }
}

/// What every order needs is made once: with the constructors of the core run at each call of it, this costs twice as much.
#[test]
fn a_call_costs_little() {
    let mut session = sandbox().load("main.star", "def nothing():\n    pass").unwrap();
    let before = session.stats().cost.unwrap();
    session.call_values("nothing", &[]).unwrap();
    let cost = session.stats().cost.unwrap() - before;
    assert!((1_000..30_000).contains(&cost), "{cost}");
}

#[test]
fn the_limit_is_exact() {
    let script = "[n * n for n in range(1000)][-1]";
    let enough = cost(script);
    let with = |cost: u64| sandbox().limits(Limits::new().cost(cost)).report("main.star", script);
    let all = with(enough);
    assert_eq!((all.result.unwrap().as_i64(), all.stats.cost), (Some(998_001), Some(enough)));
    let error = with(enough - 1).result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::Cost));
    assert_eq!(error.message(), format!("the sandbox's limit `cost` is reached: {}", enough - 1));
    assert_eq!(error.text(), format!("error: {}\n", error.message()));
}

#[test]
fn what_is_not_isolated_has_no_cost() {
    assert_eq!(Sandbox::new().run("main.star", "1").unwrap().stats.cost, None);
}

#[test]
fn fuel_and_ticks_are_those_of_a_sandbox_that_is_not_isolated() {
    let script = r#"
guest = wasm.instantiate(wasm.wat('''(module (func (export "sum") (param i32) (result i32) (local i32)
    (loop (local.set 1 (i32.add (local.get 1) (local.get 0)))
        (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1)))''')).exports
[guest.sum(n) for n in range(1, 50)][-1]
"#;
    let (inside, outside) =
        (sandbox().run("main.star", script).unwrap(), Sandbox::new().run("main.star", script).unwrap());
    assert_eq!(inside.value, outside.value);
    assert_eq!(
        (inside.stats.fuel, inside.stats.ticks, inside.stats.memory_peak),
        (outside.stats.fuel, outside.stats.ticks, outside.stats.memory_peak)
    );
}
