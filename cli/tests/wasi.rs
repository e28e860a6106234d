//! `wasmlark wasi`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const TREE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/wasi/tree.wasm");
const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/wasi/report.wasm");

/// A folder of this test's own, with the files that `tree` wants.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("sub")).unwrap();
    fs::write(folder.join("a.txt"), "line 1\n").unwrap();
    fs::write(folder.join("sub/b"), "12345").unwrap();
    folder
}

fn wasi(folder: &Path, args: &[&str], stdin: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
    command.arg("wasi").args(args).current_dir(folder);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A guest that does not read is no failure.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn streams_environment_arguments_and_exit_status() {
    let folder = folder("streams");
    let args = ["--env", "A=x=y", "--seed", "1", "--now", "5", "--dir", ".:/", REPORT, "--env", "B"];
    let output = wasi(&folder, &args, b"one\ntwo");
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(text(&output.stderr), "done\n");
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert_eq!(lines[0], r#"args ["report.wasm", "--env", "B"]"#);
    assert_eq!(lines[1], r#"vars [("A", "x=y")]"#);
    assert_eq!(lines[2], r#"lines ["one", "two"]"#);
    assert_eq!(lines[3], "time 5ns");
    // The same again, and nothing of it is written out.
    assert_eq!(wasi(&folder, &args, b"one\ntwo"), output);
    assert!(!folder.join("out").exists());
}

#[test]
fn folders_are_copied_in_and_back() {
    let folder = folder("folders");
    let run = |args: &[&str]| wasi(&folder, args, b"");
    let output = run(&["--dir", ".:/w", TREE, "/w"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stdout));
    assert!(folder.join("a.txt").exists());

    let output = run(&["--dir", ".:/w", "--write-back", TREE, "/w"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(!folder.join("a.txt").exists());
    assert_eq!(fs::read(folder.join("new/b.txt")).unwrap(), b"line");
    assert_eq!(fs::read(folder.join("new/c.txt")).unwrap(), b"line");
    assert_eq!(fs::read(folder.join("sub/b")).unwrap(), b"12345");

    // Without GUEST the folder has the same place as seen from here.
    assert!(run(&["--dir", "sub", TREE, "/sub"]).stdout.starts_with(b"./b 5 bytes"));
    assert!(run(&["--dir", "./sub/", TREE, "/"]).stdout.starts_with(b"./sub/\n./sub/b 5 bytes"));
    // Without --dir there are no files at all.
    assert_eq!(run(&[TREE, "/"]).status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn links_lead_nowhere() {
    let folder = folder("links");
    let outside = folder.join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::create_dir_all(folder.join("in")).unwrap();
    fs::write(folder.join("in/a.txt"), "line 1\n").unwrap();
    // The guest does not see the link, and makes a folder of that name.
    std::os::unix::fs::symlink(&outside, folder.join("in/new")).unwrap();
    let output = wasi(&folder, &["--dir", "in:/w", "--write-back", TREE, "/w"], b"");
    let stderr = text(&output.stderr);
    assert!(stderr.contains("is neither file nor folder, and is left out"), "{stderr}");
    assert!(stderr.contains("is a link"), "{stderr}");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_run() {
    let folder = folder("failures");
    fs::write(folder.join("trap.wasm"), wat::parse_str(r#"(module (func (export "_start") unreachable))"#).unwrap())
        .unwrap();
    fs::write(folder.join("loop.wasm"), wat::parse_str(r#"(module (func (export "_start") (loop (br 0))))"#).unwrap())
        .unwrap();
    for (args, status, message) in [
        (&["none.wasm"][..], 1, "error: cannot read none.wasm: "),
        (&["a.txt"][..], 1, "error: a.txt: this is no WebAssembly module"),
        (&["trap.wasm"][..], 1, "error: trap.wasm: wasm trap: unreachable executed, in the guest\n"),
        (&["--fuel", "1000", "loop.wasm"][..], 3, "error: loop.wasm: the sandbox's limit `fuel` is reached: 1000\n"),
        (&["--dir", "none", "trap.wasm"][..], 1, "error: --dir none: cannot read none: "),
        (
            &["--dir", "..", "trap.wasm"][..],
            1,
            "error: --dir ..: a path of the guest cannot have `..`; give one as HOST:GUEST\n",
        ),
        (&["--env", "A", "trap.wasm"][..], 2, "error: invalid value 'A' for '--env <K=V>': expected NAME=VALUE"),
        (
            &["--max-files", "100", "--dir", ".:/", "trap.wasm"][..],
            3,
            "error: trap.wasm: the files are larger than the sandbox takes: limit `files` is 100 bytes\n",
        ),
    ] {
        let output = wasi(&folder, args, b"");
        let stderr = text(&output.stderr);
        assert!(stderr.starts_with(message), "{args:?}: {stderr}");
        assert_eq!(output.status.code(), Some(status), "{args:?}: {stderr}");
    }
}
