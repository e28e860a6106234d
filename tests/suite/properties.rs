//! Properties of all values: numbers into WebAssembly and back, memories compared with a `Vec<u8>`, values into a
//! script and out of it, and through JSON.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use wasmlark::{Int, Limits, Sandbox, Session, Struct, Value};

/// Each run has the same cases, so that a failure is due to the change at hand.
pub(crate) fn check<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&strategy, test).unwrap();
}

pub(crate) fn session(script: &str) -> std::cell::RefCell<Session> {
    let limits = Limits::new().ticks(1 << 40).heap(8 << 30);
    std::cell::RefCell::new(Sandbox::new().limits(limits).load("main.star", script).unwrap())
}

const IDENTITIES: &str = r#"
i = wasm.instantiate(wasm.wat("""(module
    (func (export "i32") (param i32) (result i32) (local.get 0))
    (func (export "i64") (param i64) (result i64) (local.get 0))
    (func (export "f32") (param f32) (result f32) (local.get 0))
    (func (export "f64") (param f64) (result f64) (local.get 0))
    (func (export "v128") (param v128) (result v128) (local.get 0))
    (func (export "externref") (param externref) (result externref) (local.get 0)))"""))
globals = {name: wasm.Global(name, zero, mutable = True) for name, zero in [("i32", 0), ("i64", 0), ("f32", 0.0), ("f64", 0.0), ("v128", (b"0" * 16))]}
def call(type, x):
    return getattr(i.exports, type)(x)
def keep(type, x):
    globals[type].value = x
    return globals[type].value
"#;

/// Any int is accepted as signed or as unsigned, and comes back signed. One that fits neither is refused, also by a global.
#[test]
fn ints_go_through_webassembly() {
    let session = session(IDENTITIES);
    let near = prop_oneof![
        any::<i128>(),
        any::<i64>().prop_map(i128::from),
        any::<i32>().prop_map(i128::from),
        any::<u64>().prop_map(i128::from)
    ];
    let strategy = (near, -2..=2i128, prop_oneof![Just(32u32), Just(64u32)]);
    check(500, strategy, |(number, more, bits)| {
        let edges = [number, (1i128 << bits) + more, (1 << (bits - 1)) + more, -(1 << (bits - 1)) + more];
        for number in edges {
            let name = Value::from(format!("i{bits}"));
            let arguments = [name, Value::Int(Int::from(number))];
            let fits = -(1i128 << (bits - 1)) <= number && number < 1 << bits;
            let signed = if number >= 1 << (bits - 1) { number - (1 << bits) } else { number };
            for function in ["call", "keep"] {
                match session.borrow_mut().call_values(function, &arguments) {
                    Ok(found) if fits => prop_assert_eq!(found, Value::Int(Int::from(signed))),
                    other => prop_assert!(other.is_err() && !fits, "{} of {:?}: {:?}", function, arguments, other),
                }
            }
        }
        Ok(())
    });
}

/// A float comes back bit by bit, except for the payload of a NaN. As an f32 it is rounded as Rust does, and refused if it
/// is finite and too large.
#[test]
fn floats_go_through_webassembly() {
    let session = session(IDENTITIES);
    check(500, any::<f64>(), |number| {
        for (name, expected) in [("f64", number), ("f32", f64::from(number as f32))] {
            for function in ["call", "keep"] {
                let found = session.borrow_mut().call_values(function, &[Value::from(name), Value::Float(number)]);
                let found = found.ok().and_then(|found| found.as_f64());
                if number.is_finite() && expected.is_infinite() {
                    prop_assert_eq!(found, None);
                    continue;
                }
                let same = |found: f64| found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
                prop_assert!(found.is_some_and(same), "{} as {}: {:?}", number, name, found);
            }
        }
        Ok(())
    });
}

/// Exactly sixteen bytes are a v128; any value is an externref.
#[test]
fn vectors_and_references_go_through_webassembly() {
    let session = session(IDENTITIES);
    check(200, (vec(any::<u8>(), 14..19), value(false)), |(bytes, any)| {
        let vector = Value::Bytes(bytes.clone());
        for function in ["call", "keep"] {
            let found = session.borrow_mut().call_values(function, &[Value::from("v128"), vector.clone()]);
            prop_assert_eq!(found.ok(), (bytes.len() == 16).then(|| vector.clone()));
        }
        let found = session.borrow_mut().call_values("call", &[Value::from("externref"), any.clone()]);
        prop_assert_eq!(found.ok(), Some(any));
        Ok(())
    });
}

