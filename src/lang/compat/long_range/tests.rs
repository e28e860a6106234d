//! What ranges are and compute, compared with starlark's where these are right.

use starlark::environment::{Globals, LibraryExtension, Module};
use starlark::syntax::{AstModule, Dialect};

use super::*;

const SCRIPT: &str = r#"
def first(x: range):
    for n in x:
        if n > 2:
            return n

def use(x):
    return [
        len(x), x[0], x[-1], x[5:], x[::2], x[3:6], x[1 << 27:], 7 in x, -7 in x, "a" in x, bool(x), str(x), repr([x]), type(x),
        isinstance(x, range), isinstance([x], list[range]), isinstance(x, int), isinstance(x, range | None), first(x),
        x == x, x != x, x == range(3), range(3) == x, x[1:] == x[1:], x[:-1] == x, x == [0], dir(x), [n for n, _ in zip(x[:3], x[:3])],
    ]

[
    use(range(1 << 30)), use(range(1 << 28)), use(range((1 << 28) - 1)), use(range(-5, 2147483600, 3)),
    use(range(5, -(1 << 30), -1)), use(range(0, 2147483647)), range(1 << 30) == range(1 << 30),
    range(1 << 30) == range(1 << 29), range(1 << 29) == range(5),
]
"#;

/// Evaluates a script, and returns the text of its value or error, and the ticks that it cost.
fn evaluate(globals: &Globals, script: &str) -> (String, u64) {
    Module::with_temp_heap(|module| {
        let ast = AstModule::parse("a.star", script.to_owned(), &Dialect::Extended).unwrap();
        let mut eval = Evaluator::new(&module);
        let text = match eval.eval_module(ast, globals) {
            Ok(value) => value.to_string(),
            Err(error) => error.to_string(),
        };
        (text, eval.get_total_tick_count())
    })
}

/// Returns starlark's globals, with `range` of this file or without.
fn both() -> [Globals; 2] {
    let builder = || GlobalsBuilder::extended_by(&[LibraryExtension::Typing]);
    [builder().with(globals).build(), builder().build()]
}

#[test]
fn a_long_range_is_like_any_other() {
    let [wrapped, starlark] = both();
    let (found, expected) = (evaluate(&wrapped, SCRIPT), evaluate(&starlark, SCRIPT));
    assert!(expected.0.starts_with("[[1073741824, 0, "), "{}", expected.0);
    assert_eq!(found, expected);
    for script in [
        "range(1 << 30)[1 << 30]",
        "hash(range(1 << 30))",
        "{range(1 << 30): 1}",
        "range(1 << 30) + 1",
        "range(1 << 30) < 1",
        "range(1, 2, 0)",
        "range('a')",
        "range(a1 = 1)",
        "range()",
        "isinstance(range(3), range)",
        "[range(1000000000)] * 2",
        "range",
    ] {
        assert_eq!(evaluate(&wrapped, script), evaluate(&starlark, script));
    }
}

#[test]
fn a_wrapped_range_computes_as_starlark_does() {
    let bounds = -4..5;
    for (start, stop, step) in bounds
        .clone()
        .flat_map(|start| bounds.clone().flat_map(move |stop| [-3, -2, -1, 1, 2, 3].map(|step| (start, stop, step))))
    {
        let step = NonZeroI32::new(step).unwrap();
        Module::with_temp_heap(|module| {
            let length = elements(start.into(), stop.into(), step);
            let range = Range::new(start, stop, step);
            let wrapped = LongRange { range, start: start.into(), step: step.get().into(), length };
            module.set("x", module.heap().alloc(wrapped));
            module.set("y", module.heap().alloc(range));
            // `==` of both kinds is false, so that their texts are compared.
            let script = r#"
numbers = range(-6, 7)
bounds = [None] + list(numbers)
def use(x):
    return [
        len(x), bool(x), list(x), [n in x for n in numbers], [float(n) in x for n in numbers], 0.5 in x, "" in x,
        [x[n] for n in range(-len(x), len(x))], [list(x[a:b:c]) for a in bounds for b in bounds for c in (None, -2, -1, 1, 2)],
        [str(x[a:b:c]) for a in bounds for b in bounds for c in (-2, -1, 1, 2)], str(x),
    ]
use(x) == use(y)
"#;
            let ast = AstModule::parse("a.star", script.to_owned(), &Dialect::Extended).unwrap();
            let result = Evaluator::new(&module).eval_module(ast, &Globals::standard()).unwrap();
            assert_eq!(result.unpack_bool(), Some(true), "{range}");
        });
    }
}

