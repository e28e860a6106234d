//! The native stack that a script runs on.

use crate::exit;

/// Deep values recurse on it when they are printed, compared, collected or dropped. Pages that are not used take no memory.
const BYTES: usize = 512 << 20;

/// The status of a Rust program that panicked, which has said so itself.
const PANICKED: u8 = 101;

/// Runs `work` on a stack that deep values fit. Returns its exit status.
pub fn with_large(work: impl FnOnce() -> u8 + Send) -> u8 {
    std::thread::scope(|scope| match std::thread::Builder::new().stack_size(BYTES).spawn_scoped(scope, work) {
        Ok(thread) => thread.join().unwrap_or(PANICKED),
        Err(error) => exit::fail(&format!("cannot make a thread with a stack of {BYTES} bytes: {error}")),
    })
}
