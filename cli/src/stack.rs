//! The native stack that a script runs on.

use wasmlark::Limits;

use crate::exit;

/// The status of a Rust program that panicked, which has said so itself.
const PANICKED: u8 = 101;

/// Runs `work` on a stack that fits the limits, and deep values. Returns its exit status.
pub fn fitting(limits: &Limits, work: impl FnOnce() -> u8 + Send) -> u8 {
    // Deeper values than elsewhere: the command is run on what others wrote.
    let bytes = limits.native_stack().saturating_mul(2);
    std::thread::scope(|scope| match std::thread::Builder::new().stack_size(bytes).spawn_scoped(scope, work) {
        Ok(thread) => thread.join().unwrap_or(PANICKED),
        Err(error) => exit::fail(&format!(
            "cannot make a thread with a stack of {bytes} bytes, which these limits need: {error}; --max-call-depth and \
             --max-nesting lower it"
        )),
    })
}
