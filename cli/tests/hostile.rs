//! Scripts and modules that try to take the process down. Each runs in its own process, with a limit on its address
//! space.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the command in 8 GB of address space. `$1` is `argument`.
fn shell(command: &str, argument: &str) -> Output {
    let shell = format!("ulimit -v 8000000; {command}");
    Command::new("sh").args(["-c", &shell, env!("CARGO_BIN_EXE_wasmlark"), argument]).output().unwrap()
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn run(options: &str, script: &str) -> Output {
    shell(&format!("exec \"$0\" run {options} -e \"$1\""), script)
}

/// Runs a script that must end with `status` and an error that contains `message`.
fn ends(options: &str, script: &str, status: i32, message: &str) {
    let output = run(options, script);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{script}\n{errors}");
    assert!(errors.contains(message), "{script}\n{errors}");
}

/// The allocator's message at its ceiling.
const CEILING: &str = "the process takes more memory than the limits allow";

/// Limits that keep the ceiling low, and so the tests fast.
const SMALL: &str = "--max-heap 16M --max-memory 16M --max-files 1M --max-output 1M";

#[test]
fn memory_that_no_limit_counts_ends_at_the_ceiling() {
    for script in [
        "b = wasm.Memory(160).read(0, 10000000)\ndef f(l):\n    for _ in range(200): l.append(b[1:])\nf([])",
        "b = wasm.Memory(160).read(0, 10000000)\n[b + b for _ in range(200)]",
        "b = wasm.Memory(160).read(0, 10000000)\n[b * 2 for _ in range(200)]",
        "[0] * 1000000000",
        "'a' * 2000000000",
        "tuple(range(100000000))",
        "l = [0] * 1000000\nl.extend(range(100000000))",
        "{i: None for i in range(100000000)}",
    ] {
        ends(SMALL, script, 3, CEILING);
    }
}

#[test]
fn what_a_builtin_makes_is_refused_before_it_is_made() {
    let message = "needs 800000000 bytes: the sandbox's limit `heap` is 16777216 bytes, and ";
    ends(SMALL, "list(range(100000000))", 3, message);
    for (script, name) in [
        ("enumerate(range(100000000))", "enumerate"),
        ("list(*[range(100000000)])", "list"),
        ("map(repr, range(100000000))", "map"),
        ("reversed(range(100000000))", "reversed"),
        ("set(range(100000000))", "set"),
        ("sorted(range(100000000))", "sorted"),
        ("zip(range(100000000), range(200000000))", "zip"),
    ] {
        ends(SMALL, script, 3, &format!("error: `{name}` needs "));
    }
}

#[test]
fn the_text_of_a_value_that_is_in_many_places_is_refused() {
    for (make, empty) in [
        ("[x, x]", "[]"),
        ("(x, x)", "()"),
        ("{1: x, 2: x}", "{}"),
        ("struct(a = x, b = x)", "struct()"),
        ("R(a = x, b = x)", "1"),
    ] {
        for call in ["str(x)", "repr(x)", "pstr(x)", "prepr(x)", "print(x)", "pprint(x)", "fail(x)"] {
            let record = "R = record(a = typing.Any, b = typing.Any)";
            let script = format!("{record}\ndef f(x):\n    for _ in range(60): x = {make}\n    {call}\nf({empty})");
            ends("--max-ticks 100000 --max-heap 2M", &script, 3, "the sandbox's limit `");
        }
    }
    let encode = "def f():\n    x = []\n    for _ in range(60): x = [x, x]\n    json.encode(x)\nf()";
    ends("--max-heap 2M", encode, 3, "error: `json.encode` needs ");
    // A value that contains itself is not expanded there.
    assert_eq!(run("--max-heap 2M", "x = [1]\nx.append([x, x])\nstr(x)").stdout, b"\"[1, [[...], [...]]]\"\n");
}

#[test]
fn long_builtins_end_at_the_limit_on_ticks() {
    for script in [
        "list(range(10000000)) and None",
        "tuple(map(lambda x: x, range(10000000))) and None",
        "filter(None, range(10000000)) and None",
        "reversed(range(10000000)) and None",
        "enumerate(range(10000000)) and None",
        "zip(range(10000000)) and None",
        "set(range(10000000)) and None",
        "hash('a' * 100000000)",
        "int('9' * 1000000) and None",
        "len(json.encode([0] * 1000000))",
        "json.decode('[' + '0, ' * 1000000 + '0]') and None",
        "len(str([0] * 1000000))",
    ] {
        ends("--max-ticks 10000", script, 3, "the sandbox's limit `ticks` is reached: 10000");
    }
}

#[test]
fn strings_of_a_machine_count() {
    let message = "given to a WASI machine, are too many: the sandbox's limit `heap` is 16777216 bytes";
    for argument in ["args = [s] * 1000", "env = {str(i): s for i in range(1000)}"] {
        ends(SMALL, &format!("s = 'a' * 1000000\nwasm.wasi({argument})"), 3, message);
    }
}

#[test]
fn deep_values_fit_the_stack() {
    let deep = "def deep(n):\n    v = ()\n    for _ in range(n): v = (v,)\n    return v\n";
    for script in ["len(repr(deep(60000)))", "partial(len, deep(60000)) and None", "[deep(60000)] and None"] {
        let output = run("", &format!("{deep}{script}"));
        assert_eq!(output.status.code(), Some(0), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn calls_back_from_webassembly_end_at_the_limit_on_ticks() {
    let script = r#"spin = wasm.instantiate(wasm.wat('(module (import "e" "f" (func $f)) (func (export "spin") (loop (call $f) (br 0))))'), imports = {"e": {"f": lambda caller: None}}).exports.spin
spin()"#;
    ends("--max-ticks 10000", script, 3, "the sandbox's limit `ticks` is reached: 10000");
}

#[test]
fn long_reads_and_writes_end_at_the_limit_on_fuel() {
    for call in ["m.write_utf16(0, s)", "m.write_string(0, s)", "m.write(0, b)", "m.read_string(0, 1000000)"] {
        let script = format!(
            "m = wasm.Memory(160)\ns = 'a' * 1000000\nb = m.read(0, 1000000)\ndef f():\n    for _ in range(900): {call}\nf()"
        );
        ends("--fuel 1000000", &script, 3, "limit `fuel` is 1000000");
    }
}

#[test]
fn source_of_any_form_ends_at_the_limit_on_nesting() {
    const DEEP: usize = 3_000;
    let nested = |before: &str, inner: &str, after: &str| before.repeat(DEEP) + inner + &after.repeat(DEEP);
    for script in [
        nested("lambda a=", "1", ": 1"),
        nested("lambda a, b: ", "1", ""),
        nested("lambda *a, **k: ", "1", ""),
        format!("def f(a: {}): pass", nested("list[", "int", "]")),
        format!("def f() -> {}: pass", nested("list[", "int", "]")),
        format!("def f(a: {}): pass", nested("int | ", "int", "")),
        format!("x = 1\nf\"{{{}}}\"", nested("(", "x", ")")),
        format!("x = [1]\n{}", nested("x[", ":", "]")),
        format!("x = [1]\nx{}", "[:]".repeat(DEEP)),
        nested("(1 < ", "1", ")"),
        nested("1 == ", "1", ""),
        format!("[0 {}]", "for a in [] ".repeat(DEEP)),
        format!("[0 for a in [] {}]", "if a ".repeat(DEEP)),
        nested("[0 for a in ", "[]", "]"),
        nested("{1: ", "1", " for a in [1]}"),
        format!("{} = 1", nested("(", "a", ",)")),
        format!("[0 for {} in []]", nested("(", "a", ",)")),
        format!("def f():\n if 1: pass\n{}", " elif 1: pass\n".repeat(DEEP)),
        nested("1 if 1 else ", "1", ""),
        nested("not ", "1", ""),
    ] {
        ends("", &script, 3, "the source is nested deeper than 200 levels (limit `nesting`)");
    }
}

#[test]
fn every_command_has_the_ceiling() {
    let folder = folder("ceiling");
    // Half a gigabyte of zeros, which take no space on the disk.
    let large = folder.join("large.wasm");
    File::create(&large).unwrap().set_len(500 << 20).unwrap();
    let test = folder.join("large_test.star");
    fs::write(&test, "def test_large():\n    {i: None for i in range(100000000)}\n").unwrap();
    let small = "--max-heap 16M --max-memory 16M --max-files 1M";
    for (command, argument) in [
        (format!("exec \"$0\" call {SMALL} \"$1\" f"), large.as_path()),
        (format!("exec \"$0\" wasi {small} \"$1\""), large.as_path()),
        (format!("exec \"$0\" test {SMALL} \"$1\""), test.as_path()),
        (format!("echo '{{i: None for i in range(100000000)}}' | \"$0\" repl {SMALL}"), folder.as_path()),
    ] {
        let output = shell(&command, argument.to_str().unwrap());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{command}\n{errors}");
        assert!(errors.contains(CEILING), "{command}\n{errors}");
    }
}

#[test]
fn folders_of_the_host_may_be_larger_than_the_ceiling() {
    let folder = folder("large");
    File::create(folder.join("large")).unwrap().set_len(400 << 20).unwrap();
    fs::write(folder.join("main.wat"), "(module (func (export \"_start\")))").unwrap();
    let command = "cd \"$1\" && exec \"$0\" wasi --max-heap 16M --max-memory 16M --max-files 1M --dir . main.wat";
    let output = shell(command, folder.to_str().unwrap());
    let errors = String::from_utf8_lossy(&output.stderr);
    // What no guest reads is not read, and not counted.
    assert_eq!((output.status.code(), &*errors), (Some(0), ""));
}

#[test]
fn every_command_has_a_stack_that_fits() {
    let folder = folder("deep");
    let (levels, path) = (180, folder.join("deep.star"));
    let functions: String = (0..levels).map(|level| format!("{}def f{level}():\n", "    ".repeat(level))).collect();
    fs::write(&path, format!("{functions}{}pass\n", "    ".repeat(levels))).unwrap();
    // Less than the main thread would need.
    let output = shell("ulimit -s 300; exec \"$0\" check \"$1\"", path.to_str().unwrap());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
