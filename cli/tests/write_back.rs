//! `wasmlark wasi --write-back`: what happens to the host's files.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The actions of a guest, in the folder of descriptor 3.
enum Do {
    Write(&'static str, &'static str),
    Mkdir(&'static str),
    Rmdir(&'static str),
    Unlink(&'static str),
    Rename(&'static str, &'static str),
    Symlink(&'static str, &'static str),
}

/// Returns a guest that performs these actions, and traps if one fails.
fn guest(steps: &[Do]) -> Vec<u8> {
    let mut data = String::new();
    let mut at = 1024;
    let mut put = |text: &str| {
        let bytes: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        data += &format!("(data (i32.const {at}) \"{bytes}\")\n");
        let place = format!("(i32.const {at}) (i32.const {})", text.len());
        at += text.len() + 1;
        place
    };
    let three = "(i32.const 3)";
    let body: String = steps
        .iter()
        .map(|step| match step {
            Do::Write(path, text) => {
                let (path, text) = (put(path), put(text));
                let (ptr, len) = text.split_once(") ").unwrap();
                format!(
                    "(call $check (call $open {three} (i32.const 0) {path} (i32.const 9) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 0)))
                     (i32.store (i32.const 8) {ptr})) (i32.store (i32.const 12) {len})
                     (call $check (call $write (i32.load (i32.const 0)) (i32.const 8) (i32.const 1) (i32.const 16)))
                     (call $check (call $close (i32.load (i32.const 0))))"
                )
            }
            Do::Mkdir(path) => format!("(call $check (call $mkdir {three} {}))", put(path)),
            Do::Rmdir(path) => format!("(call $check (call $rmdir {three} {}))", put(path)),
            Do::Unlink(path) => format!("(call $check (call $unlink {three} {}))", put(path)),
            Do::Rename(from, to) => format!("(call $check (call $rename {three} {} {three} {}))", put(from), put(to)),
            Do::Symlink(target, path) => format!("(call $check (call $symlink {} {three} {}))", put(target), put(path)),
        })
        .collect();
    let imports: String = [
        ("open", "path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32"),
        ("write", "fd_write", "i32 i32 i32 i32"),
        ("close", "fd_close", "i32"),
        ("mkdir", "path_create_directory", "i32 i32 i32"),
        ("rmdir", "path_remove_directory", "i32 i32 i32"),
        ("unlink", "path_unlink_file", "i32 i32 i32"),
        ("rename", "path_rename", "i32 i32 i32 i32 i32 i32"),
        ("symlink", "path_symlink", "i32 i32 i32 i32 i32"),
    ]
    .map(|(name, import, params)| {
        format!("(import \"wasi_snapshot_preview1\" \"{import}\" (func ${name} (param {params}) (result i32)))\n")
    })
    .concat();
    let text = format!(
        "(module {imports} (memory (export \"memory\") 1) {data}
         (func $check (param i32) (if (local.get 0) (then (unreachable))))
         (func (export \"_start\") {body}))"
    );
    wat::parse_str(text).unwrap()
}

/// Returns an empty folder for the test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("write_back_{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn run_with(folder: &Path, dirs: &[&str], steps: &[Do]) -> Output {
    let module = folder.with_extension("wasm");
    fs::write(&module, guest(steps)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
    command.current_dir(folder).arg("wasi").arg("--write-back");
    for dir in dirs {
        command.args(["--dir", dir]);
    }
    command.arg(module).output().unwrap()
}

fn run(folder: &Path, steps: &[Do]) -> Output {
    run_with(folder, &[".:/"], steps)
}

#[track_caller]
fn ends(output: &Output, status: i32, stderr: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), stderr);
    assert_eq!(output.status.code(), Some(status));
}

/// Returns every path below a folder, with the content of files and the targets of links.
fn tree(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(at) = pending.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            found.push(if kind.is_symlink() {
                format!("{name} -> {}", fs::read_link(&path).unwrap().display())
            } else if kind.is_dir() {
                pending.push(path);
                name + "/"
            } else if kind.is_file() {
                format!("{name}: {}", fs::read_to_string(&path).unwrap())
            } else {
                name + " (special)"
            });
        }
    }
    found.sort();
    found
}

