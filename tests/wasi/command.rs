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
