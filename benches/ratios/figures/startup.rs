//! The command, as a process.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::harness::{Effort, Figure, Goal, Unit};

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

/// Compared with a start of the same program with nothing to do, which is the system's part.
fn relative(name: &str, script: fn() -> String) -> Figure {
    let effort = Effort::LONG.rounds(30).processes(1);
    Figure::ratio(name, "wasmlark --version", Goal::Stretch(2.0), effort, 1, move |effort, samples| {
        let script = script();
        samples.alternate(effort, &mut |_| spawn(&["run", &script]), &mut |_| spawn(&["--version"]));
        Ok(())
    })
}

/// The path of a script that only prints.
fn trivial() -> String {
    let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/trivial.star");
    std::fs::write(path, "print('hello')\n").unwrap();
    path.to_owned()
}

/// The path of the command, which belongs to another package and is built on first use.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // This program is in `release/deps`, in the target folder.
        let this = std::env::current_exe().unwrap();
        let release = this.parent().and_then(Path::parent).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args([
            "build",
            "--quiet",
            "--release",
            "--package",
            "wasmlark-cli",
        ]);
        let status = cargo.arg("--target-dir").arg(release.parent().unwrap()).status().unwrap();
        assert!(status.success(), "cannot build the command: {status}");
        release.join("wasmlark").with_extension(std::env::consts::EXE_EXTENSION)
    })
}

fn spawn(args: &[&str]) -> Duration {
    let mut command = Command::new(program());
    command.args(args).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap();
    let took = start.elapsed();
    assert!(status.success(), "wasmlark {args:?}: {status}");
    took
}
