//! `wasmlark call`, `wasmlark run -e`, and what packagers install.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::process::{Command, Stdio};

const MODULE: &str = r#"(module
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "wide") (param i64) (result i64) (local.get 0))
    (func (export "swap") (param f64 v128) (result v128 f64) (local.get 1) (local.get 0))
    (func (export "div") (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0)))
    (func (export "spin") (loop (br 0)))
    (func (export "is_null") (param externref) (result i32) (ref.is_null (local.get 0)))
    (memory (export "memory") 1))"#;

/// Writes to stdout through WASI, and then exits.
const COMMAND: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\08\00\00\00\03\00\00\00hi\n")
    (func (export "_initialize") (i32.store (i32.const 100) (i32.const 7)))
    (func (export "ready") (result i32) (i32.load (i32.const 100)))
    (func (export "leave") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))) (call $exit (i32.const 259))))"#;

/// Returns the exit status, and what was printed to stdout and stderr.
fn wasmlark(args: &[&str], stdin: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
    let command = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It is not a failure if the command does not read its input.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code(), out, err)
}

fn call(module: &str, args: &[&str]) -> (Option<i32>, String, String) {
    wasmlark(&[&["call", "-"], args].concat(), module)
}

#[test]
fn results_are_printed_on_a_line_each() {
    let done = |text: &str| (Some(0), text.to_owned(), String::new());
    assert_eq!(call(MODULE, &["add", "40", "2"]), done("42\n"));
    assert_eq!(call(MODULE, &["add", "-1", "0xff"]), done("254\n"));
    assert_eq!(call(MODULE, &["add", "-0x80000000", "0xffffffff"]), done("2147483647\n"));
    assert_eq!(call(MODULE, &["wide", "0xffffffffffffffff"]), done("-1\n"));
    assert_eq!(call(MODULE, &["swap", "-1.5", "0x102"]), done("0x00000000000000000000000000000102\n-1.5\n"));
    assert_eq!(call(MODULE, &["is_null", "null"]), done("1\n"));
}

#[test]
fn arguments_that_do_not_fit_are_usage_errors() {
    let refused = |text: &str| (Some(2), String::new(), format!("error: <stdin>: {text}\n"));
    assert_eq!(call(MODULE, &["add", "1"]), refused("add(i32, i32) -> i32 takes 2 arguments, not 1"));
    assert_eq!(call(MODULE, &["wide"]), refused("wide(i64) -> i64 takes 1 argument, not 0"));
    assert_eq!(call(MODULE, &["add", "1", "x"]), refused("argument 2: `x` is not an int, such as 42, -1 or 0xff"));
    assert_eq!(call(MODULE, &["add", "--1", "1"]), refused("argument 1: `--1` is not an int, such as 42, -1 or 0xff"));
    assert_eq!(
        call(MODULE, &["add", "0x-1", "1"]),
        refused("argument 1: `0x-1` is not an int, such as 42, -1 or 0xff")
    );
    let out_of_range = "argument 1: 4294967296 is out of range: -2147483648 to 4294967295";
    assert_eq!(call(MODULE, &["add", "4294967296", "0"]), refused(out_of_range));
    let float = "argument 1: `x` is not a float, such as 1.5, -2e10 or inf";
    assert_eq!(call(MODULE, &["swap", "x", "0x0"]), refused(float));
    assert_eq!(
        call(MODULE, &["swap", "1", "12"]),
        refused("argument 2: `12` is not a vector: 0x and at most 32 digits")
    );
    let reference = "argument 1: an externref can only be given as `null`; use a script for others";
    assert_eq!(call(MODULE, &["is_null", "x"]), refused(reference));
    assert_eq!(call(MODULE, &["memory"]), refused("`memory` is exported as a wasm.Memory, not as a function"));
}

#[test]
fn calls_that_fail_say_why() {
    let failed = |status: i32, text: &str| (Some(status), String::new(), format!("error: <stdin>: {text}\n"));
    let trap = "wasm trap: integer divide by zero, in wasm function `div(i32) -> i32`";
    assert_eq!(call(MODULE, &["div", "0"]), failed(1, trap));
    assert_eq!(call(MODULE, &["ad"]), failed(1, "no export `ad`; did you mean `add`?"));
    let (status, _, error) = wasmlark(&["call", "--fuel", "1000", "-", "spin"], MODULE);
    assert_eq!(status, Some(3), "{error}");
    let (status, _, error) = wasmlark(&["call", "no/such.wasm", "f"], "");
    assert_eq!(status, Some(1));
    assert!(error.starts_with("error: cannot read no/such.wasm: "), "{error}");
}

#[test]
fn a_module_that_imports_wasi_gets_a_machine() {
    assert_eq!(call(COMMAND, &["ready"]), (Some(0), "7\n".to_owned(), String::new()));
    let error = "error: <stdin>: the guest exited with code 259, in wasm function `leave()`\n";
    assert_eq!(call(COMMAND, &["leave"]), (Some(3), "hi\n".to_owned(), error.to_owned()));
}

#[test]
fn a_text_on_the_command_line_is_run() {
    let done = |text: &str| (Some(0), text.to_owned(), String::new());
    assert_eq!(wasmlark(&["run", "-e", "[argv, 1 + 1]", "a", "-b"], ""), done("[[\"a\", \"-b\"], 2]\n"));
    assert_eq!(wasmlark(&["run", "-e", "x = 1"], ""), done(""));
    assert_eq!(wasmlark(&["run", "-e", "print('p')"], ""), done("p\n"));
    let (status, out, message) = wasmlark(&["run", "--eval", "1 // 0"], "");
    assert_eq!((status, out.as_str()), (Some(1), ""));
    assert!(message.contains(" --> <command line>:1:1\n"), "{message}");
}

#[test]
fn packagers_find_completions_and_a_manual_page() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (status, out, _) = wasmlark(&["completions", shell], "");
        assert_eq!(status, Some(0));
        assert!(out.contains("wasmlark") && out.contains("max-memory"), "{shell}: {out}");
    }
    let (status, out, _) = wasmlark(&["man"], "");
    assert_eq!(status, Some(0));
    for part in [".TH wasmlark 1", ".SH \"WASMLARK RUN\"", ".SH \"WASMLARK CALL\"", "max\\-memory"] {
        assert!(out.contains(part), "{part}: {out}");
    }
}
