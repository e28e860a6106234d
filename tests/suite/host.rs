//! Functions and values that an application gives its scripts.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use wasmlark::{Error, ErrorKind, HostFunction, Int, Rest, Sandbox, Serde, Value};

fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox
        .function("lookup", |key: &str, default: Option<u64>| -> Result<Option<u64>, Error> {
            Ok(if key == "ann" { Some(7) } else { default })
        })
        .params(["key", "default"]);
    sandbox.function("plain", |a: i32, b: i32| Ok::<_, Error>(a - b));
    sandbox.function("nothing", || Ok::<_, Error>(()));
    sandbox.function("octets", |bytes: &[u8], more: Vec<u8>| Ok::<_, Error>([bytes, &more].concat()));
    sandbox.function("small", |x: u8| Ok::<_, Error>(u32::from(x)));
    sandbox.function("wide", |x: u64| Ok::<_, Error>(x));
    sandbox.function("big", |x: Int| Ok::<_, Error>(x));
    sandbox.function("real", |x: f64| Ok::<_, Error>(x));
    sandbox.function("letter", |x: char| Ok::<_, Error>(x));
    sandbox.function("words", |x: Vec<&str>| Ok::<_, Error>(x.join(" ")));
    sandbox.function("table", |x: BTreeMap<String, Vec<i64>>| Ok::<_, Error>(x));
    sandbox.function("pair", |(x, y): (i32, bool)| Ok::<_, Error>((y, x)));
    sandbox.function("same", |x: Value| Ok::<_, Error>(x));
    sandbox.function("total", |first: i32, Rest(more): Rest<i32>| Ok::<_, Error>(vec![first, more.iter().sum()]));
    sandbox.function("rows", |Serde(x): Serde<Vec<(u8, String)>>| Ok::<_, Error>(Serde(x)));
    sandbox
}

fn run(script: &str) -> Result<Value, Error> {
    sandbox().run("main.star", script).map(|run| run.value)
}

