//! The texts of errors, and limits.

use wasmlark::{ErrorKind, Limit, Limits};

use crate::run;

/// Returns the message of the error with which a script fails.
#[track_caller]
fn message(script: &str) -> String {
    run(script, Limits::new()).unwrap_err().message().to_owned()
}

const IMPORT: &str = r#"
module = wasm.Module(wasm.wat('(module (import "MODULE" "NAME" (func TYPE)))'))
"#;

fn linking(module: &str, name: &str, ty: &str, with: &str) -> String {
    let module = IMPORT.replace("MODULE", module).replace("NAME", name).replace("TYPE", ty);
    message(&format!("{module}\nwasm.instantiate(module{with})"))
}

#[test]
fn a_module_for_wasi_says_what_it_needs() {
    assert_eq!(
        linking("wasi_snapshot_preview1", "fd_close", "(param i32) (result i32)", ""),
        "cannot link: `wasi_snapshot_preview1.fd_close` (func (i32) -> i32) is missing: \
         nothing is given for `wasi_snapshot_preview1`; the module is built for WASI: `wasi = wasm.wasi()` gives it a system"
    );
}

/// Old versions of Emscripten import it with the offset in two halves.
#[test]
fn another_type_shows_both() {
    assert_eq!(
        linking(
            "wasi_snapshot_preview1",
            "fd_seek",
            "(param i32 i32 i32 i32 i32) (result i32)",
            ", wasi = wasm.wasi()"
        ),
        "cannot link: `wasi_snapshot_preview1.fd_seek` must be func (i32, i32, i32, i32, i32) -> i32, \
         but in WASI it is func (i32, i64, i32, i32) -> i32; \
         a function of the type that the module wants can be given in `imports`"
    );
}

#[test]
fn unknown_functions_and_interfaces_are_refused() {
    assert_eq!(
        linking("wasi_snapshot_preview1", "fd_raed", "", ", wasi = wasm.wasi()"),
        "cannot link: `wasi_snapshot_preview1.fd_raed` (func ()) is missing: \
         WASI has no function `fd_raed` in `wasi_snapshot_preview1`; did you mean `fd_read` or `fd_pread`?"
    );
    assert_eq!(
        linking("wasi_unstable", "sock_accept", "(param i32 i32 i32) (result i32)", ", wasi = wasm.wasi()"),
        "cannot link: `wasi_unstable.sock_accept` (func (i32, i32, i32) -> i32) is missing: \
         WASI has no function `sock_accept` in `wasi_unstable`"
    );
    assert_eq!(
        linking("wasix_32v1", "fd_dup", "(param i32 i32) (result i32)", ", wasi = wasm.wasi()"),
        "cannot link: `wasix_32v1.fd_dup` (func (i32, i32) -> i32) is missing: nothing is given for `wasix_32v1`; \
         of WASI there are `wasi_snapshot_preview1` and `wasi_unstable` here"
    );
}

#[test]
fn bad_values_are_named() {
    for (arguments, want) in [
        ("args = 'prog'", "`args` must be a list of str, got str \"prog\""),
        ("args = ['a', 1]", "`args[1]` must be a str, got int 1"),
        ("args = ['a\\x00']", "`args[0]` contains a NUL, where it would end for a guest"),
        ("env = ['A=1']", "`env` must be a dict from str to str, got a value of type list"),
        ("env = {'A': 1}", "`env[\"A\"]` must be a str, got int 1"),
        (
            "env = {'A=B': ''}",
            "`env` has a name or value that no environment can have: \"A=B\"; a name is not empty and has no `=`, neither has a NUL",
        ),
        ("stdin = 1", "`stdin` must be bytes or str, got int 1"),
        ("files = {'a': None}", "`files[\"a\"]` must be bytes or str, got None"),
        (
            "files = {'../a': ''}",
            "`files` has the path \"../a\", which is not a plain path: no empty parts, no `.`, no `..`, no NUL",
        ),
        (
            "files = {'/a//b': ''}",
            "`files` has the path \"/a//b\", which is not a plain path: no empty parts, no `.`, no `..`, no NUL",
        ),
        ("files = {'a': '', 'a/b': ''}", "`files` has the path \"a/b\", which is a file and a directory at once"),
        ("files = {'/a': '', 'a': ''}", "`files` has the path \"a\", which exists already"),
        (
            "files = {'a/': 'x'}",
            "`files` has the path \"a/\", which ends in a slash and so is a directory, and cannot have content",
        ),
        ("seed = -1", "`seed` must not be negative, got -1"),
        ("now = 1 << 64", "`now` does not fit in 64 bits, got 18446744073709551616"),
    ] {
        assert_eq!(message(&format!("wasm.wasi({arguments})")), want);
    }
    assert_eq!(
        message("wasm.instantiate(wasm.wat('(module)'), wasi = {})"),
        "`wasi` must be a wasm.Wasi, which wasm.wasi() makes, got a value of type dict"
    );
}

const OVER: &str = "the evaluation that made this value has ended; \
                    make it inside a function, and share that function through `load`";

#[test]
fn a_machine_belongs_to_its_evaluation() {
    let mut sandbox = wasmlark::Sandbox::new();
    sandbox.file("m.star", "machine = wasm.wasi(args = ['x'])");
    for use_of_it in ["machine.stdout", "wasm.instantiate(wasm.wat('(module)'), wasi = machine)"] {
        let script = format!("load('m.star', 'machine')\n{use_of_it}");
        let error = sandbox.run("test.star", &script).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Handle, OVER));
    }
}

