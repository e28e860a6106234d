//! Many threads with many sessions, interrupted at any time.
//!
//! `STRESS=1000 cargo test --test suite stress` starts that many sessions on each thread. With a sanitizer: `.ci/sanitize`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use wasmlark::{CallLimits, ErrorKind, Limits, Sandbox};

const SCRIPT: &str = r#"
guest = wasm.instantiate("guest.wat", imports = {"env": {"call": lambda caller, n: n + 1}}).exports
done = []
def work(n):
    total = 0
    for i in range(n):
        total += guest.sum(50) + guest.calls(5)
    done.append(total)
    return total
def endless(kind):
    if kind == 0: guest.spin()
    if kind == 1: guest.spin_calls()
    for _ in range(1000000000): pass
def count(): return len(done)
"#;

const GUEST: &str = r#"(module
    (import "env" "call" (func $call (param i32) (result i32)))
    (memory 1)
    (func (export "sum") (param $n i32) (result i32)
        (local $sum i32)
        (loop $l
            (i32.store (local.get $n) (local.get $sum))
            (local.set $sum (i32.add (local.get $sum) (local.get $n)))
            (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum))
    (func (export "calls") (param $n i32) (result i32)
        (local $sum i32)
        (loop $l
            (local.set $sum (call $call (local.get $sum)))
            (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum))
    (func (export "spin") (loop $l (br $l)))
    (func (export "spin_calls") (loop $l (drop (call $call (i32.const 1))) (br $l))))"#;

const THREADS: u64 = 8;
const ROUND: i64 = 50 * 51 / 2 + 5;

#[test]
fn sessions_are_interrupted_at_any_time() {
    let sessions: u64 = std::env::var("STRESS").ok().and_then(|n| n.parse().ok()).unwrap_or(4);
    let limits = Limits::new().ticks(u64::MAX).fuel(u64::MAX);
    let mut sandbox = Sandbox::new().limits(limits).interruptible(true);
    sandbox.file("guest.wat", GUEST);
    let program = sandbox.program("main.star", SCRIPT).unwrap();
    let interrupted = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (program, interrupted) = (&program, &interrupted);
            scope.spawn(move || {
                // A generator of our own, so that each run does the same, as far as timing allows.
                let mut state = thread.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
                let mut random = move |below: u64| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    state % below
                };
                for _ in 0..sessions {
                    let mut session = program.session().unwrap();
                    let mut done = 0;
                    for _ in 0..4 {
                        let stop = session.interrupt();
                        let delay = Duration::from_micros(random(3000));
                        let stopper = std::thread::spawn(move || {
                            std::thread::sleep(delay);
                            stop.now();
                        });
                        let kind = i64::try_from(random(4)).unwrap();
                        // The session moves to another thread for the call, as it may.
                        let (mut moved, result) = std::thread::spawn(move || {
                            let result = match kind {
                                3 => session.call_values("work", &[200.into()]),
                                kind => session.call_values("endless", &[kind.into()]),
                            };
                            (session, result)
                        })
                        .join()
                        .unwrap();
                        stopper.join().unwrap();
                        match result {
                            Ok(total) => {
                                assert_eq!((kind, total), (3, (200 * ROUND).into()));
                                done += 1;
                            }
                            Err(error) => {
                                assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
                                interrupted.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                        // A request that came too late must not affect a later call.
                        moved.interrupt().reset();
                        let counted = moved.call_values("count", &[]).unwrap();
                        // `work` may be ended after its last statement.
                        done += i64::from(kind == 3 && counted == (done + 1).into());
                        assert_eq!(counted, done.into());
                        let limits = CallLimits::new().fuel(100_000_000).ticks(1_000_000);
                        assert_eq!(
                            moved.call_values_with("work", &[3.into()], &[], limits).unwrap(),
                            (3 * ROUND).into()
                        );
                        done += 1;
                        session = moved;
                    }
                }
            });
        }
    });
    assert!(interrupted.into_inner() > 0, "nothing was interrupted");
}
