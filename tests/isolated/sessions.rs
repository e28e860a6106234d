//! Calls into isolated sessions: limits of a call, interruption, programs.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use wasmlark::{CallLimits, ErrorKind, Limit, Limits, Sandbox, Value};

use super::sandbox;

const COUNTER: &str = r#"
counter = wasm.instantiate(wasm.wat('''(module (memory (export "memory") 1)
    (global $n (mut i32) (i32.const 0))
    (func (export "spin") (loop (br 0)))
    (func (export "add") (param i32) (result i32)
        (global.set $n (i32.add (global.get $n) (local.get 0)))
        (global.get $n)))'''))

def add(n, *, twice = False):
    'Adds.'
    return counter.exports.add(2 * n if twice else n)

def spin():
    counter.exports.spin()

def loop():
    for _ in range(1000000000):
        pass

seen = "a"
"#;

#[test]
fn what_a_session_offers() {
    let [here, isolated] = [false, true].map(|is_isolated| {
        let mut session = Sandbox::new().isolated(is_isolated).load("main.star", COUNTER).unwrap();
        let mut texts = Vec::new();
        texts.push(format!("{:?}", session.call_values("add", &[Value::from(3)])));
        texts.push(format!(
            "{:?}",
            session.call_values_with("add", &[Value::from(3)], &[("twice", true.into())], CallLimits::new())
        ));
        texts.push(format!("{:?}", session.call_values("ad", &[])));
        texts.push(format!("{:?}", session.call_values("add", &[Value::from("x")])));
        texts.push(format!("{:?}", session.get("seen")));
        texts.push(format!("{:?}", session.get("unseen")));
        texts.push(format!("{:?}", session.functions()));
        texts.push(format!("{:?}", session.memories()));
        texts.push(format!("{:?}", session.read_memory("counter.memory", 0, 4)));
        texts.push(format!("{:?}", session.read_memory("counter.memory", 65535, 4)));
        texts.push(format!("{:?}", session.eval("<console>", "x = add(0)\nx")));
        texts.push(format!("{:?}", session.eval("<console>", "x +")));
        texts.push(format!("{:?}", session.names(Some("counter"))));
        texts.push(format!("{:?}", session.complete("counter.mem", 11)));
        let stats = session.stats();
        texts.push(format!("{:?}", (stats.fuel, stats.ticks, stats.memory_peak)));
        texts
    });
    assert_eq!(here, isolated);
}

#[test]
fn limits_of_a_call() {
    let mut session = sandbox().load("main.star", COUNTER).unwrap();
    let error = session.call_values_with("loop", &[], &[], CallLimits::new().ticks(1000)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::Ticks));
    let error = session.call_values_with("spin", &[], &[], CallLimits::new().fuel(1000)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::Fuel));
    assert_eq!(session.call_values("add", &[Value::from(1)]).unwrap(), Value::from(1));
}

/// A script that is stopped ends by itself, with its place, and the session goes on.
#[test]
fn a_deadline_and_an_interrupt_leave_the_session() {
    for function in ["loop", "spin"] {
        let limits = Limits::new().ticks(u64::MAX).fuel(u64::MAX).cost(None);
        let mut session = sandbox().limits(limits).interruptible(true).load("main.star", COUNTER).unwrap();
        let limits = CallLimits::new().deadline(Duration::from_millis(50));
        let error = session.call_values_with(function, &[], &[], limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
        assert!(error.message().starts_with("the deadline of 50ms has passed"), "{error}");
        assert!(error.location().is_some() && error.to_string().contains("the deadline of 50ms"), "{error}");
        assert_eq!(session.call_values("add", &[Value::from(1)]).unwrap(), Value::from(1));

        let interrupt = session.interrupt();
        let (started, wait) = mpsc::channel();
        let stopper = thread::spawn(move || {
            wait.recv().unwrap();
            thread::sleep(Duration::from_millis(20));
            interrupt.now();
        });
        started.send(()).unwrap();
        let error = session.call_values(function, &[]).unwrap_err();
        stopper.join().unwrap();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
        assert_eq!(session.call_values("add", &[Value::from(1)]).unwrap(), Value::from(2));
    }
}

#[test]
fn refilling_renews_the_cost() {
    let script = "def work():\n    return [n * n for n in range(3000)][-1]";
    let one = {
        let mut session = sandbox().load("main.star", script).unwrap();
        let before = session.stats().cost.unwrap();
        session.call_values("work", &[]).unwrap();
        session.stats().cost.unwrap() - before
    };
    let mut session = sandbox().limits(Limits::new().cost(one * 5 / 2)).load("main.star", script).unwrap();
    for _ in 0..6 {
        session.refill().unwrap();
        session.call_values("work", &[]).unwrap();
    }
    assert!(session.stats().cost.unwrap() > one * 6);
}

#[test]
fn sessions_of_a_program_share_no_state() {
    let [here, isolated] = [false, true].map(|is_isolated| {
        let mut sandbox = Sandbox::new().isolated(is_isolated);
        sandbox.file("rates.star", "RATES = {'full': 19}\nprint('rates')");
        let script = "load('rates.star', 'RATES')\nseen = []\ndef tax(net):\n    seen.append(net)\n    return (net * RATES['full'] // 100, seen)";
        let program = sandbox.program("tax.star", script).unwrap();
        let mut sessions = [program.session().unwrap(), program.session().unwrap()];
        let results = sessions.each_mut().map(|session| session.call_values("tax", &[Value::from(200)]).unwrap().to_string());
        let output = sessions.each_mut().map(|session| session.take_output());
        let ticks = sessions.each_ref().map(|session| session.stats().ticks);
        (program.functions(), results, output, ticks)
    });
    assert_eq!(here, isolated);
    assert_eq!(isolated.1, ["(38, [200])", "(38, [200])"]);
    let error = sandbox().program("main.star", "x = (").unwrap_err();
    assert_eq!(error.location().map(|place| place.line), Some(1));
}

#[test]
fn sessions_in_many_threads() {
    let program = sandbox().program("main.star", COUNTER).unwrap();
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let program = program.clone();
            thread::spawn(move || {
                let mut session = program.session().unwrap();
                (0..5).map(|_| session.call_values("add", &[Value::from(n)]).unwrap()).last().unwrap()
            })
        })
        .collect();
    let results: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(results, [0, 5, 10, 15].map(Value::from));
}