#[test]
fn arguments_and_results() {
    for (script, expected) in [
        ("lookup('ann')", "7"),
        ("lookup('bob')", "None"),
        ("lookup('bob', 3)", "3"),
        ("lookup('bob', default = 3)", "3"),
        ("lookup(default = 1 << 63, key = 'bob')", "9223372036854775808"),
        ("lookup(*['bob'], **{'default': 4})", "4"),
        ("lookup('bob', None)", "None"),
        ("plain(1, -2)", "3"),
        ("nothing()", "None"),
        ("octets(b'a\\xff', b'')", r#"b"a\xff""#),
        ("small(255)", "255"),
        ("wide((1 << 64) - 1)", "18446744073709551615"),
        ("big(-(1 << 100))", "-1267650600228229401496703205376"),
        ("(real(1), real(0.5))", "(1.0, 0.5)"),
        ("real(1 << 40) == float(1 << 40)", "True"),
        ("letter('x')", r#""x""#),
        ("words(['a', 'b'])", r#""a b""#),
        ("words(('a',))", r#""a""#),
        ("table({'b': [1], 'a': []})", r#"{"a": [], "b": [1]}"#),
        ("pair((1, True))", "(True, 1)"),
        ("same({(1,): set([struct(a = [None, 0.5])] and [2])})", "{(1,): set([2])}"),
        ("(total(1), total(1, 2), total(1, *range(9)))", "([1, 0], [1, 2], [1, 36])"),
        ("rows([(1, 'a')])", r#"[(1, "a")]"#),
        ("repr(lookup) + type(lookup)", r#""lookupfunction""#),
        ("[lookup(x) for x in ['ann']]", "[7]"),
        ("def f(g): return g('ann')\nf(lookup)", "7"),
    ] {
        let value = run(script).unwrap_or_else(|error| panic!("{script}: {error}"));
        assert_eq!(value.to_string(), expected, "{script}");
    }
}

#[test]
fn wrong_arguments() {
    for (script, expected) in [
        ("lookup(3)", "lookup: argument `key` must be str, not int"),
        ("lookup()", "lookup: argument `key` is missing"),
        ("lookup('a', 'b')", "lookup: argument `default` must be int, not str"),
        ("lookup('a', -1)", "lookup: argument `default` must be an int from 0 to 18446744073709551615, not -1"),
        ("lookup('a', 1, 2)", "lookup takes 2 arguments, got 3"),
        ("lookup(kye = 'a')", "lookup has no parameter `kye`; did you mean `key`?"),
        ("lookup('a', key = 'b')", "lookup: argument `key` is given twice"),
        ("plain('a', 1)", "plain: argument 1 must be int, not str"),
        ("plain(1, None)", "plain: argument 2 must be int, not None"),
        ("plain(1)", "plain: argument 2 is missing"),
        ("plain(1, True)", "plain: argument 2 must be int, not bool"),
        ("plain(1, 1 << 31)", "plain: argument 2 must be an int from -2147483648 to 2147483647, not 2147483648"),
        ("plain(1, b = 2)", "plain: argument `b` is given by name, but its arguments have none"),
        ("small(256)", "small: argument 1 must be an int from 0 to 255, not 256"),
        ("wide(1 << 400)", "wide: argument 1 must be an int from 0 to 18446744073709551615, not a larger one"),
        ("octets('a', b'')", "octets: argument 1 must be bytes, not str"),
        ("octets(b'a', [1])", "octets: argument 2 must be bytes, not list"),
        ("real('a')", "real: argument 1 must be float, not str"),
        ("real(True)", "real: argument 1 must be float, not bool"),
        ("letter('xy')", "letter: argument 1 must be a str of one character, not str"),
        ("words('a')", "words: argument 1 must be list, not str"),
        ("words(['a', 1])", "words: argument 1 at `[1]` must be str, not int"),
        ("table({'a': [1, 2.5]})", "table: argument 1 at `[\"a\"][1]` must be int, not float"),
        ("table({1: []})", "table: argument 1 at `.keys()` must be str, not int"),
        ("total()", "total: argument 1 is missing"),
        ("total(1, 2, 'a')", "total: argument 3 must be int, not str"),
        ("total(1, more = 2)", "total: argument `more` is given by name, but its arguments have none"),
        ("pair((1,))", "pair: argument 1 must have 2 elements, not 1"),
        ("rows([(1, 2)])", "rows: argument 1: at `[0][1]`: invalid type: integer `2`, expected a string"),
        (
            "def f():\n    x = []\n    x.append(x)\n    same(x)\nf()",
            "same: argument 1: the list is too large, or nested too deeply, to leave its script",
        ),
        ("same(len)", "len belongs to the script that made it and cannot be passed"),
    ] {
        let error = run(script).unwrap_err();
        assert_eq!(error.message(), expected, "{script}");
        assert_eq!(error.kind(), ErrorKind::Value, "{script}");
        assert!(error.location().is_some(), "{script}");
    }
}

#[derive(Debug, PartialEq)]
struct Refused(u32);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused {}", self.0)
    }
}

impl std::error::Error for Refused {}

const FAILING: &str = "def outer(n): return inner(n)\ndef inner(n): return refuse(n)\ndef fine(): return 'fine'";

#[test]
fn an_error_comes_back_as_it_is() {
    let mut sandbox = Sandbox::new();
    sandbox.function("refuse", |n: u32| Err::<(), _>(Refused(n)));
    let mut session = sandbox.load("main.star", FAILING).unwrap();
    for n in 0..3 {
        let error = session.call_values("outer", &[n.into()]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Host);
        assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&Refused(n)));
        assert_eq!(
            error.text(),
            format!(
                "Traceback (most recent call last):
  * main.star:1, in outer
      def outer(n): return inner(n)
  * main.star:2, in inner
      def inner(n): return refuse(n)
error: refused {n}
 --> main.star:2:22
  |
2 | def inner(n): return refuse(n)
  |                      ^^^^^^^^^
  |
"
            )
        );
        assert_eq!(session.call_values("fine", &[]).unwrap().as_str(), Some("fine"));
    }
}

#[test]
fn an_error_of_any_sort() {
    let mut sandbox = Sandbox::new();
    sandbox.function("text", || Err::<(), _>("just a text"));
    sandbox.function("ours", || Err::<(), _>(Error::host(Refused(5))));
    sandbox.function("nested", || sandbox_that_fails().map(|run| run.value));
    let fails = |script| sandbox.run("main.star", script).unwrap_err();
    let error = fails("text()");
    assert_eq!((error.kind(), error.message()), (ErrorKind::Host, "just a text"));
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("just a text"));
    assert_eq!(fails("ours()").source().and_then(|source| source.downcast_ref()), Some(&Refused(5)));
    assert_eq!(fails("nested()").kind(), ErrorKind::Load);
}

fn sandbox_that_fails() -> Result<wasmlark::Run, Error> {
    Sandbox::new().run("other.star", "wasm.Module('a.wasm')")
}

/// Even through WebAssembly, where the error crosses two languages.
#[test]
#[cfg(feature = "wat")]
fn an_error_crosses_a_guest() {
    let mut sandbox = Sandbox::new();
    sandbox.function("refuse", |n: u32| Err::<i32, _>(Refused(n)));
    let script = r#"
guest = wasm.wat('''(module (import "env" "f" (func $f (param i32) (result i32)))
    (func (export "go") (result i32) (call $f (i32.const 9))))''')
wasm.instantiate(guest, imports = {"env": {"f": lambda caller, n: refuse(n)}}).exports.go()"#;
    let error = sandbox.run("main.star", script).unwrap_err();
    assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&Refused(9)), "{error}");
    assert!(error.text().contains("wasm function go"), "{error}");
    let direct = script.replace("lambda caller, n: refuse(n)", "lambda caller, n: wasm.attempt(refuse, n)");
    assert_eq!(sandbox.run("main.star", &direct).unwrap_err().message(), "refused 9", "it is no trap");
}

