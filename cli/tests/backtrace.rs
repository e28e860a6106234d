//! `--backtrace`: what is printed, and that it is what V8 says of the same traps. `--profile`: what is written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::process::Command;

const LINES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/frames");

fn wasmlark(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wasmlark")).args(args).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code(), out, err)
}

#[test]
fn a_report_has_functions_offsets_and_lines() {
    let script = "wasm.instantiate('lines.wasm').exports.run(-8)";
    let (status, _, err) = wasmlark(&["run", "--backtrace", "--root", LINES, "-e", script]);
    assert_eq!(status, Some(1));
    let guest = "guest: lines::read (0x81, ./lines.rs:13) < lines::sum (0x6a, ./lines.rs:18) < exported run (0x89, ./lines.rs:25)";
    assert_eq!(err.lines().last(), Some(guest), "{err}");
}

#[test]
fn other_commands_have_it_too() {
    let guest = "guest: lines::read (0x81, ./lines.rs:13) < lines::sum (0x6a, ./lines.rs:18) < exported run (0x89, ./lines.rs:25)";
    let file = format!("{LINES}/lines.wasm");
    let (status, _, err) = wasmlark(&["call", "--backtrace", &file, "run", "-8"]);
    assert_eq!((status, err.lines().last()), (Some(1), Some(guest)), "{err}");
    let folder = Folder::new("commands");
    folder.write("main.wat", r#"(module (func $stop unreachable) (func (export "_start") (call $stop)))"#);
    folder.write("a_test.star", "def test_trap():\n    wasm.instantiate('main.wat').exports['_start']()\n");
    let guest = "guest: stop (0x24) < exported _start (0x28)";
    let (status, _, err) = wasmlark(&["wasi", "--backtrace", &folder.path("main.wat")]);
    assert_eq!((status, err.lines().last()), (Some(1), Some(guest)), "{err}");
    let (status, out, _) = wasmlark(&["test", "--backtrace", &folder.path("")]);
    assert_eq!(status, Some(1));
    assert!(out.contains(guest), "{out}");
}

/// Whatever the error is: starlark's own have no room for frames.
#[test]
fn a_starlark_function_that_fails_has_the_frames_of_the_guest_that_called_it() {
    for (body, message) in [
        ("fail('no')", "fail: no"),
        ("[][1]", "Index `1` is out of bound"),
        ("1 // 0", "Floor division by zero: 1 // 0"),
    ] {
        let script = format!(
            r#"
def f(caller):
    {body}

guest = wasm.wat("""(module
    (import "env" "f" (func $f))
    (func $inner (call $f))
    (func (export "run") (call $inner)))""")
wasm.instantiate(guest, imports = {{"env": {{"f": f}}}}).exports.run()
"#
        );
        let (status, _, err) = wasmlark(&["run", "--backtrace", "-e", &script]);
        assert_eq!(status, Some(1));
        assert!(err.contains(&format!("error: {message}")), "{err}");
        assert_eq!(err.lines().last(), Some("guest: inner (0x2c) < exported run (0x31)"), "{err}");
    }
}

#[test]
fn without_a_backtrace_the_report_says_how_to_get_one() {
    let script = "wasm.instantiate('lines.wasm').exports.run(-8)";
    let (_, _, err) = wasmlark(&["run", "--root", LINES, "-e", script]);
    assert!(err.contains("`--backtrace`"), "{err}");
    assert_eq!(err.matches("--backtrace").count(), 1);
}

#[test]
fn a_profile_is_written_even_if_the_script_fails() {
    let folder = Folder::new("profile");
    folder.write(
        "main.wat",
        r#"(module (func $half (param i32) (result i32) (i32.div_u (i32.const 8) (local.get 0)))
            (func (export "run") (param i32) (result i32) (call $half (local.get 0)))
            (func (export "_start") (drop (call $half (i32.const 2)))))"#,
    );
    folder.write(
        "main.star",
        "guest = wasm.instantiate('main.wat').exports\ndef work(n):\n    return guest.run(n)\nwork(2)\nwork(0)\n",
    );
    let (script, module) = (folder.path("main.star"), folder.path("main.wat"));
    let written = |name: &str, args: &[&str], status: i32| {
        let file = folder.path(name);
        let (got, _, err) = wasmlark(&[&[args[0], "--profile", &file], &args[1..]].concat());
        assert_eq!(got, Some(status), "{err}");
        std::fs::read_to_string(file).unwrap()
    };
    let stacks = "main.star:<module>;main.star:work;run 6\nmain.star:<module>;main.star:work;run;half 8\n";
    assert_eq!(written("run.txt", &["run", &script], 1), stacks);
    let picture = written("run.svg", &["run", &script], 1);
    assert!(picture.starts_with("<svg ") && picture.contains("<title>half: 8 (57.14 %)</title>"), "{picture}");
    assert_eq!(written("wasi.txt", &["wasi", &module], 0), "_start 3\n_start;half 4\n");
    assert!(written("call.txt", &["call", &module, "run", "2"], 0).contains("run;half 4\n"));
    let (status, _, err) = wasmlark(&["run", "--profile", "x", "--backtrace", &script]);
    assert_eq!(status, Some(2), "{err}");
}

