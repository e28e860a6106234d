//! Any text as a script: a result or an error, and as many diagnostics as it pleases.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wasmlark_fuzz::{on_stack, sandbox, text};

fuzz_target!(|script: &str| {
    let script = script.to_owned();
    on_stack(move || {
        let sandbox = sandbox();
        drop(sandbox.check("main.star", &script));
        drop(text(&sandbox.report("main.star", &script)));
    });
});
