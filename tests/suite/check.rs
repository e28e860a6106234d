//! `Sandbox::check`: what it finds in a script without running it.

use wasmlark::Sandbox;

/// Returns the findings in `main.star`, one per line.
fn check(script: &str) -> Vec<String> {
    let mut sandbox = Sandbox::new();
    sandbox.file("lib/typed.star", "def double(x: int) -> int:\n    return 2 * x\n");
    sandbox.file("lib/broken.star", "def f(\n");
    sandbox.file("lib/round.star", "load('./round.star', 'f')\n");
    let found = sandbox.check("main.star", script);
    found
        .iter()
        .map(|d| {
            let (location, end) = (&d.location, &d.end);
            let place = format!("{}:{}:{}-{}:{}", location.file, location.line, location.column, end.line, end.column);
            format!("{place} {} {}: {}", d.severity.as_str(), d.rule, d.message)
        })
        .collect()
}

#[test]
fn a_script_without_fault_has_no_diagnostics() {
    for script in [
        "",
        "# comment",
        "print(argv[0])",
        "x = 1\nx = 'a'\nx",
        "x = 1\nx <<= 70",
        "1 + 1",
        "wasm.Memory(1).read(0, 4)",
    ] {
        assert_eq!(check(script), [""; 0], "{script}");
    }
}

#[test]
fn syntax_is_checked() {
    assert_eq!(
        check("x = (1\n"),
        ["main.star:2:1-2:1 error syntax: Parse error: unexpected new line, expected symbol ')'"]
    );
    assert_eq!(
        check("x = f'\\u11ʭ'\n"),
        ["main.star:1:11-1:12 error syntax: Parse error: invalid string escape sequence `\\`"],
        "a place of starlark's is in the middle of a character"
    );
    let deep = format!("x = {}1{}", "[".repeat(300), "]".repeat(300));
    let found = check(&deep);
    assert!(found[0].ends_with("the source is nested deeper than 200 levels (limit `nesting`)"), "{found:?}");
}

#[test]
fn types_are_checked_in_functions_and_at_the_top() {
    let script = "\
def f(memory: wasm.Memory) -> str:
    memory.raed(0, 4)
    return memory.size()

memory = wasm.Memory(1)
memory.read('0', 4)
wasm.instantiate(\"x.wasm\", import_ = {})
";
    let expected = [
        "main.star:2:12-2:16 error type: The attribute `raed` is not available on the type `wasm.Memory`",
        "main.star:3:5-3:25 error type: Expected type `str` but got `int`",
    ];
    assert_eq!(check(script), expected);
    let at_the_top = script.lines().skip(4).collect::<Vec<_>>().join("\n");
    let expected = [
        "main.star:2:13-2:16 error type: Expected type `int` but got `str`",
        "main.star:3:28-3:40 error type: Unexpected parameter named `import_`",
    ];
    assert_eq!(check(&at_the_top), expected);
    let expected = "main.star:1:6-1:16 error type: The attribute `instantiat` is not available on the type `namespace`";
    assert_eq!(check("wasm.instantiat('x.wasm')"), [expected]);
}

#[test]
fn types_of_loaded_files_are_known() {
    let script = "x = 1\nx <<= 3\nload(\n    'lib/typed.star',\n    'double')\ntext = '''\nlines\n'''\ndouble(text)";
    let expected = [
        "main.star:3:1-5:14 warning misplaced-load: A `load` statement not at the top of the file",
        "main.star:9:8-9:12 error type: Expected type `int` but got `str`",
    ];
    assert_eq!(check(script), expected);
}

#[test]
fn loads_are_checked() {
    assert_eq!(
        check("load('nothing.star', 'f')\nf()"),
        ["main.star:1:6-1:20 error load: file \"nothing.star\" not found"]
    );
    assert_eq!(
        check("load('lib/broken.star', 'f')\nf()")[0],
        "lib/broken.star:2:1-2:1 error syntax: Parse error: unexpected new line, expected identifier"
    );
    let found = check("load('lib/round.star', 'f')\nf()");
    assert!(found[0].contains("is loaded while it loads: main.star -> lib/round.star -> lib/round.star"), "{found:?}");
    let found = check("load('/etc/passwd', 'f')\nf()");
    assert!(found[0].contains("is an absolute path"), "{found:?}");
}

#[test]
fn lints_are_reported_and_can_be_turned_off() {
    let script = "def f(x):\n    if x:\n        return 1\n";
    let found = check(script);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("main.star:1:1-4:1 warning missing-return: "), "{found:?}");
    assert_eq!(check(&script.replace("f(x):", "f(x): # starlark-lint-disable missing-return")), [""; 0]);
}