fn key() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| Value::Int(Int::from(number))),
        any::<String>().prop_map(Value::Str),
    ]
}

/// Generates values of all kinds that can be passed to a script; with `for_json`, only those that JSON preserves.
pub(crate) fn value(for_json: bool) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::None),
        any::<bool>().prop_map(Value::Bool),
        any::<i128>().prop_map(move |number| {
            // starlark's decoder makes a float of an int that fits 64 bits neither with a sign nor without.
            Value::Int(if for_json { Int::from(number as i64) } else { Int::from(number) })
        }),
        proptest::num::f64::NORMAL.prop_map(Value::Float),
        any::<String>().prop_map(Value::Str),
        vec(any::<u8>(), 0..9).prop_map(move |bytes| if for_json { Value::None } else { Value::Bytes(bytes) }),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let list = vec(inner.clone(), 0..5);
        let strings = proptest::collection::btree_map(any::<String>(), inner.clone(), 0..5);
        let dict = vec((key(), inner.clone()), 0..5).prop_map(|mut entries| {
            // `True` in Starlark does not equal 1 as a key.
            let mut keys: Vec<Value> = Vec::new();
            entries.retain(|(key, _)| {
                !keys.contains(key) && {
                    keys.push(key.clone());
                    true
                }
            });
            Value::Dict(entries)
        });
        let by_string =
            strings.prop_map(|map| Value::Dict(map.into_iter().map(|(key, value)| (Value::Str(key), value)).collect()));
        if for_json {
            prop_oneof![list.prop_map(Value::List), by_string].boxed()
        } else {
            let pair = (inner.clone(), inner).prop_map(|(a, b)| Value::Struct(Struct::new([("a", a), ("b", b)])));
            prop_oneof![list.clone().prop_map(Value::List), list.prop_map(Value::Tuple), dict, by_string, pair].boxed()
        }
    })
}

/// A value comes out of a script unchanged, from a function, a global and a list of arguments.
#[test]
fn values_come_back_as_they_were() {
    let session = session("def same(x):\n    return x\ndef inside(x):\n    return [x, {1: x}][1][1]");
    check(300, value(false), |given| {
        for function in ["same", "inside"] {
            let found = session.borrow_mut().call_values(function, std::slice::from_ref(&given));
            prop_assert_eq!(found.ok(), Some(given.clone()));
        }
        Ok(())
    });
}

/// A value that JSON can represent comes back unchanged, and serde reads the same text.
#[test]
fn json_there_and_back() {
    let session = session("def twice(x):\n    text = json.encode(x)\n    return [text, json.decode(text)]");
    check(300, value(true), |given| {
        let found = session.borrow_mut().call_values("twice", std::slice::from_ref(&given)).unwrap();
        let [text, again] = found.as_slice().unwrap() else { panic!("{found:?}") };
        prop_assert_eq!(again, &given);
        prop_assert!(serde_json::from_str::<serde_json::Value>(text.as_str().unwrap()).is_ok(), "{:?}", text);
        Ok(())
    });
}

#[derive(Debug, Clone)]
enum Step {
    Write(i64, Vec<u8>),
    Read(i64, i64),
    Fill(i64, i64, i64),
    Copy(i64, i64, i64),
    WriteNumber(usize, i64, i64),
    ReadNumber(usize, i64),
    Find(Vec<u8>),
}

const PAGE: i64 = 65_536;
const NUMBERS: [(&str, usize); 8] =
    [("i8", 1), ("u8", 1), ("i16", 2), ("u16", 2), ("i32", 4), ("u32", 4), ("i64", 8), ("u64", 8)];

fn step() -> impl Strategy<Value = Step> {
    let place = || prop_oneof![0..64i64, PAGE - 16..PAGE + 4, Just(-1), Just(i64::MAX)];
    let length = || prop_oneof![0..40i64, Just(PAGE), Just(-1), Just(i64::MAX)];
    prop_oneof![
        (place(), vec(any::<u8>(), 0..20)).prop_map(|(at, bytes)| Step::Write(at, bytes)),
        (place(), length()).prop_map(|(at, count)| Step::Read(at, count)),
        (place(), 0..256i64, length()).prop_map(|(at, byte, count)| Step::Fill(at, byte, count)),
        (place(), place(), length()).prop_map(|(to, from, count)| Step::Copy(to, from, count)),
        (0..8usize, place(), any::<i64>()).prop_map(|(kind, at, number)| Step::WriteNumber(kind, at, number)),
        (0..8usize, place()).prop_map(|(kind, at)| Step::ReadNumber(kind, at)),
        vec(any::<u8>(), 1..3).prop_map(Step::Find),
    ]
}

