//! `wasmlark repl`, on a pipe.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("repl").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs `wasmlark repl` with these lines. Returns the exit status, stdout and stderr.
fn repl(folder: &Path, args: &[&str], lines: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
    command.arg("repl").args(args).current_dir(folder);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn values_are_printed_and_variables_stay() {
    let lines = r#"
x = 20
x * 2 + 2
None
print("printed")
def f(a):
    b = a + 1

    return b
if x == 20:
    x = f(x)
else:
    x = 0
# A comment.
[
    x,
    """of
several lines""",
]
guest = wasm.instantiate(wasm.wat('(module (memory (export "memory") 1) (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))'))
guest.exports.add(40, 2)
guest.exports.add
guest.memory.write(0, b"kept")
guest.memory.read(0, 4)"#;
    let expected = "42\nprinted\n[21, \"of\\nseveral lines\"]\n42\n<wasm.Function add(i32, i32) -> i32>\nb\"kept\"\n";
    assert_eq!(repl(&folder("values"), &[], lines), (0, expected.to_owned(), String::new()));
}

#[test]
fn an_error_leaves_the_session_alive() {
    let lines = "x = 1\nx = [2, fail('broken')]\nx\ny\nf(1))\n(\n'end'\n)\n";
    let (status, out, err) = repl(&folder("errors"), &[], lines);
    assert_eq!((status, out.as_str()), (1, "1\n\"end\"\n"), "{err}");
    let expected = "Traceback (most recent call last):
  * <console>:1, in <module>
      x = [2, fail('broken')]
error: fail: broken
 --> <console>:1:9
  |
1 | x = [2, fail('broken')]
  |         ^^^^^^^^^^^^^^
  |
error: Variable `y` not found, did you mean `x`?
 --> <console>:1:1
  |
1 | y
  | ^
  |
error: Parse error: unexpected symbol ')', expected new line
 --> <console>:1:5
  |
1 | f(1))
  |     ^
  |
";
    assert_eq!(err, expected);
}

#[test]
fn a_script_is_at_hand() {
    let folder = folder("script");
    fs::create_dir_all(folder.join("sub")).unwrap();
    fs::write(folder.join("sub/main.star"), "load('./lib.star', 'twice')\nbase = int(argv[0])\nbase").unwrap();
    fs::write(folder.join("sub/lib.star"), "def twice(x): return 2 * x").unwrap();
    fs::write(folder.join("sub/data.txt"), "data").unwrap();
    let lines = "twice(base)\nload('lib.star', t = 'twice')\nt(1)\nread_file('data.txt')\nargv\n";
    let expected = "42\n2\nb\"data\"\n[\"21\"]\n";
    assert_eq!(repl(&folder, &["sub/main.star", "21"], lines), (0, expected.to_owned(), String::new()));
    // A statement that fails keeps what it has set.
    fs::write(folder.join("half.star"), "a = 1\nfail('half')").unwrap();
    let (status, out, err) = repl(&folder, &["half.star"], "a");
    assert_eq!((status, out.as_str()), (1, "1\n"));
    assert!(err.contains(" --> half.star:2:1\n"), "{err}");
}

#[test]
fn exit_ends_it() {
    let folder = folder("exit");
    assert_eq!(repl(&folder, &[], "exit(7)\nprint('not reached')"), (7, String::new(), String::new()));
    assert_eq!(repl(&folder, &[], "exit()\nprint('not reached')"), (0, String::new(), String::new()));
    let why = "error: stdin: standard input is the console\n";
    assert!(repl(&folder, &[], "stdin()").2.contains(why));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_run() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
    command.args(["repl", "--fuel", "none"]).current_dir(folder("interrupt"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The guest loops forever.
    let lines = "loop = wasm.instantiate(wasm.wat('(module (func (export \"f\") (loop (br 0))))')).exports.f\n[print('begin'), loop()]\n";
    stdin.write_all(lines.as_bytes()).unwrap();
    drop(stdin);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "begin\n");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{err}");
    assert!(err.contains("[print('begin'), loop()]\n"), "{err}");
}

#[test]
fn a_profile_is_written_at_the_end() {
    let folder = folder("profile");
    let lines = r#"
guest = wasm.instantiate(wasm.wat('(module (func (export "f") (nop)) (func (export "g") unreachable))')).exports
def work(): guest.f()
work()
guest.f()
guest.g()
"#;
    let (status, _, err) = repl(&folder, &["--profile", "fuel.folded"], lines);
    assert_eq!(status, 1, "{err}");
    let folded = fs::read_to_string(folder.join("fuel.folded")).unwrap();
    let stacks: Vec<&str> = folded.lines().map(|line| line.rsplit_once(' ').unwrap().0).collect();
    assert_eq!(stacks, ["<console>:<module>;<console>:work;f", "<console>:<module>;f", "<console>:<module>;g"]);
}
