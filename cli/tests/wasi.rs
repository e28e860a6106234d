//! `wasmlark wasi`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const TREE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/wasi/tree.wasm");
/// The time of a file that holds `1`, in nanoseconds since 1970: 1987-07-02.
const TIME_OF_1: u64 = 552_212_268_000_000_000;
const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/wasi/report.wasm");

/// Makes a folder for this test, with the files that `tree` expects.
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
    // It is not a failure if a guest does not read its input.
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
    // The same again, and nothing is written back.
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

    // Without GUEST, the folder has the same path as on the host.
    assert!(run(&["--dir", "sub", TREE, "/sub"]).stdout.starts_with(b"./b 5 bytes"));
    assert!(run(&["--dir", "./sub/", TREE, "/"]).stdout.starts_with(b"./sub/\n./sub/b 5 bytes"));
    // Without --dir, there are no files at all.
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
        (&["a.txt"][..], 1, "error: a.txt: this is not a WebAssembly module"),
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
            "error: trap.wasm: the files are larger than the sandbox allows: limit `files` is 100 bytes\n",
        ),
    ] {
        let output = wasi(&folder, args, b"");
        let stderr = text(&output.stderr);
        assert!(stderr.starts_with(message), "{args:?}: {stderr}");
        assert_eq!(output.status.code(), Some(status), "{args:?}: {stderr}");
    }
}

/// Fuel is metered only with `--fuel`.
#[test]
fn fuel_is_no_limit_by_default() {
    let folder = folder("fuel");
    fs::write(folder.join("nop.wasm"), wat::parse_str(r#"(module (func (export "_start")))"#).unwrap()).unwrap();
    for (args, stats) in [
        (&["--stats", "nop.wasm"][..], r#"{"fuel":null,"#),
        (&["--stats", "--fuel", "none", "nop.wasm"][..], r#"{"fuel":null,"#),
        (&["--stats", "--fuel", "1000", "nop.wasm"][..], r#"{"fuel":1,"#),
    ] {
        let output = wasi(&folder, args, b"");
        let stderr = text(&output.stderr);
        assert!(stderr.starts_with(stats), "{args:?}: {stderr}");
        assert_eq!(output.status.code(), Some(0), "{args:?}: {stderr}");
    }
    let help = wasi(&folder, &["--help"], b"");
    let help = text(&help.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    let fuel = help.split("--fuel <N>").nth(1).and_then(|text| text.split("--max-").next()).unwrap();
    assert!(
        fuel.contains("charged where the enclosing function, loop or arm") && fuel.contains("[default: none"),
        "{fuel}"
    );
}

/// Writes the name of each preopened directory on a line of its own, and exits with 7.
const PREOPENS: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $fd i32) (local $n i32)
    (local.set $fd (i32.const 3))
    (block $end
      (loop $next
        (br_if $end (call $get (local.get $fd) (i32.const 0)))
        (local.set $n (i32.load (i32.const 4)))
        (drop (call $name (local.get $fd) (i32.const 100) (local.get $n)))
        (i32.store8 offset=100 (local.get $n) (i32.const 10))
        (i32.store (i32.const 16) (i32.const 100))
        (i32.store (i32.const 20) (i32.add (local.get $n) (i32.const 1)))
        (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))
        (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
        (br $next)))
    (call $exit (i32.const 7))))"#;

#[test]
fn dir_names_what_the_guest_opens() {
    let folder = folder("preopens");
    fs::write(folder.join("preopens.wasm"), wat::parse_str(PREOPENS).unwrap()).unwrap();
    for (dirs, names) in [
        (&[][..], ""),
        (&["sub:."], ".\n"),
        (&["sub:data"], "data\n"),
        (&["sub:/in", ".:/out/"], "/in\n/out\n"),
        (&["sub:/"], "/\n"),
        // Without GUEST, both for guests that make paths absolute and for those that do not.
        (&["."], "/\n.\n"),
        (&["sub"], "/\nsub\n"),
        (&["./sub/", ".:/x"], "/\nsub\n/x\n"),
    ] {
        let mut args: Vec<&str> = dirs.iter().flat_map(|dir| ["--dir", dir]).collect();
        args.push("preopens.wasm");
        let output = wasi(&folder, &args, b"");
        assert_eq!((text(&output.stdout), output.status.code()), (names, Some(7)), "{dirs:?}");
    }
}

#[test]
fn an_exit_in_a_start_function_is_the_guests() {
    let folder = folder("start");
    let module = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $x (param i32)))
        (func $m (call $x (i32.const 7))) (start $m) (func (export "_start") (call $x (i32.const 9))))"#;
    fs::write(folder.join("start.wasm"), wat::parse_str(module).unwrap()).unwrap();
    let output = wasi(&folder, &["start.wasm"], b"");
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(7)));
}