/// The modules that both run: their function `run` traps.
const MODULES: &[(&str, &str)] = &[
    (
        "a division",
        r#"(func $div (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0)))
           (func $mid (result i32) (call $div (i32.const 0)))
           (func (export "run") (drop (call $mid)))"#,
    ),
    (
        "a load",
        r#"(memory 1)
           (func $load (param i32) (result i32) (drop (i32.load (i32.const 4))) (i32.load offset=4 (local.get 0)))
           (func (export "run") (drop (call $load (i32.const 0))) (drop (call $load (i32.const -4))))"#,
    ),
    (
        "a store",
        r#"(memory 1) (func $f (param f64 i32) (f64.store (local.get 1) (local.get 0)))
           (func (export "run") (call $f (f64.const 1) (i32.const 65530)))"#,
    ),
    (
        "unreachable in a branch",
        r#"(func $f (param i32) (block (br_if 0 (i32.eqz (local.get 0))) unreachable))
           (func (export "run") (call $f (i32.const 0)) (call $f (i32.const 1)))"#,
    ),
    (
        "a null in a table",
        r#"(table 2 funcref) (type $t (func)) (elem (i32.const 0) func $g) (func $g)
           (func $call (param i32) (call_indirect (type $t) (local.get 0)))
           (func (export "run") (call $call (i32.const 0)) (call $call (i32.const 1)))"#,
    ),
    (
        "another signature",
        r#"(table 1 funcref) (type $t (func (result i32))) (elem (i32.const 0) func $g) (func $g)
           (func (export "run") (drop (call_indirect (type $t) (i32.const 0))))"#,
    ),
    (
        "behind the table",
        r#"(table 1 funcref) (type $t (func)) (elem (i32.const 0) func $g) (func $g (call_indirect (type $t) (i32.const 7)))
           (func (export "run") (call_indirect (type $t) (i32.const 0)))"#,
    ),
    (
        "a conversion",
        r#"(func $f (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
           (func (export "run") (drop (call $f (f64.const 3))) (drop (call $f (f64.const 1e20))))"#,
    ),
    (
        "bulk memory",
        r#"(memory 1) (func $f (param i32) (memory.fill (local.get 0) (i32.const 0) (i32.const 9)))
           (func (export "run") (call $f (i32.const 0)) (loop (call $f (i32.const 65530))))"#,
    ),
    (
        "recursion, with locals and globals",
        r#"(global $g (mut i32) (i32.const 5)) (memory 1)
           (func $down (param i32) (local i64 f32)
             (global.set $g (i32.sub (global.get $g) (i32.const 1)))
             (if (global.get $g) (then (call $down (local.get 0))) (else (drop (i32.rem_u (i32.const 1) (global.get $g))))))
           (func (export "run") (call $down (i32.const 3)))"#,
    ),
    ("a start function", r#"(func $stop unreachable) (func $start (call $stop)) (start $start) (func (export "run"))"#),
];

/// Prints `index:offset` for each frame of the trap of a module.
const SCRIPT: &str = r#"
def run():
    wasm.instantiate("module.wasm").exports.run()
for frame in wasm.attempt(run).trap.frames:
    print("%d:%d" % (frame.index, frame.offset))
"#;

const PROGRAM: &str = r#"
const bytes = require("fs").readFileSync(process.argv[1]);
Error.stackTraceLimit = Infinity;
try {
  new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.run();
} catch (error) {
  for (const [, index, offset] of error.stack.matchAll(/wasm-function\[(\d+)\]:(0x[0-9a-f]+)/g))
    console.log(index + ":" + Number(offset));
}
"#;

#[test]
#[ignore = "needs node; the step `targets` of .ci/run installs and runs it"]
fn frames_are_those_of_v8() {
    let folder = Folder::new("v8");
    folder.write("main.star", SCRIPT);
    for (name, body) in MODULES {
        let module = wat::parse_str(format!("(module {body})")).unwrap();
        folder.write("module.wasm", &module);
        let (status, ours, err) = wasmlark(&["run", "--backtrace", &folder.path("main.star")]);
        assert_eq!(status, Some(0), "{name}: {err}");
        let node = Command::new("node").args(["-e", PROGRAM, &folder.path("module.wasm")]).output().unwrap();
        let theirs = String::from_utf8(node.stdout).unwrap();
        assert!(!theirs.is_empty(), "{name}: {}", String::from_utf8_lossy(&node.stderr));
        assert_eq!(ours, theirs, "{name}");
    }
}

/// A folder that goes with the test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("backtrace-{name}"));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.0.join(name), content).unwrap();
    }
}
