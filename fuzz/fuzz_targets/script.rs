//! Any text as a script gives a result or an error, and any number of diagnostics.

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