#[cfg(feature = "wat")]
#[test]
fn imports_are_compared_with_the_module() {
    let check = |script: &str| {
        let mut sandbox = Sandbox::new();
        let text = r#"(module (import "env" "log" (func (param i32 i32))) (import "env" "now" (func (result i64)))
            (import "js" "memory" (memory 1)) (import "wasi_snapshot_preview1" "fd_close" (func (param i32) (result i32))))"#;
        sandbox.file("lib/guest.wat", text);
        sandbox.import("env", "now", |_: &mut wasmlark::Caller<'_>| Ok::<i64, wasmlark::Error>(1));
        let found = sandbox.check("main.star", script);
        let line =
            |d: &wasmlark::Diagnostic| format!("{}:{} {}: {}", d.location.line, d.location.column, d.rule, d.message);
        found.iter().map(line).collect::<Vec<_>>()
    };
    let missing = [
        "1:1 import: the module imports env.log(i32, i32), which is not given",
        "1:1 import: the module imports js.memory: memory(1), which is not given",
        "1:1 import: the module imports wasi_snapshot_preview1.fd_close(i32) -> i32, which is not given",
    ];
    assert_eq!(check("wasm.instantiate('lib/guest.wat')"), missing);
    assert_eq!(check("wasm.instantiate(wasm.Module('./lib/guest.wat'), imports = {})"), missing);
    assert_eq!(check("wasm.instantiate('lib/guest.wat', missing = 'error')"), missing);
    assert_eq!(check("wasm.instantiate('lib/guest.wat', missing = 'trap')"), missing[1..2]);
    let script = "\
guest = wasm.Module('lib/guest.wat')

def log(caller, ptr):
    pass

def make(wide):
    return wasm.instantiate(guest, wasi = wasm.wasi(), imports = {
        'env': {'lug': log, 'now': lambda: 1},
        'js': {'memory': wasm.Memory(1)},
    })

def other(wide):
    return wasm.instantiate(guest, wasi = wasm.wasi(), imports = {'env': {'log': log}, 'js': wide})
";
    let expected = [
        "7:12 import: the module imports env.log(i32, i32), which is not given; did you mean `lug`?",
        "8:36 import: the import env.now() -> i64 is called with the caller alone, and this function takes 0 arguments",
        "13:82 import: the import env.log(i32, i32) is called with the caller and 2 arguments, and this function takes 2 arguments",
    ];
    assert_eq!(check(script), expected);
    for fits in [
        "log = lambda caller, *args: None",
        "def log(caller, ptr, length, more = 1): pass",
        "log = print",
        "def log(a): pass\ndef log(a, b, c): pass",
        "def log(a): pass\ndef f(log): return log",
    ] {
        let call = "wasm.instantiate('lib/guest.wat', wasi = wasm.wasi(), imports = {'env': {'log': log}, 'js': {'memory': wasm.Memory(1)}})";
        assert_eq!(check(&format!("{fits}\n{call}")), [""; 0], "{fits}");
    }
    // What is not in the text cannot be known.
    for unknown in [
        "wasm.instantiate('lib/' + 'guest.wat')",
        "wasm.instantiate('nothing.wat')",
        "given = {}\nwasm.instantiate('lib/guest.wat', imports = given)",
        "given = {}\nwasm.instantiate('lib/guest.wat', **given)",
        "guest = wasm.Module('lib/guest.wat')\nguest = b''\nwasm.instantiate(guest)",
    ] {
        assert_eq!(check(unknown), [""; 0], "{unknown}");
    }
}

/// starlark's type checker does not end for them.
#[test]
fn a_type_without_end_ends_the_check() {
    let advice = |place| {
        format!("main.star:{place} advice type: types are not checked in this file: that of `x` contains itself")
    };
    let unassigned = "main.star:1:11-1:12 warning using-unassigned: Use of unassigned variable `x`";
    assert_eq!(check("x = wasm, x"), [&advice("1:1-1:2"), unassigned]);
    let script = "def f():\n    x = None\n    for i in range(3):\n        x = (x, i)\n    return x\nf()";
    assert_eq!(check(script), [advice("2:5-2:6")]);
}