#[test]
fn a_module_is_text_or_standard_input_too() {
    let folder = folder("text");
    fs::write(folder.join("p.wat"), PREOPENS).unwrap();
    assert_eq!(wasi(&folder, &["p.wat"], b"").status.code(), Some(7));
    assert_eq!(wasi(&folder, &["-"], PREOPENS.as_bytes()).status.code(), Some(7));
    assert_eq!(wasi(&folder, &["-"], &wat::parse_str(PREOPENS).unwrap()).status.code(), Some(7));
    let output = wasi(&folder, &["-"], b"(module (func)");
    assert!(text(&output.stderr).starts_with("error: <stdin>: "), "{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_last_value_of_a_variable_counts() {
    let folder = folder("env");
    let output = wasi(&folder, &["--env", "A=1", "--env", "B=2", "--env", "A=3", "--dir", ".:/", REPORT], b"");
    assert!(text(&output.stdout).contains(r#"vars [("A", "3"), ("B", "2")]"#), "{}", text(&output.stdout));
}

/// Writes the modification time of `/d/a.txt` to stdout, as eight bytes.
const MODIFIED: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_filestat_get" (func $stat (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "d/a.txt")
    (data (i32.const 16) "\68\00\00\00\08\00\00\00")
    (func (export "_start")
        (if (call $stat (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 7) (i32.const 64)) (then unreachable))
        (if (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 32)) (then unreachable))))"#;

#[test]
fn times_of_files_follow_from_their_content_or_from_the_host() {
    let folder = folder("times");
    fs::write(folder.join("modified.wat"), MODIFIED).unwrap();
    fs::create_dir_all(folder.join("d")).unwrap();
    let modified = |content: &str, more: &[&str]| {
        fs::write(folder.join("d/a.txt"), content).unwrap();
        let output = wasi(&folder, &[&["--dir", "d"], more, &["modified.wat"]].concat(), b"");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        u64::from_le_bytes(output.stdout.try_into().unwrap())
    };
    // A fixed time: the same content has the same time on every machine and in every version.
    assert_eq!(modified("1", &[]), TIME_OF_1);
    assert_eq!(modified("1", &["--now", "5"]), TIME_OF_1);
    for content in ["", "2", "3", "a long text"] {
        let time = modified(content, &["--times", "content"]);
        assert_ne!(time, TIME_OF_1);
        assert_eq!(time % 2_000_000_000, 0);
        assert!((315_532_800..946_684_800).contains(&(time / 1_000_000_000)), "{time}");
    }
    let host = fs::metadata(folder.join("d/a.txt")).unwrap().modified().unwrap();
    let host = host.duration_since(std::time::UNIX_EPOCH).unwrap();
    assert!(u128::from(modified("a long text", &["--times", "host"])) >= host.as_nanos());
}

/// Writes the last four bytes of `f` to stdout once it has read a byte, overwrites the first four, and exits with the error
/// number of that. The names and buffers are those of the data.
const ENDS: &str = r#"(module
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pwrite" (func $pwrite (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "f")
  (data (i32.const 16) "\00\01\00\00\04\00\00\00")
  (func $must (param i32) (if (local.get 0) (then unreachable)))
  (func $say (call $must (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 40))))
  (func (export "_start")
    (call $say)
    (call $must (call $read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 40)))
    (call $must (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0)
      (i64.const 0x3fffffff) (i64.const 0) (i32.const 0) (i32.const 32)))
    (call $must (call $seek (i32.load (i32.const 32)) (i64.const -4) (i32.const 2) (i32.const 40)))
    (call $must (call $read (i32.load (i32.const 32)) (i32.const 16) (i32.const 1) (i32.const 40)))
    (call $say)
    (call $exit (call $pwrite (i32.load (i32.const 32)) (i32.const 16) (i32.const 1) (i64.const 0) (i32.const 40)))))"#;

