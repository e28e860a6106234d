//! `wasmlark test`.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("test").join(name);
    let _ = fs::remove_dir_all(&folder);
    for (name, text) in files {
        fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        fs::write(folder.join(name), text).unwrap();
    }
    folder
}

/// Runs `wasmlark test` in a folder. Returns the exit status, stdout and stderr.
fn test(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
    let output = command.arg("test").args(args).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

const STATE: &str = r#"
load("./lib.star", "double")
guest = wasm.instantiate(wasm.wat('(module (func (export "f") unreachable))'))
seen = []

def test_first():
    seen.append(1)
    assert_eq(seen, [double(1) - 1])

def test_second():
    seen.append(2)
    assert_eq(seen, [2])

def test_errors_are_caught():
    assert_eq(assert_fails(guest.exports.f), "wasm trap: unreachable executed, in wasm function `f()`")
    assert_fails(lambda: fail("it is broken"), "broken")
    assert_fails(lambda: int("x"))
    assert_fails(lambda: [][0])
    assert_fails(lambda: assert_eq(1, 2), "got 1, want 2")

def test_all_that_holds():
    assert_ne(1, 2)
    assert_true([0])
    assert_false("")
    assert_contains({"a": 1}, "a")

def test_exit():
    exit()

def helper():
    fail("not a test")
"#;

const LIB: &str = "def double(x): return 2 * x\n";

#[test]
fn each_test_has_a_sandbox_of_its_own() {
    let folder = folder("state", &[("state_test.star", STATE), ("lib.star", LIB), ("other.star", "fail('no test')")]);
    let names = ["test_first", "test_second", "test_errors_are_caught", "test_all_that_holds", "test_exit"];
    let lines: String = names.iter().map(|name| format!("ok   state_test.star:{name}\n")).collect();
    let expected = (0, format!("{lines}\n5 passed, 0 failed, 0 skipped\n"), String::new());
    for jobs in ["1", "4"] {
        assert_eq!(test(&folder, &["--jobs", jobs]), expected);
    }
    assert_eq!(
        test(&folder, &["--filter", "nd"]).1,
        "ok   state_test.star:test_second\n\n1 passed, 0 failed, 0 skipped\n"
    );
    assert_eq!(test(&folder, &["--filter", "state_test.star:test_e"]).1.lines().count(), 4);
}

#[test]
fn a_failure_shows_its_place_and_what_was_printed() {
    let text = "def test_it():\n    print('before')\n    assert_eq('a\\nb\\nc', 'a\\nx\\nc', 'lines')\n";
    let folder = folder("failure", &[("sub/it_test.star", text), ("ok_test.star", "def test_ok(): pass")]);
    let expected = r#"ok   ok_test.star:test_ok
FAIL sub/it_test.star:test_it

---- sub/it_test.star:test_it
before

Traceback (most recent call last):
  * it_test.star:3, in test_it
      assert_eq('a\nb\nc', 'a\nx\nc', 'lines')
error: assert_eq: lines: the texts differ (- want, + got)
  a
- x
+ b
  c
 --> it_test.star:3:5
  |
3 |     assert_eq('a\nb\nc', 'a\nx\nc', 'lines')
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |

1 passed, 1 failed, 0 skipped
"#;
    assert_eq!(test(&folder, &["--junit", "report.xml"]), (1, expected.to_owned(), String::new()));
    let report = fs::read_to_string(folder.join("report.xml")).unwrap();
    for part in [
        "<testsuites tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\" ",
        "<testsuite name=\"sub/it_test.star\" tests=\"1\" failures=\"1\" ",
        "<testcase classname=\"ok_test.star\" name=\"test_ok\" ",
        "<failure message=\"assert_eq: lines: the texts differ (- want, + got)&#10;  a&#10;- x&#10;+ b&#10;  c\">Traceback",
        "--&gt; it_test.star:3:5&#10;",
        "<system-out>before&#10;</system-out>",
    ] {
        assert!(report.contains(part), "{part}\n{report}");
    }
}

/// Returns the message of the only test, which fails.
fn message(name: &str, statement: &str, args: &[&str]) -> String {
    let folder = folder(name, &[("it_test.star", &format!("def test_it():\n    {statement}\n"))]);
    let (status, out, _) = test(&folder, args);
    assert_eq!(status, 1, "{out}");
    let (_, report) = out.split_once("---- it_test.star:test_it\n").unwrap();
    let end = report.find("\n --> ").or_else(|| report.find("\n\n1")).or_else(|| report.find("\n\n0")).unwrap();
    report.split_at(end).0.rsplit("error: ").next().unwrap().to_owned()
}

#[test]
fn messages_say_how_values_differ() {
    for (number, (statement, expected)) in [
        ("assert_eq(3, 4)", "assert_eq: got 3, want 4"),
        ("assert_eq(1.0, '1.0')", "assert_eq: got 1.0, want \"1.0\""),
        ("assert_eq('a\\n', 'a')", "assert_eq: the texts differ in how lines end: got \"a\\n\", want \"a\""),
        (
            "assert_eq('x' * 90 + 'y', 'x' * 91)",
            "assert_eq: the values differ\n- …xxxxxxxxxxxxxxxxxxxxx\"\n+ …xxxxxxxxxxxxxxxxxxxxy\"",
        ),
        (
            "assert_eq([1, 'long' * 20], [2, 'long' * 20])",
            "assert_eq: the values differ (- want, + got)\n  [\n-   2,\n+   1,\n    \
             \"longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglong\"\n  ]",
        ),
        ("assert_ne('a', 'a')", "assert_ne: both are \"a\""),
        ("assert_true([], message = 'none there')", "assert_true: none there: got []"),
        ("assert_false(1)", "assert_false: got 1"),
        ("assert_contains('abc', 'd')", "assert_contains: \"d\" is not in \"abc\""),
        ("assert_fails(lambda: 3)", "assert_fails: the function did not fail, but returned 3"),
        (
            "assert_fails(lambda: fail('a'), 'b')",
            "assert_fails: the function failed with another message\n- b\n+ fail: a",
        ),
        ("assert_fails(lambda: exit(3))", "the script exited with code 3"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(message(&format!("message{number}"), statement, &[]), expected, "{statement}");
    }
}

#[test]
fn limits_are_not_caught() {
    let ticks = message("ticks", "assert_fails(lambda: [x for x in range(1 << 30)])", &["--max-ticks", "10000"]);
    assert_eq!(ticks, "the sandbox's limit `ticks` is reached: 10000");
    let loops = "guest = wasm.instantiate(wasm.wat('(module (func (export \"f\") (loop (br 0))))'))";
    let fuel = message("fuel", &format!("{loops}\n    assert_fails(guest.exports.f)"), &["--fuel", "1000"]);
    assert_eq!(fuel, "the sandbox's fuel is used up: limit `fuel` is 1000, in wasm function `f()`");
}

#[test]
fn a_file_that_does_not_load_fails() {
    let folder = folder("broken", &[("a_test.star", "load('b.star', 'b')\ndef test_a(): pass")]);
    let (status, out, _) = test(&folder, &[]);
    assert_eq!(status, 1);
    assert!(out.starts_with("FAIL a_test.star\n\n---- a_test.star\n"), "{out}");
    assert!(
        out.contains("error: cannot load file \"b.star\": no such file in ")
            && out.ends_with("\n0 passed, 1 failed, 0 skipped\n")
    );
}

#[test]
fn no_test_is_an_error() {
    let folder = folder("none", &[("a.star", "def test_a(): pass"), (".hidden/a_test.star", "def test_a(): pass")]);
    let why = "error: no tests in .: a test is a function `test_*` in a file `*_test.star`, or a chunk of a file `*_chunks.star`\n".to_owned();
    assert_eq!(test(&folder, &[]), (1, String::new(), why));
    // A file that is named explicitly is accepted.
    assert_eq!(test(&folder, &["a.star"]).1, "ok   a.star:test_a\n\n1 passed, 0 failed, 0 skipped\n");
    let (status, _, err) = test(&folder, &["missing"]);
    assert!(status == 1 && err.starts_with("error: cannot read missing: "), "{err}");
}

#[test]
fn check_knows_the_functions_of_tests() {
    let text = "def test_a(): assert_eq(1, 1)";
    let folder = folder("check", &[("a_test.star", text), ("a.star", text)]);
    let check = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
        command.args(["check", name]).current_dir(&folder).output().unwrap().status.code()
    };
    assert_eq!((check("a_test.star"), check("a.star")), (Some(0), Some(1)));
}

const CHOICE: &str = r#"def choose(n):
    """A docstring."""
    if n > 1:
        return "many"
    elif n == 1:
        return "one"
    for _ in range(n):
        pass
    return "none"

def short(n):
    return n + 1

def unused():
    x = 1
    return x
"#;

const CHOICE_TEST: &str = r#"load("lib.star", "choose", "short")

def test_one():
    assert_eq(choose(1), "one")

def test_none():
    for n in [0, -1, -2]:
        assert_eq(choose(n), "none")
    assert_eq(short(1), 2)
"#;

#[test]
fn coverage_is_written_for_lcov() {
    let folder = folder(
        "coverage",
        &[("a/lib.star", CHOICE), ("a/a_test.star", CHOICE_TEST), ("b/b_test.star", "def test_it():\n    fail()\n")],
    );
    for jobs in ["1", "3"] {
        assert_eq!(test(&folder, &["--coverage", "c.info", "--jobs", jobs]).0, 1);
        let expected = "\
SF:a/a_test.star
DA:3,2
DA:4,1
DA:6,2
DA:7,1
DA:8,3
DA:9,1
LF:6
LH:6
end_of_record
SF:a/lib.star
DA:1,1
DA:3,4
DA:4,0
DA:5,4
DA:6,1
DA:7,3
DA:9,3
DA:11,1
DA:14,1
DA:15,0
DA:16,0
LF:11
LH:8
end_of_record
SF:b/b_test.star
DA:1,1
DA:2,1
LF:2
LH:2
end_of_record
";
        assert_eq!(fs::read_to_string(folder.join("c.info")).unwrap(), expected);
    }
}

#[test]
fn a_test_that_takes_too_long_fails_alone() {
    let spin = "guest = wasm.instantiate(wasm.wat('(module (func (export \"f\") (loop (br 0))))'))
def test_fast(): pass
def test_guest(): guest.exports.f()
def test_script():
    for _ in range(1 << 30): pass
";
    let folder = folder(
        "timeout",
        &[("spin_test.star", spin), ("top_test.star", "[n for n in range(1 << 30)]\ndef test_it(): pass\n")],
    );
    let (status, out, _) = test(&folder, &["--timeout", "200ms", "--fuel", "none", "--max-ticks", "1000000000000"]);
    assert_eq!(status, 1);
    assert!(
        out.starts_with(
            "\
ok   spin_test.star:test_fast
FAIL spin_test.star:test_guest
FAIL spin_test.star:test_script
FAIL top_test.star:test_it
"
        ),
        "{out}"
    );
    assert_eq!(out.matches("error: the deadline of 200ms has passed;").count(), 3, "{out}");
    assert!(out.ends_with("\n1 passed, 3 failed, 0 skipped\n"), "{out}");
}

#[test]
fn a_profile_has_the_fuel_of_all_tests() {
    let script = r#"
guest = wasm.instantiate(wasm.wat('''(module
    (func $add (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func (export "run") (result i32) (call $add (call $add (i32.const 0)))))''')).exports
def work():
    return guest.run()
def test_one():
    work()
def test_two():
    work()
    work()
"#;
    let folder = folder("profile", &[("a_test.star", script), ("b_test.star", "def test_b(): pass")]);
    let (status, _, err) = test(&folder, &["--profile", "fuel.folded"]);
    assert_eq!((status, err.as_str()), (0, ""));
    let folded = fs::read_to_string(folder.join("fuel.folded")).unwrap();
    let expected = [
        "a_test.star:test_one;a_test.star:work;run 4\n",
        "a_test.star:test_one;a_test.star:work;run;add 8\n",
        "a_test.star:test_two;a_test.star:work;run 8\n",
        "a_test.star:test_two;a_test.star:work;run;add 16\n",
    ];
    assert_eq!(folded, expected.concat());
    assert_eq!(test(&folder, &["--profile", "fuel.svg"]).0, 0);
    let picture = fs::read_to_string(folder.join("fuel.svg")).unwrap();
    assert!(picture.starts_with("<svg ") && picture.contains("Fuel: 36"), "{picture}");
    assert_eq!(test(&folder, &["--profile", "no/such/folder"]).0, 1);
    assert_eq!(test(&folder, &["--profile", "a", "--backtrace"]).0, 2);
}
