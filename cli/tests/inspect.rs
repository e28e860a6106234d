//! `wasmlark inspect`.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs `wasmlark inspect` on a module. Returns its exit status and all that it printed.
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
    // What is in the text format stays as it is.
    assert_eq!(inspect("text.wat", text.as_bytes(), &["--wat"]), (Some(0), text.to_owned()));
    let (status, why) = inspect("broken.wasm", b"\0asm\x01\0\0\0\x0a", &["--wat"]);
    assert_eq!(status, Some(1));
    assert!(why.starts_with("error: broken.wasm: this module is cut short: "), "{why}");
}
