//! `Sandbox::check`: what is found in a script without running it.

use wasmlark::Sandbox;

/// Returns what is found in `main.star`, a line each.
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