#[test]
fn a_panic_is_an_error() {
    let mut sandbox = Sandbox::new();
    let calls = Arc::new(Mutex::new(0));
    sandbox.function("refuse", move |n: u32| {
        let mut calls = calls.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *calls += 1;
        assert!(n == 0, "{n} is too many");
        Ok::<u32, Error>(*calls)
    });
    let mut session = sandbox.load("main.star", FAILING).unwrap();
    let error = session.call_values("outer", &[2.into()]).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Host, "refuse panicked: 2 is too many"));
    assert!(error.source().is_none());
    assert!(error.text().contains("in inner"), "{error}");
    assert_eq!(session.call_values("outer", &[0.into()]).unwrap(), 2.into());
}

#[test]
fn values_are_frozen_and_everywhere() {
    let mut sandbox = Sandbox::new();
    let entries = vec![("z".into(), Value::List(vec![1.into()])), ("a".into(), Value::Set(vec![2.into(), 1.into()]))];
    sandbox.set_value("config", Value::Dict(entries)).unwrap();
    sandbox.value("numbers", &vec![1, 2, 3]).unwrap().value("name", "x").unwrap();
    sandbox.file("lib.star", "def first(): return config['z'][0] + len(numbers)\nseen = name");
    let run = sandbox.run("main.star", "load('lib.star', 'first', 'seen')\n(first(), seen, repr(config))").unwrap();
    assert_eq!(run.value.to_string(), r#"(4, "x", "{\"z\": [1], \"a\": set([2, 1])}")"#);
    for script in ["config['z'].append(1)", "config['b'] = 1", "numbers.clear()", "config['a'].add(3)"] {
        let error = sandbox.run("main.star", script).unwrap_err();
        assert!(error.message().contains("Immutable"), "{script}: {error}");
    }
    sandbox.value("name", &2).unwrap();
    assert_eq!(sandbox.run("main.star", "name").unwrap().value, 2.into());
    sandbox.function("name", || Ok::<_, Error>(3));
    assert_eq!(sandbox.run("main.star", "name()").unwrap().value, 3.into());
    sandbox.value("name", &4).unwrap();
    assert_eq!(sandbox.run("main.star", "name").unwrap().value, 4.into());
    assert_eq!(sandbox.run("main.star", "name = 5\nname").unwrap().value, 5.into(), "a script may have its own");
}

#[test]
fn values_that_cannot_be_given() {
    let deep = (0..300).fold(Value::None, |inner, _| Value::List(vec![inner]));
    let unhashable = Value::Dict(vec![(Value::List(vec![]), Value::None)]);
    for (name, value, expected) in [
        ("", Value::None, "`` cannot be the name of a global: it must be an identifier"),
        ("a b", Value::None, "`a b` cannot be the name of a global: it must be an identifier"),
        ("1a", Value::None, "`1a` cannot be the name of a global: it must be an identifier"),
        ("for", Value::None, "`for` cannot be the name of a global: it is a keyword"),
        ("len", Value::None, "`len` cannot be the name of a global: scripts have one of this name"),
        ("wasm", Value::None, "`wasm` cannot be the name of a global: scripts have one of this name"),
        ("argv", Value::None, "`argv` cannot be the name of a global: scripts have one of this name"),
        ("x", deep, "cannot give scripts `x`: the value is nested deeper than 200 levels"),
        (
            "x",
            Value::Opaque("f".into()),
            "cannot give scripts `x`: f belongs to the script that made it and cannot be passed",
        ),
        ("x", unhashable, "cannot give scripts `x`: Value of type `list` is not hashable"),
    ] {
        let error = Sandbox::new().set_value(name, value).unwrap_err();
        assert_eq!(error.message(), expected);
    }
    let mut sandbox = Sandbox::new();
    sandbox.function("no name", || Ok::<_, Error>(()));
    let error = sandbox.run("main.star", "1").unwrap_err();
    assert_eq!(error.message(), "`no name` cannot be the name of a global: it must be an identifier");
}

#[test]
fn a_removed_file_is_gone() {
    let mut sandbox = Sandbox::new();
    sandbox.file("a.star", "x = 1");
    assert!(sandbox.run("main.star", "load('a.star', 'x')").is_ok());
    assert!(sandbox.remove_file("a.star"));
    assert!(!sandbox.remove_file("a.star"));
    assert_eq!(sandbox.run("main.star", "load('a.star', 'x')").unwrap_err().kind(), ErrorKind::Load);
}

#[test]
fn functions_are_shared_by_threads() {
    let mut sandbox = Sandbox::new();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    sandbox.function("count", move || Ok::<_, Error>(counted.fetch_add(1, Ordering::Relaxed)));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| sandbox.run("main.star", "[count() for _ in range(100)]").unwrap());
        }
    });
    assert_eq!(count.load(Ordering::Relaxed), 400);
}

