//! `run --isolated`, and sessions in files. They need the evaluator's module: `cargo run -p wasmlark-make-core`.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("isolated").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn wasmlark(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_wasmlark")).args(args).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
#[ignore = "needs the evaluator's module"]
fn a_hostile_script_ends_with_a_message() {
    let folder = folder("hostile");
    fs::write(folder.join("large.star"), "x = {i: None for i in range(100000000)}\n").unwrap();
    let (status, _, errors) = wasmlark(
        &folder,
        &["run", "--isolated", "--max-heap", "16M", "--max-memory", "1M", "--max-files", "1M", "large.star"],
    );
    assert_eq!(status, 3, "{errors}");
    assert!(errors.contains("limit `heap` is reached"), "{errors}");
    fs::write(folder.join("long.star"), "def f():\n    x = 3\n    for _ in range(60): x = x * x\nf()\n").unwrap();
    let (status, _, errors) =
        wasmlark(&folder, &["run", "--isolated", "--max-cost", "100000000", "--stats", "long.star"]);
    assert_eq!(status, 3, "{errors}");
    assert!(errors.contains("the sandbox's limit `cost` is reached: 100000000"), "{errors}");
    assert!(errors.contains("\"cost\":"), "{errors}");
}

#[test]
#[ignore = "needs the evaluator's module"]
fn a_session_in_a_file() {
    let folder = folder("session");
    let script = "seen = []\ndef order(item, n = 1):\n    seen.append(item)\n    print('ordered', item)\n    return {'orders': len(seen), 'n': n}\n";
    fs::write(folder.join("shop.star"), script).unwrap();
    let saved = wasmlark(&folder, &["run", "--isolated", "--save", "shop.session", "shop.star"]);
    assert_eq!(saved, (0, String::new(), String::new()));
    for orders in 1..4 {
        let args = ["call", "--session", "shop.session", "--save", "shop.session", "order", "{\"id\": 7}", "2"];
        let (status, output, errors) = wasmlark(&folder, &args);
        assert_eq!((status, errors.as_str()), (0, ""));
        assert_eq!(output, format!("ordered {{\"id\": 7}}\n{{\"orders\": {orders}, \"n\": 2}}\n"));
    }
    // Without `--save` the file stays as it is.
    let (_, output, _) = wasmlark(&folder, &["call", "--session", "shop.session", "order", "tea"]);
    assert_eq!(output, "ordered tea\n{\"orders\": 4, \"n\": 1}\n");
    let (status, _, errors) = wasmlark(&folder, &["call", "--session", "shop.session", "oder"]);
    assert_eq!(status, 1);
    assert!(errors.contains("the script has no function `oder`; did you mean `order`?"), "{errors}");
    fs::write(folder.join("shop.session"), "no session").unwrap();
    let (status, _, errors) = wasmlark(&folder, &["call", "--session", "shop.session", "order", "tea"]);
    let message = "error: shop.session: cannot restore the session: these bytes are not a saved session\n";
    assert_eq!((status, errors.as_str()), (1, message));
}

#[test]
fn what_makes_no_sense_is_a_usage_error() {
    let folder = folder("usage");
    fs::write(folder.join("a.star"), "1\n").unwrap();
    for args in [
        &["run", "--max-cost", "5", "a.star"][..],
        &["run", "--save", "x", "a.star"],
        &["run", "--isolated", "--trace", "x", "a.star"],
        &["call", "--save", "x", "a.wasm", "f"],
        &["call", "a.wasm"],
    ] {
        let (status, _, errors) = wasmlark(&folder, args);
        assert_eq!(status, 2, "{args:?}: {errors}");
    }
}

#[test]
#[ignore = "needs the evaluator's module"]
fn tests_run_isolated() {
    let folder = folder("tests");
    let chunks = "# One.\nfail('a')  ### fail: a\n---\n# Two.\n# native: shares 4 GiB\nfail()\n";
    fs::write(folder.join("a_chunks.star"), chunks).unwrap();
    fs::write(folder.join("b_test.star"), "def test_it(): assert_eq(1, 1)\n").unwrap();
    let (status, out, errors) = wasmlark(&folder, &["test", "--isolated"]);
    let expected = "ok   a_chunks.star:1: One\nskip a_chunks.star:4: Two (shares 4 GiB)\nok   b_test.star:test_it\n\n\
                    2 passed, 0 failed, 1 skipped\n";
    assert_eq!((status, out.as_str(), errors.as_str()), (0, expected, ""));
    let (status, out, _) = wasmlark(&folder, &["test", "--isolated", "--max-cost", "1000"]);
    assert_eq!(status, 1);
    assert!(out.contains("the sandbox's limit `cost` is reached: 1000"), "{out}");
}

#[test]
fn coverage_is_not_counted_isolated() {
    let folder = folder("coverage");
    let (status, _, errors) = wasmlark(&folder, &["test", "--isolated", "--coverage", "c.info"]);
    assert_eq!(status, 2);
    assert!(errors.contains("'--isolated' cannot be used with '--coverage <FILE>'"), "{errors}");
}
