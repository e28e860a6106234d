//! Standard input, output and error, and written files, as an application sees them.

use std::sync::{Arc, Mutex};

use wasmlark::{ErrorKind, Limit, Limits, Sandbox, Value};

#[test]
fn all_bytes_are_kept_in_the_order_of_writing() {
    let script = "print('a')\nwrite(b'\\xff\\x00')\nwrite('b')\nwrite_error(b'\\xfe')\nwrite_error('c')";
    let run = Sandbox::new().run("main.star", script).unwrap();
    assert_eq!(run.output_bytes(), b"a\n\xff\0b");
    assert_eq!(run.output, "a\n\u{fffd}\0b");
    assert_eq!(run.error_output, b"\xfec");
    let run = Sandbox::new().run("main.star", "write('text')").unwrap();
    assert_eq!((run.output.as_str(), run.output_bytes()), ("text", &b"text"[..]));
}

#[test]
fn sinks_get_each_piece_at_once() {
    let pieces = Arc::new(Mutex::new(Vec::new()));
    let (out, err) = (pieces.clone(), pieces.clone());
    let sandbox = Sandbox::new()
        .on_write(move |bytes| out.lock().unwrap().push(("out", bytes.to_vec())))
        .on_write_error(move |bytes| err.lock().unwrap().push(("err", bytes.to_vec())));
    let run = sandbox.run("main.star", "print('a')\nwrite_error('b')\nwrite(b'\\xff')").unwrap();
    assert_eq!((run.output.as_str(), run.error_output.as_slice()), ("", &b""[..]));
    let expected = [("out", b"a\n".to_vec()), ("err", b"b".to_vec()), ("out", b"\xff".to_vec())];
    assert_eq!(*pieces.lock().unwrap(), expected);
}

#[test]
fn on_print_gets_text() {
    let text = Arc::new(Mutex::new(String::new()));
    let all = text.clone();
    let sandbox = Sandbox::new().on_print(move |part| all.lock().unwrap().push_str(part));
    sandbox.run("main.star", "print('a')\nwrite(b'\\xff')").unwrap();
    assert_eq!(*text.lock().unwrap(), "a\n\u{fffd}");
}

#[test]
fn each_run_gets_standard_input_once() {
    let sandbox = Sandbox::new().stdin(b"\xffin");
    for _ in 0..2 {
        assert_eq!(sandbox.run("main.star", "stdin()").unwrap().value, Value::Bytes(b"\xffin".to_vec()));
    }
    let error = sandbox.run("main.star", "stdin()\nstdin()").unwrap_err();
    assert_eq!(error.message(), "stdin: standard input was read before; keep what the first call returns");
    assert_eq!(error.location().unwrap().line, 2);
    let broken = Sandbox::new().stdin_from(|| Err("the cable is loose".to_owned()));
    assert_eq!(broken.run("main.star", "stdin()").unwrap_err().message(), "stdin: the cable is loose");
}

#[test]
fn standard_input_counts_like_files() {
    let sandbox = Sandbox::new().limits(Limits::new().files(3)).stdin("four");
    let error = sandbox.run("main.star", "stdin()").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::Files));
    assert_eq!(error.message(), "standard input of 4 bytes is too large: the sandbox's limit `files` is 3 bytes");
}

#[test]
fn written_files_are_collected() {
    let sandbox = Sandbox::new().writable(true);
    let script = "write_file('b', 'old')\nwrite_file('dir/./a', b'\\xff')\nwrite_file('b', 'new')\nfile_exists('b')";
    let run = sandbox.run("main.star", script).unwrap();
    let files: Vec<_> = run.files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    assert_eq!(files, [("b", &b"new"[..]), ("dir/a", &b"\xff"[..])]);
    assert_eq!(run.value, Value::Bool(false), "reads do not find them");
    let report = sandbox.report("main.star", "write_file('a', 'b')\nfail('no')");
    assert!(report.result.is_err());
    assert_eq!(report.files.len(), 1);
}

#[test]
fn a_file_is_not_a_folder() {
    let sandbox = Sandbox::new().writable(true);
    for (script, message) in [
        (
            "write_file('a', '')\nwrite_file('a/b/c', '')",
            "write_file: cannot write \"a/b/c\": \"a\" is a file that was written before",
        ),
        (
            "write_file('a/b', '')\nwrite_file('a', '')",
            "write_file: cannot write \"a\": it is the folder of a file that was written before",
        ),
    ] {
        assert_eq!(sandbox.run("main.star", script).unwrap_err().message(), message);
    }
    assert!(sandbox.run("main.star", "write_file('a/b', '')\nwrite_file('a.c', '')\nwrite_file('ab', '')").is_ok());
}

