//! Sequences of WASI calls with arguments of all kinds give error numbers, or end the guest.

#![no_main]

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use wasmlark::Value;
use wasmlark_fuzz::{on_stack, sandbox, text_of_own};

const LIB: &str = include_str!("../../tests/wasi/lib.star");

const SCRIPT: &str = r#"
load("lib.star", "FUNCTIONS", "guest")

NAMES = FUNCTIONS.keys()

def main():
    g = guest(args = ["a"], env = {"A": "1"}, stdin = "input", files = {"/d/f": "content", "/e/": ""}, seed = 1)
    for function, path, words in calls:
        name = NAMES[function % len(NAMES)]
        g.memory.write(1024, bytes(path))
        g.memory.pack("IIIIII", 4096, 64, 16, 65530, 16, 4090, 32)
        arguments = [w if p == "I" else w & 0xffffffff for p, w in zip(FUNCTIONS[name].elems(), words)]
        print(name, wasm.attempt(getattr(g.call, name), *arguments))

main()
"#;

const WORDS: &[u64] =
    &[0, 1, 2, 3, 4, 5, 8, 16, 64, 1024, 4096, 65528, 65536, 1 << 31, u32::MAX as u64, 1 << 32, 1 << 63, u64::MAX];

fn calls(unstructured: &mut Unstructured<'_>) -> Result<Value> {
    let mut calls = Vec::new();
    while !unstructured.is_empty() && calls.len() < 60 {
        let function = unstructured.arbitrary::<u8>()?;
        let path = match unstructured.int_in_range(0..=9)? {
            0 => "d",
            1 => "d/f",
            2 => "e/../d/f",
            3 => "x",
            4 => "x/y",
            5 => "../d",
            6 => "/d/f",
            7 => "e",
            8 => "",
            _ => unstructured.arbitrary()?,
        };
        let path: String = path.chars().take(500).collect();
        let mut words = Vec::new();
        for _ in 0..9 {
            words.push(Value::from(match unstructured.int_in_range(0..=5)? {
                0 => unstructured.arbitrary()?,
                1 => path.len() as u64,
                2 => 1024,
                _ => *unstructured.choose(WORDS)?,
            }));
        }
        calls.push(Value::List(vec![Value::from(i64::from(function)), Value::Str(path), Value::List(words)]));
    }
    Ok(Value::List(calls))
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(calls) = calls(&mut Unstructured::new(bytes)) else { return };
    on_stack(move || {
        let mut sandbox = sandbox();
        sandbox.file("lib.star", LIB);
        sandbox.set_value("calls", calls).expect("a new name");
        drop(text_of_own(&sandbox.report("main.star", SCRIPT)));
    });
});
