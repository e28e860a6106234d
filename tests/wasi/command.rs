//! `wasmlark::WasiCommand`: a module without a script.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use wasmlark::{ErrorKind, Limit, Limits, TrapCode, WasiCommand};

/// Copies standard input to standard output, writes `done` to standard error, and exits with the number of its
/// arguments.
const CAT: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "done")
  (func (export "_start")
    (loop $more
      (i64.store (i32.const 0) (i64.const 0x0000100000001000))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 4)))
      (if (i32.load (i32.const 4)) (then
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (br $more))))
    (i64.store (i32.const 0) (i64.const 0x0000000400000040))
    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
    (drop (call $args (i32.const 0) (i32.const 4)))
    (call $exit (i32.load (i32.const 0)))))"#;

fn module(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// Reads its bytes one at a time.
struct Slow(&'static [u8]);

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.len().min(1);
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn streams_arguments_and_exit_code() {
    let command = || WasiCommand::new().arg("cat").arg("x").stdin(Slow(b"slow \xff input"));
    let output = command().run(&module(CAT));
    assert_eq!(output.result.unwrap(), 2);
    assert_eq!(output.stdout, b"slow \xff input");
    assert_eq!(output.stderr, b"done");
    assert!(output.stats.fuel.unwrap() > 100);

    let (out, err) = (Shared::default(), Shared::default());
    let output = command().stdout(out.clone()).stderr(err.clone()).run(&module(CAT));
    assert_eq!(output.result.unwrap(), 2);
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    assert_eq!(*out.0.lock().unwrap(), b"slow \xff input");
    assert_eq!(*err.0.lock().unwrap(), b"done");
}

#[test]
fn what_is_kept_is_limited_and_what_is_passed_on_is_not() {
    let limits = || Limits::new().output(5);
    let output = WasiCommand::new().limits(limits()).stdin(&b"123456"[..]).run(&module(CAT));
    let error = output.result.unwrap_err();
    let message = "the guest writes more than the sandbox allows: limit `output` is 5 bytes, in the guest";
    assert_eq!((error.kind(), error.message()), (ErrorKind::Limit(Limit::Output), message));
    let output = WasiCommand::new().limits(limits()).stdin(&b"123456"[..]).stdout(std::io::sink()).run(&module(CAT));
    assert_eq!(output.result.unwrap(), 0);
}

#[test]
fn why_there_is_no_exit_code() {
    #[track_caller]
    fn fails(module: &[u8], limits: Limits, kind: ErrorKind, message: &str) {
        let error = WasiCommand::new().limits(limits).run(module).result.unwrap_err();
        assert_eq!((error.kind(), error.message()), (kind, message));
    }
    let endless = module(r#"(module (func (export "_start") (loop (br 0))))"#);
    fails(
        &endless,
        Limits::new().fuel(1000),
        ErrorKind::Limit(Limit::Fuel),
        "the sandbox's limit `fuel` is reached: 1000",
    );
    let traps = module(r#"(module (func (export "_start") (unreachable)))"#);
    fails(
        &traps,
        Limits::new(),
        ErrorKind::Trap(TrapCode::Unreachable),
        "wasm trap: unreachable executed, in the guest",
    );
    let large = module(r#"(module (memory 100) (func (export "_start")))"#);
    fails(
        &large,
        Limits::new().memory(65536),
        ErrorKind::Limit(Limit::Memory),
        "the sandbox's limit `memory` is reached: 65536",
    );
    fails(
        &module("(module)"),
        Limits::new(),
        ErrorKind::Link,
        "this module is not a command: it exports no function `_start`; a script can call what it exports",
    );
    let imports = module(r#"(module (import "env" "f" (func)))"#);
    fails(&imports, Limits::new(), ErrorKind::Link, "cannot link: `env.f` (func ()) is missing: WASI does not have it");
    fails(
        b"no module",
        Limits::new(),
        ErrorKind::Module,
        "this is not a WebAssembly module: it begins with 6e 6f 20 6d, where a module has the bytes 00 61 73 6d (\"\\0asm\")",
    );
}

#[test]
fn files_are_there_if_some_are_given() {
    let prestat = module(
        r#"(module
          (import "wasi_snapshot_preview1" "fd_prestat_get" (func $get (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1)
          (func (export "_start") (call $exit (call $get (i32.const 3) (i32.const 0)))))"#,
    );
    assert_eq!(WasiCommand::new().run(&prestat).result.unwrap(), 8);
    assert_eq!(WasiCommand::new().file("/", "").run(&prestat).result.unwrap(), 0);
    let output = WasiCommand::new().file("/a/b", "x").file("c/", "").run(&prestat);
    let files: Vec<_> = output.files.iter().map(|(path, content)| (path.as_str(), &**content)).collect();
    assert_eq!(files, [("/a/b", &b"x"[..]), ("/c/", b"")]);
}

/// Opens the file `f`, does `body` with it, and exits with the error number that `body` leaves. Its descriptor is at 32; `f` is
/// also the text at 0, `g` at 8; 4 bytes at 256 are in the buffers at 16.
fn with_f(body: &str) -> Vec<u8> {
    module(&format!(
        r#"(module
          (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_pread" (func $pread (param i32 i32 i32 i64 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_pwrite" (func $pwrite (param i32 i32 i32 i64 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_filestat_get" (func $stat (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_filestat_set_size" (func $size (param i32 i64) (result i32)))
          (import "wasi_snapshot_preview1" "path_rename" (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "f") (data (i32.const 8) "g")
          (data (i32.const 16) "\00\01\00\00\04\00\00\00")
          (data (i32.const 24) "\00\02\00\00\40\00\00\00")
          (data (i32.const 256) "new!")
          (func $f (result i32) (i32.load (i32.const 32)))
          (func (export "_start")
            (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0)
              (i64.const 0x3fffffff) (i64.const 0) (i32.const 0) (i32.const 32)) (then unreachable))
            (call $exit {body})))"#
    ))
}

/// A file of `size` bytes whose contents are their positions, and how often it was read.
fn counted(command: WasiCommand, size: u64) -> (WasiCommand, Arc<Mutex<Vec<(u64, usize)>>>) {
    let reads = Arc::new(Mutex::new(Vec::new()));
    let log = reads.clone();
    let command = command.file_from("/f", size, move |offset, buffer| {
        log.lock().unwrap().push((offset, buffer.len()));
        (offset..).zip(buffer).for_each(|(at, byte)| *byte = at as u8);
        Ok(())
    });
    (command, reads)
}

const READ: &str = "(call $pread (call $f) (i32.const 16) (i32.const 1) (i64.const 1000000000001) (i32.const 40))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 40)))";
const WRITE: &str = "(call $pwrite (call $f) (i32.const 16) (i32.const 1) (i64.const 2) (i32.const 40))";
const STAT: &str = "(call $stat (call $f) (i32.const 512))
    (drop (call $write (i32.const 1) (i32.const 24) (i32.const 1) (i32.const 40)))";
const RENAME: &str =
    "(call $rename (i32.const 3) (i32.const 0) (i32.const 1) (i32.const 3) (i32.const 8) (i32.const 1))";

#[test]
fn a_file_is_read_where_the_guest_reads_it() {
    let (command, reads) = counted(WasiCommand::new().limits(Limits::new().files(1000)), 1 << 40);
    let output = command.run(&with_f(READ));
    assert_eq!((output.result.unwrap(), output.stdout), (0, vec![1, 2, 3, 4]));
    assert_eq!(*reads.lock().unwrap(), [(1_000_000_000_001, 4)]);
    assert!(output.files.is_empty());
    assert_eq!(output.untouched.into_iter().collect::<Vec<_>>(), [("/f".to_owned(), "/f".to_owned())]);

    // Nothing asks for the content of a file that is renamed, or removed.
    let (command, reads) = counted(WasiCommand::new(), 100);
    let output = command.run(&with_f(RENAME));
    assert_eq!(output.untouched.into_iter().collect::<Vec<_>>(), [("/g".to_owned(), "/f".to_owned())]);
    let (command, removed) = counted(WasiCommand::new(), 100);
    let output = command.run(&with_f("(call $unlink (i32.const 3) (i32.const 0) (i32.const 1))"));
    assert!(output.untouched.is_empty() && output.files.is_empty());
    assert!(reads.lock().unwrap().is_empty() && removed.lock().unwrap().is_empty());
}

#[test]
fn a_file_is_held_once_the_guest_changes_it() {
    let limits = |files| WasiCommand::new().limits(Limits::new().files(files));
    let (command, reads) = counted(limits(1000), 10);
    let output = command.run(&with_f(WRITE));
    assert_eq!(output.result.unwrap(), 0);
    assert_eq!(*output.files["/f"], *b"\0\x01new!\x06\x07\x08\x09");
    assert!(output.untouched.is_empty());
    assert_eq!(*reads.lock().unwrap(), [(0, 10)]);
    for (size, files, errno) in [(10, 390, 51), (2000, 1000, 51), (2000, 3000, 0)] {
        let (command, reads) = counted(limits(files), size);
        let output = command.run(&with_f(WRITE));
        assert_eq!(output.result.unwrap(), errno, "{size} bytes, {files} allowed");
        assert_eq!(reads.lock().unwrap().len(), usize::from(errno == 0));
        assert_eq!(output.untouched.contains_key("/f"), errno != 0);
    }
    // What is cut to nothing is not read, and a file's size is that of what was cut.
    let (command, reads) = counted(limits(1000), 1 << 40);
    let output = command.run(&with_f("(call $size (call $f) (i64.const 0))"));
    assert_eq!((output.result.unwrap(), &*output.files["/f"]), (0, &b""[..]));
    assert!(reads.lock().unwrap().is_empty());
    let (command, _) = counted(limits(1000), 100);
    let output = command.run(&with_f("(call $size (call $f) (i64.const 3))"));
    assert_eq!(*output.files["/f"], [0, 1, 2]);
}

#[test]
fn a_file_that_is_read_later_has_the_same_attributes() {
    let large: Vec<u8> = (0..200_000).map(|at: u64| at as u8).collect();
    for (content_times, body) in [(true, STAT), (false, STAT)] {
        let times = |command: WasiCommand| if content_times { command.content_times() } else { command };
        let module = with_f(body);
        let (later, _) = counted(times(WasiCommand::new().now(77)), 200_000);
        let (later, now) = (later.run(&module), times(WasiCommand::new().now(77)).file("/f", &*large).run(&module));
        assert_eq!(later.stdout, now.stdout);
        assert_eq!((later.result.unwrap(), later.stats), (0, now.stats));
    }
    // Also where it was read or written before.
    for begin in
        ["(drop (call $pread (call $f) (i32.const 16) (i32.const 1) (i64.const 5) (i32.const 40)))", "(drop WRITE)"]
    {
        let module = with_f(&format!("{} {STAT}", begin.replace("WRITE", WRITE)));
        let (later, _) = counted(WasiCommand::new().now(77).content_times(), 200_000);
        let (later, now) =
            (later.run(&module), WasiCommand::new().now(77).content_times().file("/f", &*large).run(&module));
        assert_eq!(later.stdout, now.stdout, "{begin}");
    }
}

#[test]
fn a_file_that_cannot_be_read_ends_the_run() {
    for (body, size) in [(READ, 1 << 41), (WRITE, 100)] {
        let command = WasiCommand::new().file_from("/f", size, |_, _| Err("the disk is on fire".to_owned()));
        let output = command.run(&with_f(body));
        let error = output.result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Load);
        assert_eq!(error.message(), "cannot read /f: the disk is on fire, in the guest");
        assert!(output.untouched.contains_key("/f"));
    }
}
