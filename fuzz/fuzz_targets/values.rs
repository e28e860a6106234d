//! Values go into a script and come out again, and through JSON in both directions.

#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use wasmlark::{Int, Struct, Value};
use wasmlark_fuzz::{on_stack, sandbox};

fn key(unstructured: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match unstructured.int_in_range(0..=3)? {
        0 => Value::Bool(bool::arbitrary(unstructured)?),
        1 => Value::Int(Int::from(i64::arbitrary(unstructured)?)),
        2 => Value::Str(String::arbitrary(unstructured)?),
        _ => Value::Tuple(vec![Value::Int(Int::from(i64::arbitrary(unstructured)?)), Value::None]),
    })
}

fn value(unstructured: &mut Unstructured<'_>, depth: u32) -> Result<Value> {
    let many = |unstructured: &mut Unstructured<'_>| -> Result<Vec<Value>> {
        (0..unstructured.int_in_range(0..=4)?).map(|_| value(unstructured, depth - 1)).collect()
    };
    Ok(match unstructured.int_in_range(0..=if depth == 0 { 5 } else { 9 })? {
        0 => Value::None,
        1 => Value::Bool(bool::arbitrary(unstructured)?),
        2 => Value::Int(Int::from(i128::arbitrary(unstructured)?)),
        3 => Value::Float(f64::arbitrary(unstructured)?),
        4 => Value::Str(String::arbitrary(unstructured)?),
        5 => Value::Bytes(Vec::arbitrary(unstructured)?),
        6 => Value::List(many(unstructured)?),
        7 => Value::Tuple(many(unstructured)?),
        8 => {
            let mut entries: Vec<(Value, Value)> = Vec::new();
            for _ in 0..unstructured.int_in_range(0..=4)? {
                let key = key(unstructured)?;
                if entries.iter().all(|(other, _)| other != &key) {
                    entries.push((key, value(unstructured, depth - 1)?));
                }
            }
            Value::Dict(entries)
        }
        _ => Value::Struct(Struct::new([("a", value(unstructured, depth - 1)?), ("b", value(unstructured, depth - 1)?)])),
    })
}

const SCRIPT: &str = r#"
def again(text):
    return json.encode(json.decode(text))
text = wasm.attempt(json.encode, v)
second = wasm.attempt(again, text.value) if text.ok else text
third = wasm.attempt(again, second.value) if second.ok else text
[v, second.value if second.ok else None, third.value if third.ok else None, repr(v)]
"#;

fuzz_target!(|bytes: &[u8]| {
    let Ok(given) = value(&mut Unstructured::new(bytes), 4) else { return };
    on_stack(move || {
        let mut sandbox = sandbox();
        if sandbox.set_value("v", given.clone()).is_err() {
            return;
        }
        let Ok(run) = sandbox.run("main.star", SCRIPT) else { return };
        let [found, second, third, text] = run.value.as_slice().expect("a list") else { panic!("{:?}", run.value) };
        // A NaN equals nothing, so its text is compared.
        assert_eq!(format!("{found:?}"), format!("{given:?}"), "{text:?}");
        // The first time, starlark sorts the keys of an object, and converts an int of more than 64 bits to a float.
        assert_eq!(second, third, "JSON of what JSON makes");
        drop(serde_json::to_string(found));
    });
});
