//! `--trace`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const GUEST: &str = r#"(module $calc
    (import "env" "log" (func $log (param i64)))
    (func (export "div") (param i32 i32) (result i32 f64)
        (call $log (i64.extend_i32_s (local.get 1)))
        (i32.div_s (local.get 0) (local.get 1)) (f64.const nan)))"#;

const SCRIPT: &str = r#"
def log(caller, n):
    if n > 5:
        fail("too much")
div = wasm.instantiate("calc.wat", imports = {"env": {"log": log}}).exports.div
div(7, 2)
wasm.attempt(div, 7, 0)
div(7, 6)
"#;

fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trace").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
    folder
}

/// Runs the command in a folder. Returns the exit status and stderr.
fn wasmlark(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wasmlark")).args(args).current_dir(folder).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn each_call_is_a_line_as_it_begins_and_ends() {
    let folder = folder("run", &[("main.star", SCRIPT), ("calc.wat", GUEST)]);
    assert_eq!(wasmlark(&folder, &["run", "--trace", "t.jsonl", "main.star"]).0, Some(1));
    let lines = r#"{"event":"call","depth":0,"caller":"script","callee":"guest","module":"calc","instance":1,"function":"(instantiate)","args":[],"fuel":0}
{"event":"return","depth":0,"caller":"script","callee":"guest","module":"calc","instance":1,"function":"(instantiate)","results":[],"fuel":0,"used":0}
{"event":"call","depth":0,"caller":"script","callee":"guest","module":"calc","instance":1,"function":"div","args":[7,2],"fuel":0}
{"event":"call","depth":1,"caller":"guest","callee":"script","module":"calc","instance":1,"function":"env.log","args":[2],"fuel":8}
{"event":"return","depth":1,"caller":"guest","callee":"script","module":"calc","instance":1,"function":"env.log","results":[],"fuel":8,"used":0}
{"event":"return","depth":0,"caller":"script","callee":"guest","module":"calc","instance":1,"function":"div","results":[3,"nan"],"fuel":8,"used":8}
{"event":"call","depth":0,"caller":"script","callee":"guest","module":"calc","instance":1,"function":"div","args":[7,0],"fuel":8}
{"event":"call","depth":1,"caller":"guest","callee":"script","module":"calc","instance":1,"function":"env.log","args":[0],"fuel":16}
{"event":"return","depth":1,"caller":"guest","callee":"script","module":"calc","instance":1,"function":"env.log","results":[],"fuel":16,"used":0}
{"event":"failure","depth":0,"caller":"script","callee":"guest","module":"calc","instance":1,"function":"div","error":{"code":"integer-division-by-zero","kind":"trap","message":"wasm trap: integer divide by zero, in wasm function `div(i32, i32) -> (i32, f64)`"},"fuel":16,"used":8}
{"event":"call","depth":0,"caller":"script","callee":"guest","module":"calc","instance":1,"function":"div","args":[7,6],"fuel":16}
{"event":"call","depth":1,"caller":"guest","callee":"script","module":"calc","instance":1,"function":"env.log","args":[6],"fuel":24}
{"event":"failure","depth":1,"caller":"guest","callee":"script","module":"calc","instance":1,"function":"env.log","error":{"code":null,"kind":"script","message":"fail: too much"},"fuel":24,"used":0}
{"event":"failure","depth":0,"caller":"script","callee":"guest","module":"calc","instance":1,"function":"div","error":{"code":null,"kind":"script","message":"fail: too much"},"fuel":24,"used":8}
"#;
    assert_eq!(fs::read_to_string(folder.join("t.jsonl")).unwrap(), lines);
}

#[test]
fn calls_and_commands_are_traced_too() {
    let module = r#"(module
        (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (func (export "yield") (result i32) (call $yield))
        (func (export "_start") (drop (call $yield))))"#;
    let folder = folder("other", &[("m.wat", module)]);
    let functions = |args: &[&str]| {
        assert_eq!(wasmlark(&folder, args), (Some(0), String::new()));
        let text = fs::read_to_string(folder.join("t.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let shown = lines.map(|line| format!("{} {} {}", line["event"], line["callee"], line["function"]));
        shown.collect::<Vec<_>>().join("; ").replace('"', "")
    };
    let yielded = "call host wasi_snapshot_preview1.sched_yield; return host wasi_snapshot_preview1.sched_yield";
    let expected = |name: &str| {
        format!(
            "call guest (instantiate); return guest (instantiate); call guest {name}; {yielded}; return guest {name}"
        )
    };
    assert_eq!(functions(&["call", "--trace", "t.jsonl", "m.wat", "yield"]), expected("yield"));
    assert_eq!(functions(&["wasi", "--trace", "t.jsonl", "m.wat"]), expected("_start"));
}

#[test]
fn a_trace_that_cannot_be_written_is_an_error() {
    let folder = folder("error", &[("main.star", "wasm.instantiate(wasm.wat('(module)'))")]);
    let (status, error) = wasmlark(&folder, &["run", "--trace", "none/t.jsonl", "main.star"]);
    assert_eq!(status, Some(1));
    assert!(error.starts_with("error: --trace: cannot make none/t.jsonl: "), "{error}");
    #[cfg(target_os = "linux")]
    assert_eq!(
        wasmlark(&folder, &["run", "--trace", "/dev/full", "main.star"]),
        (Some(1), "error: --trace: cannot write /dev/full: No space left on device (os error 28)\n".to_owned())
    );
}
