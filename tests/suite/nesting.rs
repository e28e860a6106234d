//! Depth that a script controls: of its text, its loads and its values. Everything here runs in a thread with Rust's
//! default native stack, in a build without optimisations.

use std::thread;

use wasmlark::{ErrorKind, Limit, Limits, Run, Sandbox};

/// Runs a script in a thread with 2 MiB of stack.
fn run(sandbox: impl FnOnce() -> Sandbox + Send, script: &str) -> Result<Run, wasmlark::Error> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(2 << 20);
        thread.spawn_scoped(scope, || sandbox().run("main.star", script)).unwrap().join().unwrap()
    })
}

/// Scripts that nest `n` levels deep, each in its own way.
fn nested(n: usize) -> Vec<(&'static str, String)> {
    let indented = |line: &dyn Fn(usize) -> String, last: &str| {
        let mut text = String::new();
        for i in 0..n {
            text.push_str(&format!("{}{}\n", " ".repeat(i), line(i)));
        }
        text + &format!("{}{last}\n", " ".repeat(n))
    };
    vec![
        ("round brackets", format!("x = {}1{}", "(".repeat(n), ")".repeat(n))),
        ("square brackets", format!("x = {}1{}", "[".repeat(n), "]".repeat(n))),
        ("dicts", format!("x = {}1{}", "{1: ".repeat(n), "}".repeat(n))),
        ("calls", format!("x = {}1{}", "str(".repeat(n), ")".repeat(n))),
        ("indices", format!("def f(x):\n  return x{}", "[0]".repeat(n))),
        ("attributes", format!("def f(x):\n  return x{}", ".a".repeat(n))),
        ("calls in a row", format!("def f(x):\n  return x{}", "()".repeat(n))),
        ("minus", format!("x = {}1", "-".repeat(n))),
        ("spaced minus", format!("x = {}1", "- ".repeat(n))),
        ("tilde", format!("x = {}1", "~".repeat(n))),
        ("not", format!("x = {}True", "not ".repeat(n))),
        ("plus", format!("x = 1{}", " + 1".repeat(n))),
        ("and", format!("x = True{}", " and True".repeat(n))),
        ("or", format!("x = False{}", " or False".repeat(n))),
        ("comparisons", format!("x = 1{}", " | 1".repeat(n))),
        ("conditionals", format!("x = {}1", "1 if False else ".repeat(n))),
        ("lambdas", format!("x = {}1", "lambda: ".repeat(n))),
        ("lambdas of two", format!("x = {}1", "lambda a, b: ".repeat(n))),
        ("lambdas with defaults", format!("x = {}1", "lambda a = 1, *b, c = 2, **d: ".repeat(n))),
        ("lambdas with `in` in a default", format!("x = {}1", "lambda a = 1 in [], b = 2: ".repeat(n))),
        ("lambdas as defaults", format!("x = {}1{}", "lambda a, b = ".repeat(n), ", c = 2: 1".repeat(n))),
        ("lambdas in an argument", format!("def f(a):\n  pass\nf(a = {}1)", "lambda a, b: ".repeat(n))),
        ("lambdas after a tuple", format!("x = 1, 2, {}1", "lambda a, b: ".repeat(n))),
        ("lambdas as values", format!("x = {}1{}", "{1: lambda a, b: ".repeat(n), "}".repeat(n))),
        ("lambdas and conditions", format!("x = {}1", "1 if False else lambda a, b: ".repeat(n))),
        ("lambdas in brackets", format!("x = {}1{}", "(lambda: ".repeat(n), ")".repeat(n))),
        ("comprehensions", format!("x = {}1{}", "[".repeat(n), " for i in []]".repeat(n))),
        ("clauses", format!("x = [1 {}]", "for i in [] ".repeat(n))),
        ("clauses of two", format!("x = [1 {}]", "for i, j in [] ".repeat(n))),
        ("clauses with conditions", format!("x = [1 {}]", "for i, j in [] if i ".repeat(n))),
        ("conditions of a clause", format!("x = [1 for i, j in [] {}]", "if i ".repeat(n))),
        ("types", format!("def f(x: {}int{}): pass", "list[".repeat(n), "]".repeat(n))),
        ("unions", format!("def f(x: int{}): pass", " | int".repeat(n))),
        ("elif", format!("if False: pass\n{}else: pass", "elif False: pass\n".repeat(n))),
        ("else if", {
            let mut text = String::new();
            for i in 0..n {
                let pad = " ".repeat(i);
                text.push_str(&format!("{pad}if False:\n{pad} pass\n{pad}else:\n"));
            }
            text + &format!("{}pass\n", " ".repeat(n))
        }),
        ("if", indented(&|_| "if True:".to_owned(), "pass")),
        ("for", indented(&|_| "for i in []:".to_owned(), "pass")),
        ("def", indented(&|i| format!("def f{i}():"), "pass")),
        ("tuples", format!("{}x{} = 1", "(".repeat(n), ",)".repeat(n))),
        ("slices", format!("def f(x):\n  return {}0{}", "x[".repeat(n), "]".repeat(n))),
        ("keywords", format!("x = {}1{}", "dict(a = ".repeat(n), ")".repeat(n))),
        ("stars", format!("x = {}{}", "max(*[".repeat(n), "])".repeat(n))),
    ]
}

