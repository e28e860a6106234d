//! `wasmlark inspect`.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs `wasmlark inspect` on a module. Returns its exit status and everything that it printed.
fn inspect(name: &str, module: &[u8], args: &[&str]) -> (Option<i32>, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("inspect");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), module).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
    let output = command.arg("inspect").args(args).arg(name).current_dir(&folder).output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
fn the_text_of_a_module_is_a_module_again() {
    let text = r#"(module $m (import "env" "f" (func $f (param i32))) (memory 1) (data (i32.const 8) "hi")
        (func (export "g") (param i64) (result i64) (local f32) (call $f (i32.const 1)) (local.get 0)))"#;
    let binary = wat::parse_str(text).unwrap();
    let (status, printed) = inspect("text.wasm", &binary, &["--wat"]);
    assert_eq!(status, Some(0));
    assert!(printed.starts_with("(module $m\n") && printed.contains("call $f\n"), "{printed}");
    assert_eq!(wat::parse_str(&printed).unwrap(), binary);
    // A module in the text format is printed unchanged.
    assert_eq!(inspect("text.wat", text.as_bytes(), &["--wat"]), (Some(0), text.to_owned()));
    let (status, why) = inspect("broken.wasm", b"\0asm\x01\0\0\0\x0a", &["--wat"]);
    assert_eq!(status, Some(1));
    assert!(why.starts_with("error: broken.wasm: this module is cut short: "), "{why}");
}

#[test]
fn all_that_a_module_declares_is_shown() {
    let text = r#"(module $m
        (import "env" "f" (func $f (param i32 f64) (result i64)))
        (import "env" "table" (table 1 externref))
        (memory (export "memory") 1 2) (memory i64 3)
        (table $t 4 8 funcref) (global $g (mut i32) (i32.const 0)) (global v128 (v128.const i64x2 1 2))
        (func $begin) (start $begin)
        (func (export "two") (param i32) (result i32 f32) unreachable)
        (export "g" (global $g)) (export "again" (func $f)) (export "t" (table $t))
        (elem (table $t) (i32.const 0) func $begin) (data (i32.const 8) "hi") (data "passive")
        (@custom "note" "text"))"#;
    let binary = wat::parse_str(text).unwrap();
    let expected = r#"name: m
imports:
  env.f(i32, f64) -> i64
  env.table: table(1, type = "externref")
exports:
  memory: memory(1, maximum = 2)
  two(i32) -> (i32, f32)
  g: global("i32", mutable = True)
  again(i32, f64) -> i64
  t: table(4, maximum = 8, type = "funcref")
memories:
  memory(1, maximum = 2)
  memory(3, memory64 = True)
tables:
  table(4, maximum = 8, type = "funcref")
globals:
  global("i32", mutable = True)
  global("v128")
start:
  begin
sections:
"#;
    let (status, printed) = inspect("all.wasm", &binary, &[]);
    assert_eq!(status, Some(0));
    let (declared, sections) = printed.split_at(expected.len());
    assert_eq!(declared, expected);
    // The offsets point to what the module has there.
    for line in sections.lines() {
        let (name, rest) = line.trim().rsplit_once(": ").unwrap();
        let (size, rest) = rest.split_once(" byte").unwrap();
        let place = rest.split_once("0x").unwrap().1.split(',').next().unwrap();
        let (size, place): (usize, usize) = (size.parse().unwrap(), usize::from_str_radix(place, 16).unwrap());
        let content = binary.get(place..place + size).unwrap();
        match name {
            "custom \"note\"" => assert_eq!(content, b"text"),
            "data" => assert!(content.ends_with(b"\x07passive"), "{content:?}"),
            "code" => assert!(line.ends_with(", 2 entries") && content.first() == Some(&2), "{line}"),
            "type" => assert_eq!(content.get(1), Some(&0x60)),
            _ => {}
        }
    }
    let names: Vec<&str> = sections.lines().filter_map(|line| line.trim().split(':').next()).collect();
    let all = "type import function table memory global export start element code data";
    assert!(names.join(" ").starts_with(all), "{names:?}");
    let (_, json) = inspect("all.wasm", &binary, &["--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json.get("functions").unwrap(), json.get("start").unwrap()), (&2.into(), &"begin".into()));
    assert_eq!(json.pointer("/sections/0/name").unwrap(), "type");
}

#[test]
fn a_module_is_not_compiled() {
    // The body is not valid: it returns nothing.
    let module = b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7f\x03\x02\x01\0\x07\x05\x01\x01f\0\0\x0a\x04\x01\x02\0\x0b";
    let (status, printed) = inspect("body.wasm", module, &[]);
    assert!(status == Some(0) && printed.starts_with("exports:\n  f() -> i32\n"), "{printed}");
    for (module, why) in [
        (&b"\0asm\x01\0\0\0\x0a\x01\x01"[..], "this module is invalid: "),
        (b"\0asm\x01\0\0\0\x05\x04\x01\x03\x01\x02", "this module needs the WebAssembly threads proposal"),
        (b"\x7fELF", "this is not a WebAssembly module: it is a native program or library (ELF)"),
    ] {
        let (status, printed) = inspect("wrong.wasm", module, &[]);
        assert!(status == Some(1) && printed.starts_with(&format!("error: wrong.wasm: {why}")), "{printed}");
    }
}
