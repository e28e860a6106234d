//! A thread with enough stack where the application's may be too small: an iOS dispatch queue has 512 KiB.

use crate::misuse::Misuse;

#[cfg(not(target_family = "wasm"))]
pub(crate) fn on_a_stack_of<R: Send>(size: usize, run: impl FnOnce() -> R + Send) -> Result<R, Misuse> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("wasmlark".to_owned()).stack_size(size);
        let thread = thread
            .spawn_scoped(scope, run)
            .map_err(|error| {
                let message = format!(
                    "cannot start a thread with a stack of {size} bytes, which the limits `call_depth` and `nesting` need: {error}"
                );
                Misuse::new(crate::Status::Resources, message)
            })?;
        thread.join().map_err(|payload| std::panic::resume_unwind(payload))
    })
}

#[cfg(target_family = "wasm")]
pub(crate) fn on_a_stack_of<R>(_size: usize, run: impl FnOnce() -> R) -> Result<R, Misuse> {
    Ok(run())
}
