//! Files that the command reads: missing ones, ones that are too large, and others.

#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("files").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder.canonicalize().unwrap()
}

/// Runs the command. Returns its exit status and what it wrote to stderr.
fn wasmlark(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wasmlark")).args(args).current_dir(folder).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_missing_file_is_reported_with_its_folder() {
    let folder = folder("missing");
    fs::write(folder.join("main.star"), "wasm.Module('plugin.wasm')\n").unwrap();
    let (status, err) = wasmlark(&folder, &["run", "main.star"]);
    let place = folder.display();
    let expected = format!(
        "error: cannot load module \"plugin.wasm\": no such file in {place}, which is the root; `--root` sets another\n"
    );
    assert_eq!(status, Some(1));
    assert!(err.contains(&expected), "{err}");
}

#[test]
fn a_module_is_not_a_script() {
    let folder = folder("module");
    fs::write(folder.join("add.wat"), "(module)").unwrap();
    fs::write(folder.join("add.wasm"), b"\0asm\x01\0\0\0").unwrap();
    for name in ["add.wat", "add.wasm"] {
        for action in ["run", "check"] {
            let expected = format!(
                "error: {name} is a WebAssembly module, not a script: `wasmlark call` calls a function of it, \
                 `wasmlark wasi` runs it as a command, and a script loads it with `wasm.instantiate(NAME)`\n"
            );
            assert_eq!(wasmlark(&folder, &[action, name]), (Some(1), expected));
        }
    }
}

#[test]
fn a_large_file_is_refused_by_its_size() {
    let folder = folder("large");
    // The file is sparse: it takes no blocks on the disk.
    File::create(folder.join("large.wasm")).unwrap().set_len(5 << 30).unwrap();
    let why = "it has 5368709120 bytes, and at most 1073741824 are read";
    for args in [
        &["run", "large.wasm"][..],
        &["check", "large.wasm"],
        &["inspect", "large.wasm"],
        &["call", "large.wasm", "add"],
        &["wasi", "large.wasm"],
    ] {
        assert_eq!(wasmlark(&folder, args), (Some(1), format!("error: cannot read large.wasm: {why}\n")), "{args:?}");
    }
    fs::write(folder.join("main.star"), "wasm.Module('large.wasm')\n").unwrap();
    let (status, err) = wasmlark(&folder, &["run", "main.star"]);
    assert_eq!(status, Some(1));
    assert!(err.contains(&format!("error: cannot load module \"large.wasm\": {why}\n")), "{err}");
}

#[test]
fn a_limit_says_what_is_wanted() {
    let folder = folder("limits");
    for (option, value, why) in [
        ("--fuel", "abc", "'--fuel <N>': expected a whole number or `none`, got `abc`"),
        (
            "--max-memory",
            "5x",
            "'--max-memory <SIZE>': expected a number of bytes such as 65536, 64K, 16M or 1G, got `5x`",
        ),
    ] {
        let expected = format!("error: invalid value '{value}' for {why}\n\nFor more information, try '--help'.\n");
        assert_eq!(wasmlark(&folder, &["run", option, value, "main.star"]), (Some(2), expected));
    }
}
