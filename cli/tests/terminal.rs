//! Colour and progress: on a terminal, and nowhere else.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TESTS: &str = "def test_good(): pass\ndef test_bad(): fail('no')\n";

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("terminal").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("a_test.star"), TESTS).unwrap();
    fs::write(folder.join("bad.star"), "fail('no')").unwrap();
    fs::write(folder.join("wrong.star"), "x = (").unwrap();
    folder
}

/// Runs a command line in a shell, and returns what it writes to both streams. `variables` are all that it finds set.
fn output(folder: &Path, line: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(folder).env("wasmlark", env!("CARGO_BIN_EXE_wasmlark"));
    for name in ["NO_COLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    let output = command.env("TERM", "xterm").envs(variables.iter().copied()).output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// The same on a terminal, which util-linux's `script` makes.
fn on_terminal(folder: &Path, line: &str, variables: &[(&str, &str)]) -> String {
    output(folder, &format!("script -qec '{line}' /dev/null < /dev/null"), variables)
}

#[test]
fn nothing_but_text_is_piped() {
    let folder = folder("piped");
    for line in
        ["$wasmlark test --jobs 1", "$wasmlark run bad.star", "$wasmlark check wrong.star", "$wasmlark run none"]
    {
        let text = output(&folder, line, &[]);
        assert!(!text.contains(['\x1b', '\r']) && !text.is_empty(), "{line}: {text:?}");
    }
}

#[test]
fn colours_can_be_forced_and_forbidden() {
    let folder = folder("forced");
    let run = |variables: &[(&str, &str)]| output(&folder, "$wasmlark run bad.star", variables);
    assert!(run(&[("CLICOLOR_FORCE", "1")]).contains("\n\x1b[1;31merror:\x1b[0m fail: no\n"));
    for variables in [&[("CLICOLOR_FORCE", "0")][..], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]] {
        assert!(!run(variables).contains('\x1b'), "{variables:?}");
    }
    let tests = output(&folder, "$wasmlark test --jobs 1", &[("CLICOLOR_FORCE", "1")]);
    assert!(
        tests.starts_with("\x1b[1;32mok  \x1b[0m a_test.star:test_good\n\x1b[1;31mFAIL\x1b[0m a_test.star:test_bad\n"),
        "{tests:?}"
    );
    assert!(!tests.contains('\r'), "{tests:?}");
}

#[test]
fn a_terminal_gets_colours_and_progress() {
    let folder = folder("terminal");
    let text = on_terminal(&folder, "$wasmlark run bad.star", &[]);
    assert!(text.contains("\x1b[1;31merror:\x1b[0m fail: no"), "{text:?}");
    let text = on_terminal(&folder, "$wasmlark test --jobs 1", &[]);
    assert!(text.contains("\r\x1b[K1 of 2\r\x1b[K\x1b[1;31mFAIL\x1b[0m a_test.star:test_bad"), "{text:?}");
    assert!(text.contains("\r\x1b[K2 of 2\r\x1b[K\r\n---- a_test.star:test_bad"), "{text:?}");
    // Progress is no colour: `NO_COLOR` leaves it.
    let text = on_terminal(&folder, "$wasmlark test --jobs 1", &[("NO_COLOR", "1")]);
    assert!(text.contains("\r\x1b[K1 of 2\r\x1b[KFAIL a_test.star:test_bad"), "{text:?}");
    let text = on_terminal(&folder, "$wasmlark test --jobs 1", &[("TERM", "dumb")]);
    assert!(!text.contains('\x1b'), "{text:?}");
}