const WRITER: &str = r#"
load("lib.star", "CREAT", "eq", "guest", "opened", "write")
g = guest()
def many(fd):
    for i in range(100):
        errno, _ = write(g, fd, "x" * 1000)
        if errno:
            return i, errno
"#;

#[test]
fn output_is_limited() {
    let limits = Limits::new().output(10_000);
    let error = run(&format!("{WRITER}\nmany(1)"), limits.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::Output));
    assert_eq!(
        error.message(),
        "the guest writes more than the sandbox allows: limit `output` is 10000 bytes, in wasm function `fd_write(i32, i32, i32, i32) -> i32`"
    );
    // This is not a trap, so a script cannot continue.
    let error = run(&format!("{WRITER}\nwasm.attempt(many, 2)"), limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::Output), "{error}");
}

#[test]
fn a_full_file_system_is_an_error_of_the_guest() {
    let script = format!("{WRITER}\nmany(opened(g, 'f', CREAT))");
    let run = run(&script, Limits::new().files(10_000)).unwrap();
    assert_eq!(run.value.to_string(), "(9, 51)");
}

#[test]
fn what_a_guest_makes_is_paid_for() {
    // Directories, links and names are charged too, and refunded.
    let script = r#"
load("lib.star", "eq", "guest", "link", "on_path", "symlink")
g = guest(files = {"f": ""})
def many(make):
    for i in range(100000):
        errno = make(i)
        if errno:
            return errno
def fill():
    return [
        many(lambda i: on_path(g, g.call.path_create_directory, f"d{i}")),
        many(lambda i: link(g, "f", f"l{i}")),
        many(lambda i: symlink(g, "f", f"s{i}")),
    ]
eq(fill(), [51, 51, 51])
def empty():
    for i in range(1000):
        on_path(g, g.call.path_remove_directory, f"d{i}")
        on_path(g, g.call.path_unlink_file, f"l{i}")
        on_path(g, g.call.path_unlink_file, f"s{i}")
empty()
eq(on_path(g, g.call.path_create_directory, "again"), 0)
"#;
    run(script, Limits::new().files(100_000)).unwrap();
    for argument in ["files = {'f': 'x' * 1000}", "stdin = 'x' * 1000"] {
        let error = run(&format!("wasm.wasi({argument})"), Limits::new().files(500)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit(Limit::Files));
        assert_eq!(error.message(), "the files are larger than the sandbox allows: limit `files` is 500 bytes");
    }
}

/// Work that the host does for a guest costs fuel, so an endless loop of it ends.
#[test]
fn bulk_work_costs_fuel() {
    let script = r#"
load("lib.star", "guest")
g = guest()
def f():
    for _ in range(100000):
        g.call.random_get(0, 65536)
f()
"#;
    let error = run(script, Limits::new().fuel(10_000_000)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::Fuel));
    assert_eq!(
        error.message(),
        "the sandbox's fuel is used up: limit `fuel` is 10000000, in wasm function `random_get(i32, i32) -> i32`"
    );
    run(&script.replace("100000", "100"), Limits::new().fuel(10_000_000)).unwrap();
    run(&script.replace("100000", "100"), Limits::new().fuel(None)).unwrap();
}

/// Each part of a path costs fuel, even after the first that is missing, and in each round through a link to itself.
#[test]
fn parts_of_paths_cost_fuel() {
    let setup = r#"
load("lib.star", "eq", "guest", "on_path")
g = guest()
m = g.memory
m.write_string(60000, "l")
m.write_string(50000, ("l" + "/." * 2047)[:4095])
eq(g.call.path_symlink(50000, 4095, 3, 60000, 1), 0)
m.write_string(50000, "q/" * 2048)
def f():
    for _ in range(10000):
        CALL
f()
"#;
    for call in ["g.call.path_filestat_get(3, 1, 60000, 1, 8000)", "g.call.path_filestat_get(3, 1, 50000, 4096, 8000)"]
    {
        let script = setup.replace("CALL", call);
        let error = run(&script, Limits::new().fuel(500_000)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit(Limit::Fuel), "{call}");
        run(&script.replace("10000", "2"), Limits::new().fuel(500_000)).unwrap();
    }
}

#[test]
fn what_is_looked_at_counts_against_the_heap() {
    let script = r#"
machine = wasm.wasi(files = {"f": "x" * 1000000})
def f():
    for _ in range(100):
        machine.files
f()
"#;
    let error = run(script, Limits::new().heap(20_000_000)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::Heap));
    assert_eq!(
        error.message(),
        "1000000 more bytes, copied out of a WASI machine, are too many: the sandbox's limit `heap` is 20000000 bytes"
    );
    run(&script.replace("100", "10"), Limits::new().heap(20_000_000)).unwrap();
}

/// Deep names are cheap, but a list of them contains a whole path for each.
#[test]
fn a_list_of_files_is_no_larger_than_the_files_may_be() {
    let script = r#"
load("lib.star", "CREAT", "DIRECTORY", "eq", "guest", "on_path", "open", "opened")
g = guest()
deep = "/".join(["d" * 250] * 15)
def make():
    for i in range(1, 16):
        eq(on_path(g, g.call.path_create_directory, "/".join(["d" * 250] * i)), 0)
    dir = opened(g, deep, DIRECTORY)
    for i in range(300):
        errno, fd = open(g, f"f{i}", CREAT, dir = dir)
        eq(errno, 0)
        g.call.fd_close(fd)
make()
g.machine.files
"#;
    let error = run(script, Limits::new().files(1_000_000)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::Files));
    assert_eq!(error.message(), "the files are larger than the sandbox allows: limit `files` is 1000000 bytes");
    run(script, Limits::new().files(2_000_000)).unwrap();
}