#[test]
fn deep_text_ends_in_the_limit() {
    for (what, text) in nested(3_000) {
        let error = run(Sandbox::new, &text).expect_err(what);
        assert_eq!(error.kind(), ErrorKind::Limit(Limit::Nesting), "{what}: {error}");
    }
}

/// What the default limit allows must fit the native stack, in the parser, in the compiler, and while the results are freed.
#[test]
fn text_as_deep_as_the_limit_allows_fits_the_stack() {
    for (n, at_least) in [(60, 25), (95, 25), (190, 20), (198, 20), (199, 10)] {
        let mut succeed = 0;
        for (what, text) in nested(n) {
            match run(Sandbox::new, &text) {
                Ok(_) => succeed += 1,
                Err(error) => {
                    let known = matches!(error.kind(), ErrorKind::Limit(Limit::Nesting) | ErrorKind::Script);
                    assert!(known, "{what}: {error}");
                }
            }
        }
        // If all were refused, nothing would have reached the stack.
        assert!(succeed >= at_least, "{n} levels: only {succeed} of the texts run");
    }
}

#[test]
fn the_limit_names_the_line() {
    let script = "x = 1\n\ny = ((((1))))\n";
    let sandbox = || Sandbox::new().limits(Limits::new().nesting(3));
    let error = run(sandbox, script).unwrap_err();
    assert_eq!(error.message(), "the source is nested deeper than 3 levels (limit `nesting`)");
}

/// A long text is not deep.
#[test]
fn long_text_is_not_deep() {
    let list = format!("x = [{}]\nlen(x)", "1, ".repeat(10_000));
    assert_eq!(run(Sandbox::new, &list).unwrap().value.to_string(), "10000");
    let statements = "x = 1 + 2 * (3 - len('abc'))\n".repeat(5_000) + "x";
    assert_eq!(run(Sandbox::new, &statements).unwrap().value.to_string(), "1");
    let calls = "def f(a):\n    return a\n".repeat(2_000) + "f(f(f(1)))";
    assert_eq!(run(Sandbox::new, &calls).unwrap().value.to_string(), "1");
    let blocks = "if True:\n    x = [1]\nelse:\n    x = [2]\n".repeat(2_000) + "x";
    assert_eq!(run(Sandbox::new, &blocks).unwrap().value.to_string(), "[1]");
}