#[test]
fn a_folder_may_be_larger_than_the_limit() {
    let folder = folder("large");
    fs::write(folder.join("ends.wat"), ENDS).unwrap();
    fs::create_dir(folder.join("in")).unwrap();
    let content = [vec![b'.'; 1_000_000], b"tail".to_vec()].concat();
    fs::write(folder.join("in/f"), &content).unwrap();
    let run = |limit: &str| wasi(&folder, &["--max-files", limit, "--dir", "in:/", "--write-back", "ends.wat"], b"x");
    // 51 is `ENOSPC`.
    let output = run("10000");
    assert_eq!((text(&output.stdout), output.status.code()), ("\0\0\0\0tail", Some(51)), "{}", text(&output.stderr));
    assert_eq!(fs::read(folder.join("in/f")).unwrap(), content);
    assert_eq!(run("2M").status.code(), Some(0));
    assert_eq!(fs::read(folder.join("in/f")).unwrap()[..5], *b"tail.");
}

#[test]
fn a_file_that_changes_meanwhile_ends_the_run() {
    let folder = folder("changing");
    fs::write(folder.join("ends.wat"), ENDS).unwrap();
    fs::create_dir(folder.join("in")).unwrap();
    for change in [
        (|file: &Path| fs::write(file, "another text").unwrap()) as fn(&Path),
        |file| fs::write(file, "the").unwrap(),
        // Another file, with nothing else to tell it by.
        |file| {
            let modified = fs::metadata(file).unwrap().modified().unwrap();
            fs::rename(file, file.with_extension("old")).unwrap();
            fs::write(file, "the same").unwrap();
            fs::File::options().write(true).open(file).unwrap().set_modified(modified).unwrap();
        },
    ] {
        let file = folder.join("in/f");
        fs::write(&file, "the text").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
        command.args(["wasi", "--dir", "in:/", "ends.wat"]).current_dir(&folder);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The folder was listed before the guest began.
        child.stdout.as_mut().unwrap().read_exact(&mut [0; 4]).unwrap();
        change(&file);
        child.stdin.take().unwrap().write_all(b"x").unwrap();
        let output = child.wait_with_output().unwrap();
        let expected = "error: ends.wat: cannot read /f: it changed on the host while the guest ran, in the guest\n";
        assert_eq!((text(&output.stderr), output.status.code()), (expected, Some(1)));
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_takes_a_files_place_leads_nowhere() {
    use std::os::unix::fs::symlink;
    let folder = folder("gone");
    fs::write(folder.join("ends.wat"), ENDS).unwrap();
    fs::create_dir(folder.join("in")).unwrap();
    let file = folder.join("in/f");
    fs::write(&file, "the text").unwrap();
    fs::write(folder.join("secret"), "the text").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
    command.args(["wasi", "--dir", "in:/", "ends.wat"]).current_dir(&folder);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 4]).unwrap();
    // A link that takes the place of the file is another file.
    fs::remove_file(&file).unwrap();
    symlink("../secret", &file).unwrap();
    child.stdin.take().unwrap().write_all(b"x").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(text(&output.stderr).contains("it changed on the host"), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "");
}
