//! Any bytes as a module are compiled and called, or refused with a message.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wasmlark_fuzz::{on_stack, sandbox, text_of_own};

const SCRIPT: &str = r#"
ZEROS = {"f32": 0.0, "f64": 0.0, "v128": bytes([0] * 16), "funcref": None}
def call(f):
    return wasm.attempt(f, *[ZEROS.get(param, 0) for param in f.params])
def main():
    exports = wasm.instantiate("m.wasm").exports
    for name in dir(exports):
        export = getattr(exports, name)
        if type(export) == "wasm.Function":
            print(call(export))
main()
"#;

fuzz_target!(|bytes: &[u8]| {
    let bytes = bytes.to_vec();
    on_stack(move || {
        drop(wasmlark::inspect(&bytes));
        let mut sandbox = sandbox();
        sandbox.file("m.wasm", bytes);
        drop(text_of_own(&sandbox.report("main.star", SCRIPT)));
    });
});
