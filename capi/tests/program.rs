//! `program.c`, compiled with the C compiler that Rust itself links with, and run. `CFLAGS` adds flags of that compiler.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const EXPECTED: &str = include_str!("program.out");

fn must(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Returns cargo's output folder for this build. This test is in its `deps`.
fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().to_owned()
}

#[test]
fn a_program_in_c() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = target();
    must(
        Command::new(env!("CARGO"))
            .current_dir(root)
            .args(["rustc", "--quiet", "--lib", "--crate-type", "staticlib", "--target-dir"])
            .arg(target.parent().unwrap()),
    );
    let program = target.join("capi-program");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let flags = std::env::var("CFLAGS").unwrap_or_default();
    must(
        Command::new(compiler)
            .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic"])
            .args(flags.split_whitespace())
            .arg("-o")
            .arg(&program)
            .arg(root.join("tests/program.c"))
            .arg("-I")
            .arg(root.join("include"))
            .arg(target.join("libwasmlark.a"))
            .args(["-lpthread", "-ldl", "-lm"]),
    );
    let output = must(&mut Command::new(program));
    let printed = String::from_utf8(output.stdout).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(root.join("tests/program.out"), &printed).unwrap();
        return;
    }
    assert!(
        printed == EXPECTED,
        "it printed:\n{printed}\nto accept that:\n  UPDATE=1 cargo test --package wasmlark-capi --test program"
    );
}
