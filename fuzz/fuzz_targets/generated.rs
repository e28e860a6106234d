//! A generated script for a generated module has the same results in every run.

#![no_main]

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use wasmlark_fuzz::{assert_own, on_stack, sandbox};

const VALUES: &[&str] = &[
    "0", "1", "-1", "2147483648", "1 << 63", "(1 << 64) - 1", "1 << 100", "0.5", "float(\"nan\")", "1e308", "True", "None",
    "\"text\"", "b\"bytes\"", "[]", "[1, 2]", "(1,)", "{1: 2}", "last[0]", "i", "m", "f", "(lambda *a: 0)", "i.exports",
];

/// The steps of a script. `V` is a value, `F` a function of the module, `N` an attribute.
const STEPS: &[&str] = &[
    "F(V)", "F(V, V)", "F(V, V, V)", "F()", "f", "F.params", "repr(V)", "str(V) + repr(V)", "V == V", "V < V", "m.read(V, V)",
    "m.write(V, V)", "m.read_u8(V)", "m.write_f64(V, V)", "m.read_string(V, V)", "m.unpack(V, V)", "m.pack(V, V, V)",
    "m.grow(V)", "m.fill(V, V, V)", "m.find(V, V)", "m.copy(V, V, V)", "dir(V)", "getattr(i.exports, N)", "hash(V)",
    "wasm.Global(V, V)", "wasm.Table(V)", "wasm.Memory(V)", "wasm.instantiate(module, imports = V)", "json.encode(V)",
    "wasm.instantiate(module, imports = {\"env\": {N: V}})", "wasm.Store(fuel = V)", "[V for _ in range(5)]", "sorted([V, V])",
];

/// Returns a script, and the number of its functions, each of which is a step: an error ends only that.
fn script(unstructured: &mut Unstructured<'_>) -> Result<(String, usize)> {
    let mut script = String::from(
        "module = wasm.Module('m.wasm')\ni = wasm.instantiate(module)\n\
         m = wasm.Memory(1, maximum = 3)\nnames = dir(i.exports)\n\
         functions = [getattr(i.exports, n) for n in names if type(getattr(i.exports, n)) == 'wasm.Function']\n\
         f = functions[0] if functions else len\nlast = [None]\n",
    );
    let count = unstructured.int_in_range(1..=12)?;
    for number in 0..count {
        let mut step = String::new();
        for letter in unstructured.choose(STEPS)?.chars() {
            match letter {
                'V' => step.push_str(unstructured.choose(VALUES)?),
                'F' => step.push_str(&format!("functions[{} % len(functions)]", unstructured.int_in_range(0..=9)?)),
                'N' => step.push_str("(names[0] if names else \"x\")"),
                other => step.push(other),
            }
        }
        script.push_str(&format!("def step{number}():\n    last[0] = {step}\n    return str(last[0])\n"));
    }
    Ok((script, count))
}

fuzz_target!(|bytes: &[u8]| {
    let mut unstructured = Unstructured::new(bytes);
    let Ok((script, count)) = script(&mut unstructured) else { return };
    let Ok(module) = wasmlark_fuzz::module(&mut unstructured, true) else { return };
    on_stack(move || {
        let mut sandbox = sandbox();
        sandbox.file("m.wasm", module);
        let run = || {
            let mut session = match sandbox.load("main.star", &script) {
                Ok(session) => session,
                Err(error) => {
                    assert_own(&error);
                    return vec![error.to_string()];
                }
            };
            let step = |number| match session.call_values(&format!("step{number}"), &[]) {
                Ok(value) => value.to_string(),
                Err(error) => error.to_string(),
            };
            (0..count).map(step).collect()
        };
        assert_eq!(run(), run());
    });
});