const MEMORY: &str = r#"
m = [wasm.Memory(1)]
def new():
    m[0] = wasm.Memory(1)
def do(name, args):
    return getattr(m[0], name)(*args)
"#;

/// Applies a step to a `Vec<u8>`; `None` for one that must fail and change nothing.
fn expected(memory: &mut [u8], step: &Step) -> Option<Value> {
    let range = |at: i64, count: i64| {
        let (at, count) = (usize::try_from(at).ok()?, usize::try_from(count).ok()?);
        let end = at.checked_add(count)?;
        (end <= PAGE as usize).then_some(at..end)
    };
    match step {
        Step::Write(at, bytes) => memory[range(*at, bytes.len() as i64)?].copy_from_slice(bytes),
        Step::Read(at, count) => return Some(Value::Bytes(memory[range(*at, *count)?].to_vec())),
        Step::Fill(at, byte, count) => memory[range(*at, *count)?].fill(*byte as u8),
        Step::Copy(to, from, count) => {
            let (to, from) = (range(*to, *count)?, range(*from, *count)?);
            memory.copy_within(from, to.start);
        }
        Step::WriteNumber(kind, at, number) => {
            let (name, size) = NUMBERS[*kind];
            let bits = size as u32 * 8;
            let place = range(*at, size as i64)?;
            let number = i128::from(*number);
            let range = if name.starts_with('i') { -(1i128 << (bits - 1))..1 << (bits - 1) } else { 0..1 << bits };
            if !range.contains(&number) {
                return None;
            }
            memory[place].copy_from_slice(&number.to_le_bytes()[..size]);
        }
        Step::ReadNumber(kind, at) => {
            let (name, size) = NUMBERS[*kind];
            let bytes = &memory[range(*at, size as i64)?];
            let mut wide = [if name.starts_with('i') && bytes[size - 1] >= 0x80 { 0xff } else { 0 }; 16];
            wide[..size].copy_from_slice(bytes);
            return Some(Value::Int(Int::from(i128::from_le_bytes(wide))));
        }
        Step::Find(needle) => {
            let at = memory.windows(needle.len()).position(|window| window == needle);
            return Some(Value::from(at.map_or(-1, |at| at as i64)));
        }
    }
    Some(Value::None)
}

#[test]
fn a_memory_is_like_a_vec() {
    let session = session(MEMORY);
    check(100, vec(step(), 1..30), |steps| {
        let mut session = session.borrow_mut();
        session.call_values("new", &[]).unwrap();
        let mut memory = vec![0; PAGE as usize];
        for step in &steps {
            let (name, arguments) = match step {
                Step::Write(at, bytes) => ("write".to_owned(), vec![Value::from(*at), Value::Bytes(bytes.clone())]),
                Step::Read(at, count) => ("read".to_owned(), vec![Value::from(*at), Value::from(*count)]),
                Step::Fill(at, byte, count) => {
                    ("fill".to_owned(), vec![Value::from(*at), Value::from(*byte), Value::from(*count)])
                }
                Step::Copy(to, from, count) => {
                    ("copy".to_owned(), vec![Value::from(*to), Value::from(*from), Value::from(*count)])
                }
                Step::WriteNumber(kind, at, number) => {
                    (format!("write_{}", NUMBERS[*kind].0), vec![Value::from(*at), Value::from(*number)])
                }
                Step::ReadNumber(kind, at) => (format!("read_{}", NUMBERS[*kind].0), vec![Value::from(*at)]),
                Step::Find(needle) => ("find".to_owned(), vec![Value::Bytes(needle.clone())]),
            };
            let found = session.call_values("do", &[Value::from(name), Value::List(arguments)]);
            let expected = expected(&mut memory, step);
            prop_assert_eq!(found.as_ref().ok(), expected.as_ref(), "{:?}: {:?}", step, found);
        }
        let all =
            session.call_values("do", &[Value::from("read"), Value::List(vec![Value::from(0), Value::from(PAGE)])]);
        prop_assert_eq!(all.unwrap(), Value::Bytes(memory));
        Ok(())
    });
}