/// Files that the guest never read are moved, renamed and replaced all the same.
#[test]
fn names_change_without_the_content() {
    let folder = folder("names");
    for name in ["a", "b", "c", "d"] {
        fs::write(folder.join(name), name.repeat(3)).unwrap();
    }
    fs::set_permissions(folder.join("a"), fs::Permissions::from_mode(0o640)).unwrap();
    let kept = fs::metadata(folder.join("d")).unwrap().ino();
    let steps =
        [Do::Rename("a", "t"), Do::Rename("b", "a"), Do::Rename("t", "b"), Do::Rename("c", "new"), Do::Write("e", "e")];
    ends(&run(&folder, &steps), 0, "");
    assert_eq!(tree(&folder), ["a: bbb", "b: aaa", "d: ddd", "e: e", "new: ccc"]);
    assert_eq!(fs::metadata(folder.join("b")).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::metadata(folder.join("d")).unwrap().ino(), kept);
}

#[test]
fn files_move_from_one_folder_to_another() {
    let folder = folder("two");
    for name in ["one", "two"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    fs::write(folder.join("one/x"), "x").unwrap();
    fs::write(folder.join("two/y"), "y").unwrap();
    let steps = [Do::Rename("one/x", "two/x"), Do::Rename("two/y", "one/y")];
    ends(&run_with(&folder, &["one", "two"], &steps), 0, "");
    assert_eq!(tree(&folder), ["one/", "one/y: y", "two/", "two/x: x"]);
}

#[test]
fn files_and_folders_change_kinds() {
    let folder = folder("kinds");
    fs::write(folder.join("file"), "old").unwrap();
    fs::create_dir(folder.join("dir")).unwrap();
    fs::write(folder.join("dir/in"), "in").unwrap();
    fs::write(folder.join("same"), "same").unwrap();
    let steps = [
        Do::Unlink("file"),
        Do::Mkdir("file"),
        Do::Write("file/x", "x"),
        Do::Unlink("dir/in"),
        Do::Rmdir("dir"),
        Do::Write("dir", "now a file"),
        Do::Mkdir("empty"),
    ];
    ends(&run(&folder, &steps), 0, "");
    assert_eq!(tree(&folder), ["dir: now a file", "empty/", "file/", "file/x: x", "same: same"]);
}

#[test]
fn links_are_written_or_reported_and_their_folders_stay() {
    let folder = folder("links");
    fs::create_dir_all(folder.join("in/gone")).unwrap();
    fs::write(folder.join("in/gone/g"), "g").unwrap();
    fs::write(folder.join("in/f"), "f").unwrap();
    let steps = [
        Do::Unlink("gone/g"),
        Do::Symlink("../f", "gone/s"),
        Do::Mkdir("only"),
        Do::Symlink("nowhere", "only/dangling"),
        Do::Symlink("gone/../f", "round"),
        Do::Symlink("..", "out"),
        Do::Symlink("../../x", "only/out"),
        Do::Symlink("gone", "to_gone"),
        // Inside according to its text, but not when resolved through the link.
        Do::Symlink("to_gone/../../x", "through"),
    ];
    ends(
        &run_with(&folder, &["in:/d"], &steps),
        1,
        "error: not written back: /d/only/out is a symbolic link to \"../../x\", which may lead out of the folder\n\
         error: not written back: /d/out is a symbolic link to \"..\", which may lead out of the folder\n\
         error: not written back: /d/through is a symbolic link to \"to_gone/../../x\", which may lead out of the folder\n",
    );
    let want = [
        "f: f",
        "gone/",
        "gone/s -> ../f",
        "only/",
        "only/dangling -> nowhere",
        "round -> gone/../f",
        "to_gone -> gone",
    ];
    assert_eq!(tree(&folder.join("in")), want);
}

#[test]
fn a_path_too_long_for_the_host_is_reported_before_anything_is_written() {
    let folder = folder("long");
    fs::write(folder.join("old"), "old").unwrap();
    let before = tree(&folder);
    // Two towers of 3,000 bytes; one is moved into the other.
    let tower = |letter: &str| -> Vec<&'static str> {
        let storey = letter.repeat(200);
        (1..=15).map(|height| &*vec![storey.as_str(); height].join("/").leak()).collect()
    };
    let (a, b) = (tower("a"), tower("b"));
    let mut steps = vec![Do::Write("old", "new"), Do::Write("other", "new")];
    steps.extend(a.iter().chain(&b).map(|path| Do::Mkdir(path)));
    steps.push(Do::Rename(b[0], format!("{}/b", a[14]).leak()));
    let start = &a[0][..79];
    ends(
        &run(&folder, &steps),
        1,
        &format!(
            "error: nothing is written back: the guest wrote /{start}… (4224 bytes): File name too long (os error 36)\n"
        ),
    );
    assert_eq!(tree(&folder), before);
}