#[test]
fn written_files_count() {
    let sandbox = Sandbox::new().writable(true).limits(Limits::new().files(1000));
    // A replaced file frees its space.
    assert!(sandbox.run("main.star", "for n in range(100): write_file('a', 'x' * 500)").is_ok());
    for script in ["for n in range(3): write_file(str(n), '')", "write_file('a', 'x' * 600)"] {
        let error = sandbox.run("main.star", script).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit(Limit::Files), "{script}: {error}");
    }
    // What a loaded file wrote still counts.
    let mut sandbox = sandbox;
    sandbox.file("lib.star", "write_file('lib', 'x' * 500)\nx = 1");
    let error = sandbox.run("main.star", "load('lib.star', 'x')\nwrite_file('a', 'x' * 500)").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::Files));
}

#[test]
fn sessions_of_a_program_continue_from_its_loaded_files() {
    let mut sandbox = Sandbox::new().writable(true).stdin("input");
    sandbox.file("lib.star", "write_file('lib', stdin())\nprint('lib')\nx = 1");
    let program = sandbox.program("main.star", "load('lib.star', 'x')\nwrite_file('main', 'm')").unwrap();
    for _ in 0..2 {
        let mut session = program.session().unwrap();
        assert_eq!(session.take_output(), "lib\n");
        let files = session.take_files();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["lib", "main"]);
        assert_eq!(files["lib"], b"input");
        assert!(session.take_files().is_empty());
    }
}

#[test]
fn exit_ends_a_script() {
    let sandbox = Sandbox::new();
    let run = sandbox.run("main.star", "print('a')\nexit()\nprint('b')").unwrap();
    assert_eq!((run.output.as_str(), run.value), ("a\n", Value::None));
    let error = sandbox.run("main.star", "exit(7)").unwrap_err();
    assert_eq!((error.kind(), error.exit_code()), (ErrorKind::Exit, Some(7)));
    let mut session = sandbox.load("main.star", "def f(code): exit(code)").unwrap();
    assert_eq!(session.call_values("f", &[Value::from(0)]).unwrap(), Value::None);
    assert_eq!(session.call_values("f", &[Value::from(1)]).unwrap_err().exit_code(), Some(1));
    let mut sandbox = sandbox;
    sandbox.file("lib.star", "exit(9)\nx = 1");
    assert_eq!(sandbox.run("main.star", "load('lib.star', 'x')").unwrap_err().exit_code(), Some(9));
}

#[test]
fn a_loader_lists_what_its_lister_says() {
    let loader = |name: &str| Ok((name == "a.txt" || name == "sub/b.txt").then(|| name.as_bytes().to_vec()));
    let mut sandbox = Sandbox::new().loader(loader);
    sandbox.file("sub/own.txt", "");
    assert_eq!(
        sandbox.run("main.star", "[file_exists('a.txt'), file_exists('x')]").unwrap().value.to_string(),
        "[True, False]"
    );
    let error = sandbox.run("main.star", "list_files()").unwrap_err();
    let message = "cannot list the files in the root: this application's loader does not say which files it has; \
                   `Sandbox::lister` lets it";
    assert_eq!(error.message(), message);
    let sandbox = sandbox.lister(|folder| match folder {
        // A name that is not valid is left out.
        "" => Ok(["a.txt", "sub/", "..", "", "x/y", "a\\b", "broken/"].map(str::to_owned).to_vec()),
        "sub" => Ok(vec!["b.txt".to_owned()]),
        "broken" => Err("the disk is gone".to_owned()),
        other => panic!("{other}"),
    });
    let run = |script: &str| sandbox.run("main.star", script).map(|run| run.value.to_string());
    assert_eq!(run("list_files('sub/**')").unwrap(), r#"["sub/b.txt", "sub/own.txt"]"#);
    assert_eq!(run("list_files('*')").unwrap(), r#"["a.txt"]"#);
    assert_eq!(
        run("[file_exists(n) for n in ['a.txt', 'sub', 'sub/b.txt', 'sub/own.txt']]").unwrap(),
        "[True, False, True, True]"
    );
    let error = run("list_files()").unwrap_err();
    assert_eq!(error.message(), "cannot list the files in \"broken\": the disk is gone");
}

#[test]
fn an_endless_lister_is_ended_by_the_limits() {
    let sandbox = Sandbox::new()
        .limits(Limits::new().ticks(10_000))
        .loader(|_| Ok(None))
        .lister(|_| Ok(vec!["deeper/".to_owned()]));
    let error = sandbox.run("main.star", "list_files()").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::Ticks));
}
