//! Programs in C and Rust, from the sources in `fixtures/wasi`.

use wasmlark::Sandbox;

#[track_caller]
fn prints(script: &str, want: &str) {
    let mut sandbox = Sandbox::new();
    sandbox.file("tree.wasm", include_bytes!("../../fixtures/wasi/tree.wasm"));
    sandbox.file("report.wasm", include_bytes!("../../fixtures/wasi/report.wasm"));
    let run = sandbox.run("test.star", script).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(run.output, want);
}

#[test]
fn c() {
    prints(
        r#"
machine = wasm.wasi(
    args = ["tree", "/w"],
    files = {"/w/a.txt": "line 1\n", "/w/sub/b": "12345", "/w/none/": ""},
    now = 1234567890 * 1000000000,
)
print(wasm.instantiate("tree.wasm", wasi = machine).start())
print(str(machine.stdout) + str(machine.stderr))
print(machine.files)
usage = wasm.wasi(args = ["tree"])
print(wasm.instantiate("tree.wasm", wasi = usage).start(), usage.stderr)
"#,
        "3
./a.txt 7 bytes, 1 names, at 1234567890
./sub/
./sub/b 5 bytes, 1 names, at 1234567890
./none/
mkdir again: File exists
read: line 1
read: line 2
at 14
rmdir: Directory not empty
unlink: Is a directory
outside: Capabilities insufficient
./sub/
./sub/b 5 bytes, 1 names, at 1234567890
./none/
./new/
./new/b.txt 4 bytes, 2 names, at 1234567890
./new/c.txt 4 bytes, 2 names, at 1234567890
./new/d.txt -> c.txt

{\"/w/new/b.txt\": b\"line\", \"/w/new/c.txt\": b\"line\", \"/w/sub/b\": b\"12345\"}
2 usage: tree DIR

",
    );
}

#[test]
fn rust() {
    prints(
        r#"
def run(seed):
    machine = wasm.wasi(
        args = ["report", "--flag", "x y"],
        env = {"B": "2", "A": "é"},
        stdin = "first\nsecond",
        seed = seed,
        now = 1700000000123456789,
        clock_step = 5,
    )
    instance = wasm.instantiate("report.wasm", wasi = machine)
    return instance, instance.start(), machine
instance, code, machine = run(1)
print(code, machine.exit_code, machine.stderr)
print(machine.stdout)
print(machine.files)
# It has exited, and can be called.
print(instance.exports.twice(21))
print(run(1)[2].stdout == machine.stdout, run(2)[2].stdout == machine.stdout)
"#,
        r#"5 5 done

args ["report", "--flag", "x y"]
vars [("B", "2"), ("A", "é")]
lines ["first", "second"]
time 1700000000.123456789s
slept 3600.000000005s
order [2, 3, 0, 1, 5, 4]
names [("deep", 0), ("copy", 3)]
missing NotFound

{"/out/copy": b"\x00\xff!"}
42
True False
"#,
    );
}

/// The module is too large for the repository.
#[test]
#[ignore = "needs fixtures/wasi/notes.wasm, which fixtures/wasi/build.sh makes where there is Go"]
fn go() {
    let mut sandbox = Sandbox::new();
    let module = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/wasi/notes.wasm");
    sandbox.file("notes.wasm", std::fs::read(module).unwrap());
    let script = r#"
machine = wasm.wasi(
    args = ["notes", "x"],
    env = {"WHO": "me"},
    stdin = "a\nb\n",
    now = 1700000000 * 1000000000,
    seed = 3,
)
instance = wasm.instantiate("notes.wasm", wasi = machine)
print(instance.start(), machine.exit_code, machine.files)
print(machine.stdout)
print(instance.exports.twice(21))
"#;
    let run = sandbox.run("test.star", script).unwrap_or_else(|error| panic!("{error}"));
    let want = r#"0 0 {"/out/b": b"content"}
args [notes x] me
line a
line b
time 2023-11-14 22:13:20
slept 1h0m0s
random 185605
walk / true
walk /out true
walk /out/b false
walk /out/c false
walk /out/deep true
read content <nil>
error: open /none: No such file or directory

42
"#;
    assert_eq!(run.output, want);
}
