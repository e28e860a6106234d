//! `wasmlark run`: standard input, binary output, reading and writing files, `exit`.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("data").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder.canonicalize().unwrap()
}

/// Runs `wasmlark run` in a folder.
fn run(folder: &Path, args: &[&str], stdin: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
    command.arg("run").args(args).current_dir(folder);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
fn ends(output: &Output, status: i32, stdout: &[u8], stderr: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), stderr);
    assert_eq!((output.stdout.as_slice(), output.status.code()), (stdout, Some(status)));
}

#[test]
fn bytes_pass_through_as_they_are() {
    let folder = folder("pass");
    let all: Vec<u8> = (0..=255).collect();
    fs::write(folder.join("all.bin"), &all).unwrap();
    ends(&run(&folder, &["-e", "write(stdin())"], &all), 0, &all, "");
    ends(&run(&folder, &["-e", "write(read_file('all.bin'))"], b""), 0, &all, "");
    let output = run(&folder, &["-e", "write_error(stdin())"], &all);
    assert_eq!((output.stdout, output.stderr), (Vec::new(), all));
}

#[test]
fn a_script_from_stdin_has_no_other_stdin() {
    let output = run(&folder("script"), &["-"], b"stdin()");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("error: stdin: standard input is the script itself\n"), "{stderr}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn exit_is_the_status() {
    let folder = folder("exit");
    ends(&run(&folder, &["-e", "exit(7)"], b""), 7, b"", "");
    ends(&run(&folder, &["-e", "exit()"], b""), 0, b"", "");
    ends(&run(&folder, &["-e", "[print('before'), exit(255), print('after')]"], b""), 255, b"before\n", "");
}

#[cfg(unix)]
#[test]
fn files_below_the_root_are_listed() {
    use std::os::unix::fs::symlink;
    let folder = folder("list");
    let root = folder.join("root");
    for name in ["b.txt", "a/c.txt", "a/deep/d.txt", ".hidden"] {
        fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        fs::write(root.join(name), "").unwrap();
    }
    fs::write(folder.join("outside.txt"), "").unwrap();
    symlink("../outside.txt", root.join("leads-out.txt")).unwrap();
    symlink("b.txt", root.join("inside.txt")).unwrap();
    symlink("..", root.join("a/circle")).unwrap();
    symlink("nowhere", root.join("broken.txt")).unwrap();
    let value = |text: &str| {
        let output = run(&folder, &["--root", "root", "-e", text], b"");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        String::from_utf8(output.stdout).unwrap()
    };
    let all = "[\".hidden\", \"a/c.txt\", \"a/deep/d.txt\", \"b.txt\", \"inside.txt\"]\n";
    assert_eq!(value("list_files()"), all);
    assert_eq!(value("list_files('a/**')"), "[\"a/c.txt\", \"a/deep/d.txt\"]\n");
    assert_eq!(value("list_files('nothing/*') + list_files('b.txt/*')"), "[]\n");
    let names = "['b.txt', 'a', 'a/c.txt', 'b.txt/x', 'c.txt', 'leads-out.txt', 'inside.txt']";
    let expected = "[True, False, True, False, False, False, True]\n";
    assert_eq!(value(&format!("[file_exists(name) for name in {names}]")), expected);
}

#[test]
fn written_files_are_there_when_the_script_has_succeeded() {
    let folder = folder("out");
    let script = "write_file('a/b.bin', b'\\xff')\nwrite_file('c', stdin())\nexit(int(argv[0]))";
    fs::write(folder.join("main.star"), script).unwrap();
    ends(&run(&folder, &["--out", "new/out", "main.star", "3"], b"text"), 3, b"", "");
    assert!(!folder.join("new").exists());
    for text in ["text", "other"] {
        ends(&run(&folder, &["--out", "new/out", "main.star", "0"], text.as_bytes()), 0, b"", "");
        assert_eq!(fs::read(folder.join("new/out/a/b.bin")).unwrap(), b"\xff");
        assert_eq!(fs::read_to_string(folder.join("new/out/c")).unwrap(), text);
    }
    let output = run(&folder, &["main.star", "0"], b"");
    let stderr = String::from_utf8(output.stderr).unwrap();
    let why = "error: write_file: cannot write \"a/b.bin\": this script may not write files; an application allows it with \
               `Sandbox::writable`, and `wasmlark run` with `--out DIR`\n";
    assert!(stderr.contains(why), "{stderr}");
    assert_eq!(output.status.code(), Some(1));
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_what_is_in_the_way() {
    use std::os::unix::fs::symlink;
    let folder = folder("in_the_way");
    fs::create_dir_all(folder.join("out/folder")).unwrap();
    fs::create_dir_all(folder.join("elsewhere")).unwrap();
    fs::write(folder.join("out/file"), "old").unwrap();
    symlink("../elsewhere", folder.join("out/link")).unwrap();
    symlink("../elsewhere/new", folder.join("out/dangling")).unwrap();
    for (name, why) in [
        ("folder", "out/folder is a folder, and \"folder\" needs a file there"),
        ("file/x", "out/file is a file, and \"file/x\" needs a folder there"),
        ("link/x", "out/link is a link, and \"link/x\" needs a folder there"),
        ("dangling", "out/dangling is a link, and \"dangling\" needs a file there"),
    ] {
        let script = format!("[write_file('first', ''), write_file('{name}', '')]");
        let stderr = format!("error: no file is written to out: {why}\n");
        ends(&run(&folder, &["--out", "out", "-e", &script], b""), 1, b"", &stderr);
        assert!(!folder.join("out/first").exists());
        assert_eq!(fs::read_dir(folder.join("elsewhere")).unwrap().count(), 0);
    }
}

/// Returns the checksum of a PNG's chunks.
fn crc32(bytes: &[u8]) -> u32 {
    let bit = |crc: u32| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| bit(crc)))
}

