//! `Sandbox::definition`, `Sandbox::visible_names` and `Sandbox::completions`.

use wasmlark::{Definition, Sandbox};

fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.file("lib/a.star", "load('./b.star', 'deep')\n\ndef f(x):\n    return x\n\nanother = 1\n");
    sandbox.file("lib/b.star", "\n\ndeep = 2\n");
    sandbox.file("lib/round.star", "load('./round2.star', 'r')\n");
    sandbox.file("lib/round2.star", "load('./round.star', 'r')\n");
    sandbox
}

/// Returns the definition of the name before `^` in a script.
fn definition(script: &str) -> Option<Definition> {
    let (before, _) = script.split_once('^').unwrap();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    sandbox().definition("main.star", &script.replacen('^', "", 1), line, column)
}

/// Returns its place.
fn place(script: &str) -> Option<String> {
    let Definition { location, end, .. } = definition(script)?;
    Some(format!("{}:{}:{}-{}:{}", location.file, location.line, location.column, end.line, end.column))
}

#[test]
fn names_are_found_in_their_scope() {
    for (script, expected) in [
        ("x = 1\nx^", "main.star:1:1-1:2"),
        ("x = 1\n^x", "main.star:1:1-1:2"),
        ("x = 1\n'é' + str(x^)", "main.star:1:1-1:2"),
        ("x, (y, z) = 1, (2, 3)\nz^", "main.star:1:8-1:9"),
        ("x = 1\ndef f(x):\n    return x^", "main.star:2:7-2:8"),
        ("x = 1\ndef f(y = x^, x = 2):\n    pass", "main.star:1:1-1:2"),
        ("x = 1\ndef f():\n    g(x^)\n    x = 2", "main.star:4:5-4:6"),
        ("def f():\n    return g^()\ndef g():\n    pass", "main.star:3:5-3:6"),
        ("x = []\n[x^ for x in x]", "main.star:2:8-2:9"),
        ("x = []\n[x for x in x^]", "main.star:1:1-1:2"),
        ("x = []\n{x: y^ for x in x for y in x}", "main.star:2:22-2:23"),
        ("x = 1\nlambda x: x^", "main.star:2:8-2:9"),
        ("x = 1\nlambda y = x^: y", "main.star:1:1-1:2"),
        ("for i in [1]:\n    print(i^)", "main.star:1:5-1:6"),
        ("T = int\ndef f(x: T^):\n    pass", "main.star:1:1-1:2"),
        // Where the text has `<<=`, the parser is given another text.
        ("y = 1\ny <<= 2; x = y\nx^", "main.star:2:10-2:11"),
        ("x = 1\nf'{x^}'", "main.star:1:1-1:2"),
    ] {
        assert_eq!(place(script).as_deref(), Some(expected), "{script}");
    }
    for script in ["wa^sm", "# x^", "x = 1\n'x^'", "x = 1\ny.x^", "x = 1\nx^ = (", "[x for x in []]\nx^", "^"] {
        assert_eq!(place(script), None, "{script}");
    }
}

#[test]
fn loaded_names_are_found_in_their_files() {
    for (script, expected) in [
        ("load('lib/a.star', 'f')\nf^(1)", "lib/a.star:3:5-3:6"),
        ("load('lib/a.star', 'f^')", "lib/a.star:3:5-3:6"),
        ("load('lib/a.star', g = 'another')\ng^", "lib/a.star:6:1-6:8"),
        ("load('lib/a.star', g = 'another^')", "lib/a.star:6:1-6:8"),
        ("load('lib/a.star', 'deep')\ndeep^", "lib/b.star:3:1-3:5"),
        ("load('lib/a.st^ar', 'f')", "lib/a.star:1:1-1:1"),
        ("load('lib/a.star', 'missing')\nmissing^", "main.star:1:20-1:29"),
        ("load('lib/none.star', 'x')\nx^", "main.star:1:23-1:26"),
    ] {
        assert_eq!(place(script).as_deref(), Some(expected), "{script}");
    }
    assert!(place("load('lib/round.star', 'r')\nr^").is_some(), "files that load each other end");
    assert_eq!(place("load('../a^.star', 'f')"), None);
}

#[test]
fn functions_and_values_are_described() {
    let found =
        definition("def f(x, y = 1) -> int:\n    '''Adds.\n\n    All of them.\n    '''\n    return 1\nf^()").unwrap();
    assert_eq!(found.signature.as_deref(), Some("def f(x, y = 1) -> int:"));
    assert_eq!(found.doc.as_deref(), Some("Adds.\n\nAll of them."));
    let found = definition("m = wasm.Memory(1)\nm^").unwrap();
    assert_eq!((found.made_by.as_deref(), found.signature, found.doc), (Some("wasm.Memory"), None, None));
    assert_eq!(definition("m = 1\nm^").unwrap().made_by, None);
}

#[test]
fn only_names_around_the_place_are_visible() {
    let script = "load('lib/a.star', 'f')\ndef g(x):\n    y = [z for z in x]\n    return y\n";
    let visible = |line, column| sandbox().visible_names("main.star", script, line, column);
    assert_eq!(visible(1, 1), ["f", "g"]);
    assert_eq!(visible(4, 12), ["f", "g", "x", "y"]);
    assert_eq!(visible(3, 11), ["f", "g", "x", "y", "z"]);
    assert_eq!(sandbox().visible_names("main.star", "x = (", 1, 1), [""; 0]);
    let deep = "(".repeat(100_000);
    assert_eq!(sandbox().visible_names("main.star", &deep, 1, 1), [""; 0]);
}

#[test]
fn names_are_completed_behind_another_name_for_the_same() {
    let names = |script: &str| {
        let (line, last) = (script.lines().count(), script.lines().last().unwrap_or_default());
        let found = Sandbox::new().completions("main.star", script, line, last.chars().count() + 1);
        found.into_iter().map(|completion| completion.name).collect::<Vec<_>>()
    };
    let script = "plugin = wasm.instantiate('a.wasm')\nmemory = plugin.memory\nsame = memory\n";
    assert_eq!(names(&format!("{script}same.gr")), ["grow"]);
    assert_eq!(names(&format!("{script}memory.gr")), ["grow"]);
    // A variable that is assigned itself has no type.
    assert_eq!(names("a = b\nb = a\nb.gr"), [""; 0]);
}
