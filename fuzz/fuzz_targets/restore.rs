//! Restores damaged sessions: some bytes of one that was saved are others, with a checksum that fits or not.
//!
//! Without the evaluator's module, `cargo run -p wasmlark-make-core`, it ends at once.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use wasmlark::{Limits, Sandbox, Value};

/// The length of the hash at the end.
const HASH: usize = 32;

fn sandbox() -> Sandbox {
    Sandbox::new().isolated(true).limits(Limits::new().heap(16 << 20).memory(16 << 20).files(1 << 20).cost(20_000_000))
}

fn saved() -> &'static [u8] {
    static SAVED: OnceLock<Vec<u8>> = OnceLock::new();
    SAVED.get_or_init(|| {
        let script = "seen = []\ndef see(name):\n    seen.append(name)\n    return seen";
        sandbox().load("main.star", script).and_then(|session| session.save()).expect("the evaluator's module is missing")
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Some((seals, edits)) = bytes.split_first() else { return };
    let mut changed = saved().to_vec();
    for edit in edits.chunks_exact(4) {
        let at = u32::from_le_bytes([edit[0], edit[1], edit[2], 0]) as usize % changed.len();
        changed[at] = edit[3];
    }
    if seals & 1 == 1 {
        let end = changed.len() - HASH;
        let hash = *blake3::hash(&changed[..end]).as_bytes();
        changed[end..].copy_from_slice(&hash);
    }
    // An error or a session; never a panic, nor more memory and time than the limits allow.
    if let Ok(mut session) = sandbox().restore(&changed) {
        let _ = session.call_values("see", &[Value::from("ann")]);
        let _ = session.functions();
        let _ = session.save();
    }
});