#[test]
fn a_script_writes_a_picture() {
    let folder = folder("png");
    // More than one block of 65,535 bytes.
    let (width, height) = (150_usize, 200_usize);
    let script = "load('lib/png.star', 'png')\nwrite_file('a.png', png(150, 200, stdin()))";
    let pixels: Vec<u8> =
        (0..width * height).flat_map(|n| [(n % 251) as u8, (n % 241) as u8, (n % 7) as u8, 99]).collect();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/real");
    ends(&run(&folder, &["--root", root, "--out", ".", "-e", script], &pixels), 0, b"", "");
    let file = fs::read(folder.join("a.png")).unwrap();
    let mut rest = file.strip_prefix(b"\x89PNG\r\n\x1a\n").unwrap();
    let mut take = |length: usize| {
        let (part, tail) = rest.split_at(length);
        rest = tail;
        part
    };
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    let mut chunks = Vec::new();
    for kind in [b"IHDR", b"IDAT", b"IEND"] {
        let length = number(take(4)) as usize;
        let chunk = take(4 + length);
        assert_eq!(chunk.get(..4), Some(&kind[..]));
        assert_eq!(number(take(4)), crc32(chunk));
        chunks.push(chunk.get(4..).unwrap().to_vec());
    }
    assert!(rest.is_empty());
    let header = [[0, 0, 0, 150], [0, 0, 0, 200]].concat();
    assert_eq!(chunks.first(), Some(&[header, vec![8, 2, 0, 0, 0]].concat()));
    // The blocks are between the stream's header and its checksum.
    let mut blocks = chunks.get(1).and_then(|chunk| chunk.get(2..chunk.len() - 4)).unwrap();
    let (mut data, mut count) = (Vec::new(), 0);
    while let Some((head, tail)) = blocks.split_at_checked(5) {
        let [last, a, b, not_a, not_b] = head.try_into().unwrap();
        assert_eq!([not_a, not_b], [!a, !b]);
        let (block, tail) = tail.split_at(u16::from_le_bytes([a, b]).into());
        data.extend_from_slice(block);
        assert_eq!(last == 1, tail.is_empty());
        (blocks, count) = (tail, count + 1);
    }
    assert_eq!(count, 2);
    let rows = pixels.chunks(width * 4).map(|row| {
        let colours = row.chunks(4).flat_map(|pixel| pixel.iter().take(3).copied());
        [0].into_iter().chain(colours).collect::<Vec<u8>>()
    });
    assert_eq!(data, rows.collect::<Vec<_>>().concat());
}

#[test]
fn an_error_is_a_line_of_json_on_request() {
    let folder = folder("json");
    let json = |args: &[&str]| {
        let output = run(&folder, &[&["--error-format", "json"], args].concat(), b"");
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let error = json(&["-e", "x = 1\nfail('broken')"]);
    let report = "Traceback (most recent call last):\n  * <command line>:2, in <module>\n      fail('broken')\n\
                  error: fail: broken\n --> <command line>:2:1\n  |\n2 | fail('broken')\n  | ^^^^^^^^^^^^^^\n  |";
    let expected = serde_json::json!({
        "file": "<command line>", "line": 2, "column": 1, "severity": "error", "rule": "script", "code": null,
        "message": "fail: broken", "report": report,
    });
    assert_eq!(error, expected);
    let limit = json(&["--max-ticks", "100", "-e", "[x for x in range(1000)]"]);
    assert_eq!((limit.get("rule").unwrap(), limit.get("code").unwrap()), (&"limit".into(), &"ticks".into()));
}