/// Calls up to the default limit must fit, through whatever they lead. (The scripts of `tests/script` run on a larger stack.)
#[test]
#[cfg(feature = "wat")]
fn calls_as_deep_as_the_limit_allows_fit_the_stack() {
    let module = r#"
module = wasm.Module(wasm.wat("""(module
    (import "env" "step" (func $step)) (func (export "run") (call $step)))"""))
started = wasm.Module(wasm.wat("""(module (import "env" "step" (func $step)) (start $step))"""))
"#;
    for script in [
        "def f(n): return [f(n + 1)]\nf(0)",
        "def f(n): return sorted([n], key = lambda n: f(n + 1))\nf(0)",
        "def f(caller): caller.exports.run()\nwasm.instantiate(module, imports = {'env': {'step': f}}).exports.run()",
        "def f(caller): wasm.attempt(caller.exports.run)\nwasm.instantiate(module, imports = {'env': {'step': f}}).exports.run()",
        "def f(caller): wasm.instantiate(started, imports = {'env': {'step': f}})\n\
         wasm.instantiate(started, imports = {'env': {'step': f}})",
        "holder = []\ndef f(caller): holder[0].run()\ndef link():\n  one = wasm.instantiate(module, imports = {'env': {'step': f}}).exports\n  \
         for _ in range(3):\n    one = wasm.instantiate(module, imports = {'env': {'step': one.run}}, store = wasm.Store()).exports\n  \
         holder.append(one)\nlink()\nholder[0].run()",
    ] {
        let error = run(Sandbox::new, &(module.to_owned() + script)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit(Limit::CallDepth), "{script}\n{error}");
    }
}

/// Files that load each other in a chain.
#[test]
fn a_chain_of_loads() {
    let chain = |n: usize, last: &'static str| {
        move || {
            let mut sandbox = Sandbox::new();
            for i in 0..n {
                sandbox.file(format!("f{i}.star"), format!("load('f{}.star', y = 'x')\nx = y + 1", i + 1));
            }
            sandbox.file(format!("f{n}.star"), last);
            sandbox
        }
    };
    let script = "load('f0.star', 'x')\nx";
    assert_eq!(run(chain(31, "x = 0"), script).unwrap().value.to_string(), "31");
    let error = run(chain(5_000, "x = 0"), script).unwrap_err();
    assert_eq!(error.message(), "files load each other more than 32 deep: \"f32.star\" is one too many");
    assert_eq!(error.kind(), ErrorKind::Load);
    // The last file makes calls of its own on top of all the others.
    let error = run(chain(31, "def f(n):\n    return [f(n + 1)]\nx = f(0)"), script).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::CallDepth), "{error}");
    let step = r#"
def step(caller):
    caller.exports.run()
wasm.instantiate(wasm.wat("(module (import \"e\" \"f\" (func $f)) (func (export \"run\") call $f))"), imports = {"e": {"f": step}}).exports.run()
x = 0"#;
    let error = run(chain(31, step), script).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::CallDepth), "{error}");
}

/// A script's value is shown unless it is too deep.
#[test]
fn values_of_any_depth() {
    let deep = |step: &str| {
        format!("def f():\n    x = []\n    for _ in range(100000):\n        x = {step}\n    return x\nf()")
    };
    for (step, shown) in [
        ("[x]", "<a list nested too deeply to show>"),
        ("(x,)", "<a tuple nested too deeply to show>"),
        ("{1: x}", "<a dict nested too deeply to show>"),
        ("struct(a = x)", "<a struct nested too deeply to show>"),
    ] {
        assert_eq!(run(Sandbox::new, &deep(step)).unwrap().value.to_string(), shown);
    }
    let wide = "def f():\n    x = []\n    for _ in range(100):\n        x = [x, x]\n    return x\nf()";
    assert_eq!(run(Sandbox::new, wide).unwrap().value.to_string(), "<a list nested too deeply to show>");
    assert_eq!(
        run(Sandbox::new, "[[[[1, (2, {3: struct(a = 4)})]]]]").unwrap().value.to_string(),
        "[[[[1, (2, {3: struct(a=4)})]]]]"
    );
}
