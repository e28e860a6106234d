//! Runs ended from outside: by `--timeout` and by Ctrl-C.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const GUEST: &str = r#"(module
    (import "env" "call" (func $call (param i32) (result i32)))
    (func (export "spin") (loop $l (br $l)))
    (func (export "calls") (loop $l (drop (call $call (i32.const 1))) (br $l))))"#;

/// Each prints a line when it begins, and then runs until it is ended.
const SCRIPTS: &[(&str, &str, &str)] = &[
    ("script", "def f():\n    for _ in range(1000000000): pass\nprint('begun')\nf()\n", "script.star:2:5"),
    ("guest", "load('lib.star', 'guest')\nprint('begun')\nguest().spin()\n", "guest.star:3:1"),
    ("calls", "load('lib.star', 'guest')\nprint('begun')\nguest().calls()\n", "calls.star:3:1"),
];

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("guest.wat"), GUEST).unwrap();
    let lib =
        "def guest(): return wasm.instantiate('guest.wat', imports = {'env': {'call': lambda caller, x: x}}).exports\n";
    fs::write(folder.join("lib.star"), lib).unwrap();
    for (name, script, _) in SCRIPTS {
        fs::write(folder.join(format!("{name}.star")), script).unwrap();
    }
    let spin = r#"(module (func (export "_start") (loop $l (br $l))) (func (export "spin") (loop $l (br $l))))"#;
    fs::write(folder.join("spin.wat"), spin).unwrap();
    let start = "(module (func $spin (loop $l (br $l))) (start $spin))";
    fs::write(folder.join("start.wat"), start).unwrap();
    folder
}

fn wasmlark(folder: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
    command.args(args).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits for the end. Returns the exit status and stderr.
fn end(mut child: Child) -> (Option<i32>, String) {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("still runs after a minute");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (child.wait().unwrap().code(), stderr)
}

/// Does what a terminal does when a person presses Ctrl-C.
fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

const ENDLESS: &[&str] = &["--max-ticks", "1000000000000", "--fuel", "1000000000000000"];

#[test]
fn a_timeout_ends_every_loop() {
    let folder = folder("timeout");
    let error = "error: the deadline of 300ms has passed; how far a script gets until then depends on the clock, so this is not \
                 repeatable\n";
    for (name, _, place) in SCRIPTS {
        let script = format!("{name}.star");
        let (status, stderr) =
            end(wasmlark(&folder, &[&["run", "--timeout", "300ms"], ENDLESS, &[script.as_str()]].concat()));
        assert_eq!(status, Some(3), "{name}: {stderr}");
        assert!(stderr.contains(error), "{name}: {stderr}");
        assert!(stderr.contains(&format!(" --> {place}\n")), "{name}: {stderr}");
        // A guest pauses even if its fuel is not limited.
        let unmetered = ["run", "--timeout", "0.3s", "--max-ticks", "1000000000000", "--fuel", "none", &script];
        assert_eq!(end(wasmlark(&folder, &unmetered)).0, Some(3), "{name}");
    }
    for args in
        [["wasi", "--timeout", "300ms", "spin.wat"].as_slice(), &["call", "--timeout", "300ms", "spin.wat", "spin"]]
    {
        let (status, stderr) = end(wasmlark(&folder, args));
        assert_eq!(status, Some(3), "{args:?}: {stderr}");
        assert_eq!(stderr, error.replace("error: ", "error: spin.wat: "), "{args:?}");
    }
    // wasmi cannot pause a start function: the process ends.
    let args = [&["run", "--timeout", "300ms"], ENDLESS, &["-e", "wasm.instantiate('start.wat')"]].concat();
    let error = "error: the timeout of 300ms has passed; that depends on the clock, so it is not repeatable\n";
    assert_eq!(end(wasmlark(&folder, &args)), (Some(3), error.to_owned()));
    // A run that finishes in time is not ended.
    assert_eq!(end(wasmlark(&folder, &["run", "--timeout", "1h", "-e", "1"])), (Some(0), String::new()));
}

#[test]
fn ctrl_c_ends_every_loop() {
    let folder = folder("ctrl_c");
    for (name, _, place) in SCRIPTS {
        let script = format!("{name}.star");
        let mut child = wasmlark(&folder, &[&["run"], ENDLESS, &[script.as_str()]].concat());
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "begun\n");
        interrupt(&child);
        let (status, stderr) = end(child);
        assert_eq!(status, Some(130), "{name}: {stderr}");
        assert!(stderr.contains("error: interrupted\n"), "{name}: {stderr}");
        assert!(stderr.contains(&format!(" --> {place}\n")), "{name}: {stderr}");
    }
    // A guest does not pause if its fuel is not counted.
    let mut child = wasmlark(&folder, &["run", "--fuel", "none", "guest.star"]);
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
    interrupt(&child);
    assert_eq!(end(child), (Some(130), "error: interrupted\n".to_owned()));
}

#[test]
fn a_duration_has_a_unit() {
    let folder = folder("duration");
    for (text, why) in [
        ("5", "expected a number with one of the units ms, s, m and h, such as 1.5s, got `5`"),
        ("5d", "expected a number with one of the units ms, s, m and h, such as 1.5s, got `5d`"),
        ("-1s", "`-1s` is not a duration, such as 500ms, 1.5s or 2m"),
        ("1e300h", "expected a number with one of the units ms, s, m and h, such as 1.5s, got `1e300h`"),
        ("s", "`s` is not a duration, such as 500ms, 1.5s or 2m"),
    ] {
        let (status, stderr) = end(wasmlark(&folder, &["run", &format!("--timeout={text}"), "-e", "1"]));
        assert_eq!(status, Some(2), "{text}: {stderr}");
        assert!(stderr.contains(why), "{text}: {stderr}");
    }
}
