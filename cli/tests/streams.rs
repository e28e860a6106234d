//! Standard streams that are closed or cannot be written to, and scripts outside the root.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a command line in a folder, with `wasmlark` as the command. Returns the exit status and stderr.
fn shell(folder: &Path, line: &str) -> (Option<i32>, String) {
    let mut command = Command::new("sh");
    let command = command.arg("-c").arg(line).env("wasmlark", env!("CARGO_BIN_EXE_wasmlark")).current_dir(folder);
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_stream_that_is_closed_is_an_error() {
    let folder = folder("streams");
    fs::write(folder.join("print.star"), "print(1)").unwrap();
    fs::write(folder.join("quiet.star"), "x = 1").unwrap();
    fs::write(folder.join("one.wat"), r#"(module (func (export "one") (result i32) (i32.const 1)))"#).unwrap();
    for (line, error) in [
        ("$wasmlark run print.star >&-", "error: cannot write what the script prints: standard output is closed\n"),
        ("$wasmlark run -e 1+1 >&-", "error: cannot write: standard output is closed\n"),
        ("$wasmlark run - <&-", "error: cannot read the script from stdin: standard input is closed\n"),
        ("$wasmlark check - <&-", "error: cannot read the script from stdin: standard input is closed\n"),
        ("$wasmlark inspect one.wat >&-", "error: cannot write: standard output is closed\n"),
        ("$wasmlark inspect - <&-", "error: cannot read the module from stdin: standard input is closed\n"),
        ("$wasmlark call one.wat one >&-", "error: cannot write the results: standard output is closed\n"),
        ("$wasmlark --help >&-", "error: cannot write: standard output is closed\n"),
        ("$wasmlark --version >&-", "error: cannot write: standard output is closed\n"),
        ("$wasmlark wasi - <&-", "error: cannot read the module from stdin: standard input is closed\n"),
        ("$wasmlark run - < .", "error: cannot read the script from stdin: Is a directory (os error 21)\n"),
    ] {
        assert_eq!(shell(&folder, line), (Some(1), error.to_owned()), "{line}");
    }
    for line in ["$wasmlark run quiet.star >&- <&-", "$wasmlark run print.star <&-", "$wasmlark run print.star | true"]
    {
        assert_eq!(shell(&folder, line), (Some(0), String::new()), "{line}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_device_is_an_error() {
    let folder = folder("full");
    fs::write(folder.join("print.star"), "print(1)\nprint(2)").unwrap();
    let error = "error: cannot write what the script prints: No space left on device (os error 28)\n";
    assert_eq!(shell(&folder, "$wasmlark run print.star > /dev/full"), (Some(1), error.to_owned()));
    let error = "error: cannot write: No space left on device (os error 28)\n";
    assert_eq!(shell(&folder, "$wasmlark man > /dev/full"), (Some(1), error.to_owned()));
}

#[test]
fn names_in_a_script_outside_the_root_do_not_depend_on_how_its_path_is_typed() {
    let folder = folder("outside").canonicalize().unwrap();
    for (name, text) in [
        ("root/lib.star", "x = 'in the root'"),
        ("outside/lib.star", "x = 'outside'"),
        ("root/main.star", "load('./lib.star', 'x')\nprint(x)"),
        ("outside/main.star", "load('./lib.star', 'x')\nprint(x)"),
        ("outside/plain.star", "load('lib.star', 'x')\nprint(x)"),
    ] {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let absolute = folder.join("outside/main.star");
    let spellings = ["outside/main.star", "./root/../outside/main.star", absolute.to_str().unwrap()];
    let message = "error: \"./lib.star\" is relative to a script that is outside the root; names are relative to the root, which is \
                   set by `--root` on the command line\n";
    for spelling in spellings {
        let (status, error) = shell(&folder, &format!("$wasmlark run --root root {spelling}"));
        assert_eq!(status, Some(1), "{spelling}");
        assert!(error.starts_with(message), "{spelling}: {error}");
        assert_eq!(shell(&folder, &format!("$wasmlark run {spelling} | grep -x outside")).0, Some(0), "{spelling}");
    }
    for spelling in ["root/main.star", "outside/plain.star"] {
        let line = format!("$wasmlark run --root root {spelling} | grep -x 'in the root'");
        assert_eq!(shell(&folder, &line), (Some(0), String::new()));
    }
}
