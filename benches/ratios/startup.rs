//! The command, as a process.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::figure::{Figure, Goal, Unit};
use crate::pair::Effort;

pub fn figures() -> Vec<Figure> {
    vec![
        Figure::amount(
            "startup of wasmlark run",
            "a process, its script prints",
            Goal::AtMost(10.0),
            Unit::Milliseconds,
            || {
                let mut times: Vec<Duration> = (0..30).map(|_| spawn(&["run", &trivial()])).collect();
                times.sort();
                times[times.len() / 10].as_secs_f64() * 1e3
            },
        ),
        relative("startup with a script that prints", trivial),
        relative("startup with a module", || format!("{}/fixtures/hello.star", env!("CARGO_MANIFEST_DIR"))),
    ]
}

/// Against a start of the same program that has nothing to do: that part is the system's.
fn relative(name: &str, script: fn() -> String) -> Figure {
    let effort = Effort::LONG.rounds(30).processes(1);
    Figure::ratio(name, "wasmlark --version", Goal::Stretch(2.0), effort, 1, move |effort, samples| {
        let script = script();
        samples.alternate(effort, &mut |_| spawn(&["run", &script]), &mut |_| spawn(&["--version"]));
        Ok(())
    })
}

/// The path of a script that prints and does nothing else.
fn trivial() -> String {
    let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/trivial.star");
    std::fs::write(path, "print('hello')\n").unwrap();
    path.to_owned()
}

fn spawn(args: &[&str]) -> Duration {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
    command.args(args).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap();
    let took = start.elapsed();
    assert!(status.success(), "wasmlark {args:?}: {status}");
    took
}