#[test]
fn names_of_a_guest_cannot_control_the_terminal() {
    let folder = folder("escaped_names");
    let output = run(&folder, &[Do::Symlink("..", "\u{1b}[2J\u{202e}")]);
    let message = "error: not written back: /\\u{1b}[2J\\u{202e} is a symbolic link to \"..\", which may lead out of the folder\n";
    ends(&output, 1, message);
}

#[test]
fn what_the_guest_did_not_see_is_never_touched() {
    let folder = folder("unseen");
    let pipe = folder.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    symlink("nowhere", folder.join("link")).unwrap();
    fs::create_dir(folder.join("sub")).unwrap();
    fs::write(folder.join("sub/b"), "B").unwrap();
    let before = tree(&folder);
    for (steps, path) in [
        (&[Do::Write("new", "n"), Do::Write("pipe", "x")][..], "pipe"),
        (&[Do::Write("new", "n"), Do::Write("link", "x")], "link"),
        (&[Do::Rename("sub", "link"), Do::Write("new", "n")], "link"),
        (&[Do::Rename("sub", "pipe")], "pipe"),
        (&[Do::Unlink("sub/b"), Do::Symlink("sub", "link")], "link"),
    ] {
        let output = run(&folder, steps);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("error: nothing is written back: the guest wrote /"), "{stderr}");
        assert!(stderr.contains(path) && stderr.contains("it did not see"), "{stderr}");
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(tree(&folder), before, "{stderr}");
    }
    // A folder that holds something left out is neither deleted nor replaced.
    symlink("b", folder.join("sub/kept")).unwrap();
    let output = run(&folder, &[Do::Unlink("sub/b"), Do::Rmdir("sub"), Do::Write("sub", "file")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(folder.join("sub/b").exists());
    let output = run(&folder, &[Do::Unlink("sub/b"), Do::Rmdir("sub")]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(tree(&folder.join("sub")), ["kept -> b"]);
}

#[test]
fn permissions_stay_with_the_file() {
    let folder = folder("permissions");
    for name in ["moved", "edited", "saved"] {
        fs::write(folder.join(name), name).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let steps = [
        Do::Rename("moved", "to"),
        Do::Write("edited", "new"),
        Do::Write("saved.new", "saved anew"),
        Do::Rename("saved.new", "saved"),
    ];
    ends(&run(&folder, &steps), 0, "");
    assert_eq!(tree(&folder), ["edited: new", "saved: saved anew", "to: moved"]);
    for name in ["to", "edited", "saved"] {
        assert_eq!(fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777, 0o755, "{name}");
    }
}

#[test]
fn folders_that_overlap_are_refused() {
    let folder = folder("overlap");
    fs::create_dir_all(folder.join("a/b")).unwrap();
    fs::create_dir(folder.join("c")).unwrap();
    symlink("a", folder.join("same")).unwrap();
    let overlap =
        |a: &str, b: &str| format!("error: --write-back: {a} and {b} overlap, so a change has no one place to go to\n");
    for (dirs, message) in [
        (["a:/x", "c:/x"], "error: two --dir have the path /x/ in the guest\n".to_owned()),
        (["a:/x", "c:/x/y"], overlap("a", "c")),
        (["a:/x", "a/b:/y"], overlap("a", "a/b")),
        (["a:/x", "same:/y"], overlap("a", "same")),
    ] {
        ends(&run_with(&folder, &dirs, &[]), 2, &message);
    }
    ends(&run_with(&folder, &["a:/x", "c:/xy"], &[]), 0, "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf8_is_left_out() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder("not_utf8");
    let name = folder.join(std::ffi::OsStr::from_bytes(b"\xff"));
    fs::write(&name, "odd").unwrap();
    let output = run(&folder, &[Do::Write("new", "n")]);
    let note = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(note.starts_with("note: ") && note.ends_with("has a name that is not UTF-8, and is left out\n"), "{note}");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!((fs::read(&name).unwrap(), fs::read(folder.join("new")).unwrap()), (b"odd".to_vec(), b"n".to_vec()));
}
