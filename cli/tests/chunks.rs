//! `wasmlark test` with files of chunks.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "../../tests/common/golden.rs"]
mod golden;

fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("chunks").join(name);
    let _ = fs::remove_dir_all(&folder);
    for (name, text) in files {
        fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        fs::write(folder.join(name), text).unwrap();
    }
    folder
}

/// Runs a command of `wasmlark` in a folder. Returns the exit status, stdout and stderr.
fn wasmlark(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
    let output = command.args(args).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn test(folder: &Path, args: &[&str]) -> (i32, String, String) {
    wasmlark(folder, &[&["test"], args].concat())
}

/// Returns what is wrong with the chunks of a file, as it is printed: everything between the list of tests and the counts.
fn report(name: &str, text: &str, args: &[&str]) -> String {
    let folder = folder(name, &[("t_chunks.star", text)]);
    let (status, out, err) = test(&folder, args);
    assert_eq!((status, err.as_str()), (1, ""), "{out}");
    let (_, report) = out.split_once("\n\n").unwrap();
    report.rsplit_once("\n\n").unwrap().0.to_owned()
}

/// The page about testing has files, in blocks with a name, and what the command prints about them.
#[test]
fn the_page_of_the_guide_shows_what_is_printed() {
    let page = "../docs/guide/testing.md";
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let folder = folder("page", &[]);
    fs::create_dir_all(&folder).unwrap();
    for block in text.split("\n```python ").skip(1) {
        let (name, block) = block.split_once('\n').unwrap();
        fs::write(folder.join(name), block.split_once("```\n").unwrap().0).unwrap();
    }
    let mut blocks = text.split("\n```console\n");
    let mut shown = blocks.next().unwrap().to_owned();
    for block in blocks {
        let (block, rest) = block.split_once("\n```\n").unwrap();
        let line = block.lines().next().unwrap();
        let args = line.strip_prefix("$ wasmlark test").unwrap().trim().replace('"', "");
        let (options, filter) = args.split_once(" --filter ").unwrap_or((&args, ""));
        let options: Vec<&str> = options.split_whitespace().chain(["--filter", filter]).collect();
        let (_, out, err) = test(&folder, &options);
        assert_eq!(err, "");
        shown.push_str(&format!("\n```console\n{line}\n{}\n```\n{rest}", out.trim_end()));
    }
    golden::compare(page, &shown, "cargo test --package wasmlark-cli --test chunks").unwrap();
}

const RIGHT: &str = r#"# Success.
load("lib.star", "double", "refuse")
assert_eq(double(2), 4)
refuse()  ### fail: no
---
# Errors, and files.
# file: a.star
#| x = 5
# file: m.wasm
#| (module)
load("a.star", "x")
wasm.Module("m.wasm")
fail("a\nb")  ### fail: a\nb
fail("c")  ### fail: c
assert_eq(x, 5)
---
# A line in a block.
# limits: ticks=2000
def f():
    for _ in range(1000000):
        pass  ### the sandbox's limit `ticks` is reached: 2000
f()
---
# A script that cannot be parsed.
x = = 1  ### Parse error: unexpected symbol '=', expected expression
---
# Left out: for now.
# skip: takes "long"
fail()
"#;

const LIB: &str = "def double(x):\n    y = x * 2\n    return y\ndef refuse():\n    fail(\"no\")\n";

#[test]
fn each_chunk_is_a_test() {
    let folder = folder("right", &[("sub/a_chunks.star", RIGHT), ("sub/lib.star", LIB), ("b_chunks.txt", "x")]);
    let names = [
        "ok   sub/a_chunks.star:1: Success\n",
        "ok   sub/a_chunks.star:6: Errors, and files\n",
        "ok   sub/a_chunks.star:17: A line in a block\n",
        "ok   sub/a_chunks.star:24: A script that cannot be parsed\n",
        "skip sub/a_chunks.star:27: Left out: for now (takes \"long\")\n",
    ];
    let expected = (0, names.concat() + "\n4 passed, 0 failed, 1 skipped\n", String::new());
    for jobs in ["1", "4"] {
        assert_eq!(test(&folder, &["--jobs", jobs]), expected);
    }
    let (_, one, _) = test(&folder, &["--filter", "a_chunks.star:6:"]);
    assert_eq!(one, names[1].to_owned() + "\n1 passed, 0 failed, 0 skipped\n");
    assert_eq!(test(&folder, &["--junit", "j.xml", "--coverage", "c.info"]), expected);
    let junit = fs::read_to_string(folder.join("j.xml")).unwrap();
    for part in [
        "<testsuites tests=\"5\" failures=\"0\" errors=\"0\" skipped=\"1\" ",
        "<testcase classname=\"sub/a_chunks.star\" name=\"6: Errors, and files\" ",
        ">\n      <skipped message=\"takes &quot;long&quot;\"/>\n    </testcase>\n",
    ] {
        assert!(junit.contains(part), "{part}\n{junit}");
    }
    let coverage = fs::read_to_string(folder.join("c.info")).unwrap();
    // The files that a chunk makes are not files of the folder.
    let files: Vec<&str> = coverage.lines().filter_map(|line| line.strip_prefix("SF:")).collect();
    assert_eq!(files, ["sub/a_chunks.star", "sub/lib.star"]);
    assert!(
        coverage.ends_with("SF:sub/lib.star\nDA:1,2\nDA:2,2\nDA:3,2\nDA:4,2\nDA:5,1\nLF:5\nLH:5\nend_of_record\n"),
        "{coverage}"
    );
}

#[test]
fn what_is_wrong_is_told() {
    for (name, text, expected) in [
        (
            "unexpected",
            "# One.\nprint('seen')\nassert_eq(1, 2)\n",
            "---- t_chunks.star:1: One\nseen\n\nt_chunks.star:3: this line failed; if it should, write `### MESSAGE` behind it\n\
             Traceback (most recent call last):\n  * t_chunks.star:3, in <module>\n      assert_eq(1, 2)\n\
             error: assert_eq: got 1, want 2\n --> t_chunks.star:3:1\n  |\n3 | assert_eq(1, 2)\n  | ^^^^^^^^^^^^^^^\n  |",
        ),
        (
            "rest",
            "# One.\nfail('a')  ### fail: a\nassert_eq(1, 2)\n",
            "---- t_chunks.star:1: One\nt_chunks.star:3: this line failed; if it should, write `### MESSAGE` behind it\n\
             Traceback (most recent call last):\n  * t_chunks.star:3, in <module>\n      assert_eq(1, 2)\n\
             error: assert_eq: got 1, want 2\n --> t_chunks.star:3:1\n  |\n3 | assert_eq(1, 2)\n  | ^^^^^^^^^^^^^^^\n  |",
        ),
        (
            "did_not_fail",
            "# One.\nx = 1  ### fail: a\n",
            "---- t_chunks.star:1: One\nt_chunks.star:2: this line has a mark, but did not fail, or was not reached; \
             take the mark away, or let the line fail",
        ),
        (
            "another_line",
            "# One.\ndef f():\n    fail('a')\nf()  ### fail: a\n",
            "---- t_chunks.star:1: One\nt_chunks.star:4: line 3 failed, and not this line, which has a mark\n\
             Traceback (most recent call last):\n  * t_chunks.star:4, in <module>\n      f()  ### fail: a\n  \
             * t_chunks.star:3, in f\n      fail('a')\nerror: fail: a\n --> t_chunks.star:3:5\n  |\n3 |     fail('a')\n  |     ^^^^^^^^^\n  |",
        ),
        (
            "another_message",
            "# One.\nfail('a b')  ### fail: a c\nfail('a\\nb')  ### fail: a\\nc\nfail('x')  ###\n",
            "---- t_chunks.star:1: One\n\
             t_chunks.star:2: this line failed with another message (- its mark, + the script); `--update` writes the new one\n\
             - fail: a c\n+ fail: a b\n          ^\n\n\
             t_chunks.star:3: this line failed with another message (- its mark, + the script); `--update` writes the new one\n  \
             fail: a\n- c\n+ b\n  ^\n\n\
             t_chunks.star:4: this line failed with another message (- its mark, + the script); `--update` writes the new one\n\
             - \n+ fail: x\n  ^",
        ),
        (
            "missing_file",
            "# One.\nload('none.star', 'x')\n",
            "---- t_chunks.star:1: One\nt_chunks.star:2: this line failed; if it should, write `### MESSAGE` behind it\n\
             error: file \"none.star\" not found\n --> t_chunks.star:2:1\n  |\n2 | load('none.star', 'x')\n  | ^^^^^^^^^^^^^^^^^^^^^^\n  |",
        ),
    ] {
        assert_eq!(report(name, text, &[]), expected, "{name}");
    }
}

#[test]
fn mistakes_in_chunks_say_what_to_write() {
    let no_title = "a chunk begins with a comment that is its title, such as `# Division by zero.`";
    let directive = "`# limit: fuel=5` is not a directive; these are `# limits: NAME=VALUE …`, `# file: NAME`, `# backtrace: on`, \
                     `# native: REASON` and `# skip: REASON`, and another comment does not begin with a word in lower case and a \
                     colon";
    for (number, (text, place, message)) in [
        ("", "1", no_title),
        ("x = 1\n", "1", no_title),
        ("#\n", "1", no_title),
        ("# limits: fuel=5\n", "1", no_title),
        ("# One.\n---\n\n# Two.\n", "3", no_title),
        ("# One.\n---\n", "3", no_title),
        ("# One.\n---\n# Two.\n\n# limit: fuel=5\n", "5", directive),
        ("# One.\n# limits: fule=5\n", "2", "there is no limit `fule`; did you mean `fuel`?"),
        (
            "# One.\n# file: m.wasm\n#| (modul)\n",
            "2",
            "cannot make the file \"m.wasm\": expected valid module field\n     --> m.wasm:1:2\n      |\n    1 | (modul)\n      |  ^",
        ),
        (
            "# One.\nx = 1\n#| y = 1\n",
            "3",
            "`#| y = 1` belongs to no file; lines of content follow `# file: NAME` at once",
        ),
        ("# One.\n### fail: a\nfail('a')\n", "2", "a mark `### MESSAGE` stands behind a statement, on the same line"),
    ]
    .into_iter()
    .enumerate()
    {
        let report = report(&format!("mistake{number}"), text, &[]);
        let (_, report) = report.split_once('\n').unwrap();
        assert_eq!(report, format!("t_chunks.star:{place}: {message}"));
    }
    // A mistake in one chunk leaves the others alone.
    let folder = folder("one_mistake", &[("t_chunks.star", "# One.\n---\nx = 1\n")]);
    let (_, out, _) = test(&folder, &[]);
    assert!(out.starts_with("ok   t_chunks.star:1: One\nFAIL t_chunks.star:3\n"), "{out}");
}

#[test]
fn new_messages_are_written() {
    let text =
        "# One.\r\nfail('a')  ### old\r\n---\n# Two.\nfail('b\\nc')  ###\nfail('c')  ### fail: c\nx = 1  ### kept";
    let folder = folder("update", &[("t_chunks.star", text), ("u_chunks.star", "# Nothing to do.\n")]);
    let (status, out, _) = test(&folder, &["--update"]);
    assert_eq!(status, 1, "{out}");
    let (_, out) = out.split_once("\nok   u_chunks.star:1: Nothing to do\n").unwrap();
    let expected = "
---- t_chunks.star:4: Two
t_chunks.star:7: this line has a mark, but did not fail, or was not reached; take the mark away, or let the line fail

t_chunks.star:2: updated
- old
+ fail: a

t_chunks.star:5: updated
- 
+ fail: b\\nc

2 passed, 1 failed, 0 skipped
";
    assert_eq!(out, expected);
    let updated = "# One.\r\nfail('a')  ### fail: a\r\n---\n# Two.\nfail('b\\nc')  ### fail: b\\nc\nfail('c')  ### fail: c\nx = 1  ### kept";
    assert_eq!(fs::read_to_string(folder.join("t_chunks.star")).unwrap(), updated);
    let (_, again, _) = test(&folder, &["--update"]);
    assert!(!again.contains("updated"), "{again}");
}

#[test]
fn limits_of_a_chunk_replace_those_of_the_command_line() {
    let spin = "guest = wasm.instantiate(wasm.wat('(module (func (export \"f\") (loop (br 0))))'))\n";
    let text = format!(
        "# Its own.\n# limits: fuel=500\n{spin}guest.exports.f()  ### the sandbox's fuel is used up: limit `fuel` is 500, in \
         wasm function `f()`\n---\n# Those of the command line.\n{spin}guest.exports.f()  ### the sandbox's fuel is used up: \
         limit `fuel` is 700, in wasm function `f()`\n"
    );
    let folder = folder("limits", &[("t_chunks.star", &text)]);
    assert_eq!(test(&folder, &["--fuel", "700"]).0, 0);
    let slow = report(
        "timeout",
        &format!("# One.\n{spin}guest.exports.f()  ### x\n"),
        &["--timeout", "100ms", "--fuel", "none"],
    );
    assert!(
        slow.starts_with("---- t_chunks.star:1: One\nt_chunks.star:3: the run for this mark took too long\n"),
        "{slow}"
    );
}

#[test]
fn a_profile_and_backtraces_are_of_all_runs() {
    let guest = "guest = wasm.instantiate(wasm.wat('''(module\n    (func $inner unreachable)\n    \
                 (func (export \"f\") (param i32) (if (local.get 0) (then (call $inner)))))'''))\n";
    let text = format!(
        "# One.\n# backtrace: on\n{guest}guest.exports.f(0)\ndef frames(): return [frame.name for frame in \
                        wasm.attempt(guest.exports.f, 1).trap.frames]\nassert_eq(frames(), ['inner', 'f'])\n"
    );
    let folder = folder(
        "frames",
        &[
            ("t_chunks.star", &text),
            ("u_chunks.star", &format!("# Two.\n{guest}guest.exports.f(0)\nfail()  ### fail:\n")),
        ],
    );
    assert_eq!(
        test(&folder, &[]),
        (
            0,
            "ok   t_chunks.star:1: One\nok   u_chunks.star:1: Two\n\n2 passed, 0 failed, 0 skipped\n".to_owned(),
            String::new()
        )
    );
    assert_eq!(test(&folder, &["--profile", "p.folded", "u_chunks.star"]).0, 0);
    let profile = fs::read_to_string(folder.join("p.folded")).unwrap();
    // Once without the marked line, and once with it.
    assert_eq!(profile, "u_chunks.star:<module>;f 6\n");
}

#[test]
fn chunks_are_checked_one_by_one() {
    let text = "# One.\nload('lib.star', 'double')\ndouble(x)  ### x\n---\n# Two.\n# file: made.star\n#| z = 1\n\
                load('made.star', 'z')\nassert_eq(z, a)\n";
    let folder = folder("check", &[("t_chunks.star", text), ("lib.star", LIB)]);
    let expected = "t_chunks.star:9:14: error: Variable `a` not found, did you mean `z`? [type]\n";
    assert_eq!(wasmlark(&folder, &["check", "t_chunks.star"]), (1, expected.to_owned(), String::new()));
    fs::write(folder.join("t_chunks.star"), "# One.\n---\nx = 1\n").unwrap();
    let expected =
        "error: t_chunks.star:3: a chunk begins with a comment that is its title, such as `# Division by zero.`\n";
    assert_eq!(wasmlark(&folder, &["check", "t_chunks.star"]), (1, String::new(), expected.to_owned()));
}