#[test]
fn a_range_whose_bounds_are_far_apart_is_exact() {
    let [wrapped, _] = both();
    for (script, expected) in [
        ("len(range(-1, 2147483647, 1000000000))", "3"),
        ("len(range(-1, 2147483647, 2))", "1073741824"),
        (
            "list(range(-2147483648, 2147483647, 1000000000))",
            "[-2147483648, -1147483648, -147483648, 852516352, 1852516352]",
        ),
        ("list(range(2147483647, -2147483648, -2000000000))", "[2147483647, 147483647, -1852516353]"),
        ("list(range(2147483647, -2147483648, -2147483648))", "[2147483647, -1]"),
        ("list(range(0, -2147483648, -2147483648))", "[0]"),
        ("852516352 in range(-2147483648, 2147483647, 1000000000)", "True"),
        ("852516353 in range(-2147483648, 2147483647, 1000000000)", "False"),
        ("-1e30 in range(-2147483648, 2147483647, 1000000000)", "False"),
        ("(1 << 80) in range(-2147483648, 2147483647, 1000000000)", "False"),
        ("range(-5, 2147483647, 3)[-1]", "2147483644"),
        ("len(range(-5, 2147483647, 3)[1::2])", "357913942"),
        ("list(range(-2147483648, 2147483647, 1000000000)[:0:-2])", "[1852516352, -147483648]"),
        ("list(range(-2147483648, 2147483647, 1000000000)[3:])", "[852516352, 1852516352]"),
        ("bool(range(-1, 2147483647))", "True"),
        ("range(-1, 2147483647) == range(-1, 2147483647)", "True"),
        ("range(-1, 2147483647) == range(0, 2147483647)", "False"),
        // The same two elements, with a bound that is far and with one that is not.
        ("range(-2147483648, 1852516352, 2000000000) == range(-2147483648, -147483647, 2000000000)", "True"),
        ("range(-2147483648, -147483647, 2000000000) == range(-2147483648, 1852516352, 2000000000)", "True"),
        ("range(0, -2147483648, -2147483648) == range(0, 1)", "True"),
    ] {
        assert_eq!(evaluate(&wrapped, script).0, expected, "{script}");
    }
    for script in ["len(range(-1, 2147483647))", "range(-2147483648, 2147483647, 1000000000)[::-1]"] {
        assert!(evaluate(&wrapped, script).0.starts_with("error: Integer overflow"), "{script}");
    }
}

#[test]
fn a_long_range_announces_no_length_on_a_32_bit_host() {
    let [wrapped, _] = both();
    let announced = |length: usize| if size_of::<usize>() > 4 { (length, Some(length)) } else { (0, None) };
    for (length, expected) in
        [(1 << 28, announced(1 << 28)), (i32::MAX, announced(i32::MAX as usize)), (3, (3, Some(3)))]
    {
        Module::with_temp_heap(|module| {
            let ast = AstModule::parse("a.star", format!("range({length})[:]"), &Dialect::Extended).unwrap();
            let mut eval = Evaluator::new(&module);
            let range = eval.eval_module(ast, &wrapped).unwrap();
            assert_eq!(range.iterate(module.heap()).unwrap().size_hint(), expected);
        });
    }
    // The longest list that fits into memory, extended by the longest range that announces its length.
    assert!(((1_u64 << 29) + LONG.unsigned_abs()) * 4 < 1 << 32);
}