#[test]
fn what_is_given_is_known_to_the_check() {
    let mut sandbox = sandbox();
    sandbox.value("config", &1).unwrap();
    let messages = |sandbox: &Sandbox, script: &str| {
        sandbox.check("main.star", script).into_iter().map(|found| found.message).collect::<Vec<_>>()
    };
    assert_eq!(messages(&sandbox, "x = lookup('a', default = config)\nprint(x + 1)"), Vec::<String>::new());
    let unknown = messages(&sandbox, "print(lokup('a'))");
    assert!(unknown.iter().any(|message| message.contains("lokup")), "{unknown:?}");
    assert!(!messages(&Sandbox::new(), "lookup('a')").is_empty());
    sandbox.function("no name", || Ok::<_, Error>(()));
    assert_eq!(messages(&sandbox, "1"), ["`no name` cannot be the name of a global: it must be an identifier"]);
}

/// For an application with an evaluator of its own, and for tools that list what scripts may call.
#[test]
fn a_function_is_documented() {
    use starlark::docs::{DocItem, DocMember};
    use starlark::environment::GlobalsBuilder;

    let mut function =
        HostFunction::new("find", |key: &str, Rest(more): Rest<i32>| Ok::<_, Error>(key.len() + more.len()));
    function.params(["key"]).doc("Returns how much there is.\n\nOf all that was asked for.");
    let docs = GlobalsBuilder::new().with(|builder| function.add_to(builder)).build().documentation();
    let Some(DocItem::Member(DocMember::Function(docs))) = docs.members.get("find") else { panic!("{docs:?}") };
    let text = docs.docs.as_ref().unwrap();
    assert_eq!(text.summary, "Returns how much there is.");
    assert_eq!(text.details.as_deref(), Some("Of all that was asked for."));
    let named: Vec<_> = docs.params.pos_or_named.iter().map(|param| param.name.as_str()).collect();
    assert_eq!(named, ["key"]);
    assert!(docs.params.args.is_some());
}
