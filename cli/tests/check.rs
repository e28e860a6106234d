//! `wasmlark check`, `wasmlark doc` and `wasmlark --version`.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn places_are_printed_as_compilers_print_them() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("check");
    fs::create_dir_all(folder.join("lib")).unwrap();
    fs::write(folder.join("lib/a.star"), "def f(x: int):\n    return x\n").unwrap();
    fs::write(folder.join("main.star"), "load('lib/a.star', 'f')\nf('1')\n").unwrap();
    fs::write(folder.join("good.star"), "load('lib/a.star', 'f')\nf(1)\n").unwrap();
    fs::write(folder.join("lint.star"), "def f(x):\n    if x:\n        return 1\n").unwrap();
    let check = |args: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_wasmlark")).arg("check").args(args).current_dir(&folder).output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code(), out, err)
    };
    let error = "main.star:2:3: error: Expected type `int` but got `str` [type]\n";
    assert_eq!(check(&["main.star"]), (Some(1), error.to_owned(), String::new()));
    assert_eq!(check(&["good.star"]), (Some(0), String::new(), String::new()));
    assert_eq!(check(&["good.star", "main.star"]), (Some(1), error.to_owned(), String::new()));
    let (status, out, _) = check(&["lint.star"]);
    assert_eq!(status, Some(0), "a warning is not a failure");
    assert!(out.starts_with("lint.star:1:1: warning: No `return` at the end"), "{out}");
    let (status, out, _) = check(&["--error-format", "json", "main.star"]);
    assert_eq!(status, Some(1));
    let line: serde_json::Value = serde_json::from_str(&out).unwrap();
    let expected = serde_json::json!({
        "file": "main.star", "line": 2, "column": 3, "end_line": 2, "end_column": 6, "severity": "error", "rule": "type",
        "message": "Expected type `int` but got `str`",
    });
    assert_eq!(line, expected);
    let (status, out, _) = check(&["--format", "sarif", "good.star", "main.star", "lint.star"]);
    assert_eq!(status, Some(1));
    let log: serde_json::Value = serde_json::from_str(&out).unwrap();
    let at = |path: &str| log.pointer(path).cloned().unwrap_or_default();
    assert_eq!(at("/version"), "2.1.0");
    let region = serde_json::json!({ "startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 6 });
    let result = serde_json::json!({
        "ruleId": "type", "level": "error", "message": { "text": "Expected type `int` but got `str`" },
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": "main.star" }, "region": region } }],
    });
    assert_eq!(at("/runs/0/results/0"), result);
    assert_eq!(at("/runs/0/results/1/level"), "warning");
    assert_eq!(at("/runs/0/results/2"), serde_json::Value::Null);
    let rules = serde_json::json!([{ "id": "missing-return" }, { "id": "type" }]);
    assert_eq!(at("/runs/0/tool/driver/rules"), rules);
    let (status, _, err) = check(&["nothing.star"]);
    assert_eq!(status, Some(1));
    assert!(err.starts_with("error: cannot read nothing.star: "), "{err}");
    assert_eq!(check(&[]).0, Some(2));
}

#[test]
fn entries_of_the_reference_are_printed() {
    let doc = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_wasmlark")).arg("doc").args(args).output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code(), out, err)
    };
    let (status, out, _) = doc(&["wasm.Memory.read"]);
    assert_eq!(status, Some(0));
    assert!(out.contains("def wasm.Memory.read(offset: int, length: int, /) -> bytes"), "{out}");
    let (status, out, _) = doc(&[]);
    assert_eq!(status, Some(0));
    assert!(out.contains("# wasm\n") && out.contains("# Memory\n") && out.contains("# Wasi\n"));
    let error = "error: the script API has no `wasm.nothing`; `wasmlark doc wasm` lists what it has\n";
    assert_eq!(doc(&["wasm.nothing"]), (Some(1), String::new(), error.to_owned()));
}

#[test]
fn the_version_names_those_that_decide_what_a_script_computes() {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock")).unwrap();
    let locked = |name: &str| {
        let package = lock.split("[[package]]").filter(|package| package.contains(&format!("name = \"{name}\"\n")));
        // The harness that compares engines also depends on an older wasmi.
        let versions = package.filter_map(|package| package.split("version = \"").nth(1)?.split('"').next());
        versions.max().unwrap().to_owned()
    };
    let output = Command::new(env!("CARGO_BIN_EXE_wasmlark")).arg("--version").output().unwrap();
    let expected = format!(
        "wasmlark {} (starlark {}, wasmi {})\n",
        env!("CARGO_PKG_VERSION"),
        locked("starlark"),
        locked("wasmi")
    );
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}
