//! Passing an application's own types into a script and out of it with serde.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use wasmlark::{ErrorKind, Int, Sandbox, Session, Struct, Value};

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct All {
    none: Option<u8>,
    some: Option<i64>,
    unit: (),
    flag: bool,
    byte: u8,
    wide: u64,
    huge: i128,
    float: f64,
    narrow: f32,
    letter: char,
    text: String,
    list: Vec<i32>,
    pair: (u8, String),
    map: BTreeMap<String, Vec<u8>>,
    by_number: BTreeMap<i64, bool>,
    shapes: Vec<Shape>,
    inner: Inner,
    wrapped: Wrapped,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
enum Shape {
    Point,
    Circle(f64),
    Line(i32, i32),
    Box { width: u32, height: u32 },
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Inner {
    name: String,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Wrapped(u32);

fn all() -> All {
    All {
        none: None,
        some: Some(i64::MIN),
        unit: (),
        flag: true,
        byte: 255,
        wide: u64::MAX,
        huge: i128::MIN,
        float: 1e300,
        narrow: 0.5,
        letter: 'é',
        text: "line\n\"".into(),
        list: vec![1, -2],
        pair: (1, "two".into()),
        map: [("b".into(), vec![0, 255]), ("a".into(), vec![])].into(),
        by_number: [(-1, true), (1 << 40, false)].into(),
        shapes: vec![Shape::Point, Shape::Circle(1.5), Shape::Line(1, 2), Shape::Box { width: 3, height: 4 }],
        inner: Inner { name: "inner".into() },
        wrapped: Wrapped(7),
    }
}

fn load(script: &str) -> Session {
    Sandbox::new().load("main.star", script).unwrap()
}

#[test]
fn own_types_go_in_and_out() {
    let mut session = load("def same(x): return x\ndef shown(x): return repr(x)\ndef add(a, b = 1): return a + b");
    let back: All = session.call("same", (all(),)).unwrap();
    assert_eq!(back, all());
    let shown: String = session.call("shown", (&all(),)).unwrap();
    assert_eq!(
        shown,
        concat!(
            r#"{"none": None, "some": -9223372036854775808, "unit": None, "flag": True, "byte": 255, "#,
            r#""wide": 18446744073709551615, "huge": -170141183460469231731687303715884105728, "float": 1e+300, "#,
            r#""narrow": 0.5, "letter": "\xe9", "text": "line\n\"", "list": [1, -2], "pair": (1, "two"), "#,
            r#""map": {"a": [], "b": [0, 255]}, "by_number": {-1: True, 1099511627776: False}, "#,
            r#""shapes": ["Point", {"Circle": 1.5}, {"Line": (1, 2)}, {"Box": {"width": 3, "height": 4}}], "#,
            r#""inner": {"name": "inner"}, "wrapped": 7}"#
        )
    );
    assert_eq!(session.call::<u64>("add", (40, 2)).unwrap(), 42);
    assert_eq!(session.call::<u64>("add", [41]).unwrap(), 42);
    assert_eq!(session.call::<Value>("add", &[Value::from("a"), Value::from("b")]).unwrap(), Value::from("ab"));
    // serde treats a `Vec<u8>` as a sequence; here it can also be made from bytes.
    assert_eq!(session.call::<Vec<u8>>("same", (Value::Bytes(vec![1, 255]),)).unwrap(), [1, 255]);
}

#[test]
fn a_hash_map_has_the_order_of_its_keys() {
    let mut session = load("def keys(x): return [k for k in x]");
    let names: HashMap<String, u8> = (0..100).map(|n| (format!("{n:03}"), n)).collect();
    let keys: Vec<String> = session.call("keys", (&names,)).unwrap();
    assert_eq!(keys, (0..100).map(|n| format!("{n:03}")).collect::<Vec<_>>());
    let pairs: HashMap<(i32, u8), ()> = (0..100).map(|n| ((50 - n, 1), ())).collect();
    let keys: Vec<(i32, u8)> = session.call("keys", (&pairs,)).unwrap();
    assert_eq!(keys, (-49..=50).map(|n| (n, 1)).collect::<Vec<_>>());
}

#[test]
fn errors_say_where() {
    let mut session =
        load("def f(x): return x\ndef many(): return {'a': [{'b': 1}, {'b': 'x'}]}\ndef function(): return [f]");
    #[derive(Deserialize, Debug)]
    #[allow(dead_code)]
    struct Outer {
        a: Vec<BTreeMap<String, u8>>,
    }
    let message = |error: wasmlark::Error| {
        assert_eq!(error.kind(), ErrorKind::Value);
        error.message().to_owned()
    };
    assert_eq!(
        message(session.call::<Outer>("many", ()).unwrap_err()),
        "the result of `many` does not fit: at `.a[1].b`: invalid type: string \"x\", expected u8"
    );
    assert_eq!(
        message(session.call::<u8>("f", (300,)).unwrap_err()),
        "the result of `f` does not fit: invalid value: integer `300`, expected u8"
    );
    assert_eq!(
        message(session.call::<u8>("f", 300).unwrap_err()),
        "cannot call `f`: the arguments of a call must be a tuple or a list, such as `(x,)` for a single one, got a value of type int"
    );
    assert_eq!(
        message(session.call::<Vec<u8>>("function", ()).unwrap_err()),
        "the result of `function` does not fit: at `[0]`: <function f> belongs to the script that made it"
            .replace("<function f>", &session.call_values("function", &[]).unwrap().as_slice().unwrap()[0].to_string())
    );
    assert_eq!(session.call_values("f", &[1.into()]).unwrap(), 1.into(), "the session can be called again");
}

/// A very long chain: `Serialize` of it alone would overflow the native stack.
struct Endless;

impl Serialize for Endless {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [Endless].serialize(serializer)
    }
}

#[derive(Deserialize, Debug)]
#[allow(dead_code)]
struct Chain(Vec<Chain>);

#[test]
fn deep_values_are_errors() {
    let error = Value::from_serialize(&Endless).unwrap_err();
    assert!(error.message().ends_with("the value is nested deeper than 200 levels"), "{error}");
    let nested = |levels| (0..levels).fold(Value::None, |inner, _| Value::List(vec![inner]));
    assert_eq!(Value::from_serialize(&nested(199)).unwrap(), nested(199));
    assert!(Value::from_serialize(&nested(200)).is_err());
    let lists = |levels| (1..levels).fold(Value::List(vec![]), |inner, _| Value::List(vec![inner]));
    assert!(lists(200).to::<Chain>().is_ok());
    let error = lists(201).to::<Chain>().unwrap_err();
    assert!(error.message().ends_with("the value is nested deeper than 200 levels"), "{error}");
    let text = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    assert!(Value::deserialize(&mut deserializer).is_err());
    assert!(lists(150).to::<Value>().is_ok());
}

#[test]
fn json() {
    let text = r#"{"z":1,"a":[true,null,-1.5,"x",18446744073709551615],"b":{}}"#;
    let value: Value = serde_json::from_str(text).unwrap();
    assert_eq!(value.to_string(), r#"{"z": 1, "a": [True, None, -1.5, "x", 18446744073709551615], "b": {}}"#);
    assert_eq!(serde_json::to_string(&value).unwrap(), text);
    let huge: Value = serde_json::from_str("1606938044258990275541962092341162602522202993782792835301376").unwrap();
    assert_eq!(huge, Sandbox::new().run("main.star", "1 << 200").unwrap().value);
    let theirs: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(Value::from_serialize(&theirs).unwrap().get("a"), value.get("a"));
    assert_eq!(value.to::<serde_json::Value>().unwrap(), theirs);
    let script = "[set([2, 1]), struct(x = (1,)), b'a', {1: 2}, 1 << 100, 1 << 200, len]";
    let value = Sandbox::new().run("main.star", script).unwrap().value;
    assert_eq!(
        serde_json::to_string(&value).unwrap(),
        concat!(
            r#"[[2,1],{"x":[1]},[97],{"1":2},1267650600228229401496703205376,"#,
            r#""1606938044258990275541962092341162602522202993782792835301376","<built-in function len>"]"#
        )
        .replace("<built-in function len>", &value.as_slice().unwrap()[6].to_string())
    );
    assert!(serde_json::to_string(&Value::Dict(vec![(Value::Tuple(vec![]), Value::None)])).is_err());
}

/// Pseudo-random numbers, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % limit
    }

    fn text(&mut self) -> String {
        (0..self.below(4)).filter_map(|_| char::from_u32(self.below(0x300) as u32)).collect()
    }

    /// Returns a value of any type; `depth` 0 gives one that can be a key.
    fn value(&mut self, depth: u32) -> Value {
        let count = self.below(4);
        match self.below(if depth == 0 { 7 } else { 12 }) {
            0 => Value::None,
            1 => Value::Bool(self.below(2) == 1),
            2 => Value::from(self.below(1000) as i64 - 500),
            3 => Value::Int(Int::from(i128::from(self.below(1 << 31)) << self.below(90))),
            4 => Value::Float(f64::from_bits(self.below(1 << 31) << 33)),
            5 => Value::Str(self.text()),
            6 => Value::Bytes(self.text().into_bytes()),
            7 => Value::List((0..count).map(|_| self.value(depth - 1)).collect()),
            8 => Value::Tuple((0..count).map(|_| self.value(depth - 1)).collect()),
            9 => Value::Set((0..count).map(|n| Value::from(n * 10 + self.below(10))).collect()),
            10 => {
                let entry = |n| (Value::from(format!("{}{n}", self.text())), self.value(depth - 1));
                Value::Dict((0..count).map(entry).collect())
            }
            _ => {
                let field = |n| (format!("f{n}"), self.value(depth - 1));
                Struct::new((0..count).map(field).collect::<Vec<_>>()).into()
            }
        }
    }
}

#[test]
fn random_values_survive_every_way() {
    let mut numbers = Numbers(1);
    let mut session = load("def same(x): return x\ndef shown(x): return repr(x)");
    let mut kinds = std::collections::BTreeSet::new();
    for _ in 0..2000 {
        let value = numbers.value(4);
        kinds.insert(value.type_name());
        assert_eq!(Value::from_serialize(&value).unwrap(), value, "{value}");
        assert_eq!(session.call_values("same", std::slice::from_ref(&value)).unwrap(), value, "{value}");
        assert_eq!(session.call::<String>("shown", (&value,)).unwrap(), value.to_string());
        assert_eq!(session.call::<Value>("same", (&value,)).unwrap(), value.to::<Value>().unwrap(), "{value}");
    }
    assert_eq!(kinds.len(), 11, "{kinds:?}");
}

/// Converts through `From` and `TryFrom`, through serde, and through one in each direction.
#[test]
fn random_numbers_survive_every_way() {
    let mut numbers = Numbers(3);
    for _ in 0..5000 {
        let bits = numbers.below(128);
        let wide = (i128::from(numbers.below(1 << 31)) << 97 | i128::from(numbers.below(1 << 31)) << 60) >> bits;
        let value = Value::from(wide);
        assert_eq!(i128::try_from(value.clone()).unwrap(), wide);
        assert_eq!(value.to::<i128>().unwrap(), wide);
        assert_eq!(Value::from_serialize(&wide).unwrap(), value);
        assert_eq!(i64::try_from(value.clone()).ok(), i64::try_from(wide).ok());
        assert_eq!(value.to::<i64>().ok(), i64::try_from(wide).ok());
        assert_eq!(u64::try_from(value.clone()).ok(), u64::try_from(wide).ok());
        assert_eq!(value.to::<u64>().ok(), u64::try_from(wide).ok());
        assert_eq!(u8::try_from(value.clone()).ok(), u8::try_from(wide).ok());
        assert_eq!(value.to::<u8>().ok(), u8::try_from(wide).ok());
        let some = (wide, Some(numbers.below(9) as i64), vec![numbers.below(1 << 31)]);
        let value = Value::from(some.clone());
        assert_eq!(<(i128, Option<i64>, Vec<u64>)>::try_from(value.clone()).unwrap(), some);
        assert_eq!(Value::from_serialize(&some).unwrap(), value);
        assert_eq!(value.to::<(i128, Option<i64>, Vec<u64>)>().unwrap(), some);
        let map: BTreeMap<String, i64> = (0..numbers.below(4)).map(|n| (numbers.text(), n as i64)).collect();
        assert_eq!(BTreeMap::<String, i64>::try_from(Value::from(map.clone())).unwrap(), map);
        assert_eq!(Value::from_serialize(&map).unwrap(), Value::from(map.clone()));
    }
}

/// The mark of serde_json's numbers is an ordinary dict if a script or an application makes one.
#[test]
fn the_mark_of_a_json_number_is_a_key() {
    let dict = Value::Dict(vec![("$serde_json::private::Number".into(), "5".into())]);
    assert_eq!(Value::from_serialize(&dict).unwrap(), dict);
}

#[test]
fn random_types_survive_every_way() {
    let mut numbers = Numbers(2);
    let mut session = load("def same(x): return x");
    for _ in 0..500 {
        let mut own = all();
        own.wide = numbers.below(1 << 31) << numbers.below(33);
        own.huge = i128::from(own.wide) << numbers.below(60);
        own.text = numbers.text();
        own.list = (0..numbers.below(5)).map(|_| numbers.below(1 << 31) as i32).collect();
        own.float = f64::from(numbers.below(1 << 31) as u32) / 7.0;
        own.by_number = (0..numbers.below(5)).map(|_| (numbers.below(100) as i64 - 50, true)).collect();
        assert_eq!(session.call::<All>("same", (&own,)).unwrap(), own);
    }
}

/// Types go to the script's heap and come from it without a `Value` between. Its errors are those of the way through one.
#[test]
fn both_ways_have_the_same_errors() {
    let mut session = load(
        "
def same(x): return x
def deep(levels):
    x = None
    for _ in range(levels): x = [x]
    return x
def vast():
    x = [0] * 10
    for _ in range(8): x = [x] * 10
    return [x, {1: 2}]
def function(): return {'f': same}
def key(): return {(1, 2): []}
",
    );
    let unhashable = Value::Dict(vec![(Value::List(vec![]), Value::None)]);
    let direct = session.call::<Value>("same", (&unhashable,)).unwrap_err();
    let through = session.call_values("same", &[unhashable]).unwrap_err();
    assert_eq!((direct.message(), direct.kind()), (through.message(), through.kind()));
    assert!(direct.message().contains("not hashable"), "{direct}");
    let opaque = Value::Opaque("a handle".into());
    let direct = session.call::<Value>("same", (&opaque,)).unwrap_err();
    let through = session.call_values("same", std::slice::from_ref(&opaque)).unwrap_err();
    assert_eq!((direct.message(), direct.kind()), (through.message(), through.kind()));
    assert_eq!(session.call::<Value>("deep", (199,)).unwrap(), session.call_values("deep", &[199.into()]).unwrap());
    for (name, args) in [("deep", &[Value::from(201)][..]), ("vast", &[])] {
        let through = session.call_values(name, args).unwrap_err();
        assert_eq!(through.message(), "the list is too large, or nested too deeply, to leave its script");
        let direct = session.call::<serde::de::IgnoredAny>(name, args.to_vec()).unwrap_err();
        assert_eq!((direct.message(), direct.kind()), (through.message(), through.kind()));
    }
    let error = session.call::<BTreeMap<String, Value>>("function", ()).unwrap_err();
    assert_eq!(
        error.message(),
        "the result of `function` does not fit: at `.f`: main.star.same belongs to the script that made it"
    );
    let error = session.call::<BTreeMap<(u8, u8), u8>>("key", ()).unwrap_err();
    assert!(error.message().starts_with("the result of `key` does not fit: at `[…]`: invalid type: "), "{error}");
    let error = session.call::<u8>("sane", (1,)).unwrap_err();
    assert_eq!(error.message(), "the script has no function `sane`; did you mean `same`?");
    let none: BTreeMap<String, u8> = BTreeMap::new();
    assert_eq!(session.call_with::<u8>("same", (7,), &none, wasmlark::CallLimits::new()).unwrap(), 7);
    let error = session.call_with::<u8>("same", (7,), 5, wasmlark::CallLimits::new()).unwrap_err();
    assert_eq!(
        error.message(),
        "cannot call `same`: the named arguments of a call must be a map or a struct, got a value of type int"
    );
    let named: BTreeMap<u8, u8> = [(1, 2)].into();
    let error = session.call_with::<u8>("same", (7,), &named, wasmlark::CallLimits::new()).unwrap_err();
    assert_eq!(
        error.message(),
        "cannot call `same`: the name of an argument must be a string, got a value of type int"
    );
}

struct Panics;

impl Serialize for Panics {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("no value")
    }
}

impl<'de> Deserialize<'de> for Panics {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("no type")
    }
}

/// The panic of a type of the application's is an error, and leaves the session as it was.
#[test]
fn a_panic_of_a_type_leaves_the_session_whole() {
    let mut session = load("calls = []\ndef count(x):\n    calls.append(x)\n    return len(calls)");
    let error = session.call::<u8>("count", (Panics,)).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Host, "making the arguments of `count` panicked: no value")
    );
    assert_eq!(session.call::<u8>("count", (1,)).unwrap(), 1);
    let error = session.call::<Panics>("count", (2,)).map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Host, "reading the result of `count` panicked: no type"));
    assert_eq!(session.call::<u8>("count", (3,)).unwrap(), 3, "the call itself was made");
}

#[test]
fn exit_is_a_result_of_none() {
    let mut session = load("def leave(code): exit(code)");
    session.call::<()>("leave", (0,)).unwrap();
    let error = session.call::<u8>("leave", (0,)).unwrap_err();
    assert_eq!(error.message(), "the result of `leave` does not fit: invalid type: unit value, expected u8");
    assert_eq!(session.call::<()>("leave", (3,)).unwrap_err().exit_code(), Some(3));
}
