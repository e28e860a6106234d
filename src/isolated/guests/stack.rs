//! More native stack, for guests and the core that call each other deeply.
#![cfg_attr(not(target_family = "wasm"), allow(unsafe_code))]

/// How many levels have a stack of their own. Each takes some 7 KiB of it, and without optimisation 26 KiB.
#[cfg(not(target_family = "wasm"))]
const LEVELS: u32 = 40;

/// Does `work` at a level of calls that nest: where the levels so far may fill a stack, on that of a new thread, for which
/// this one waits. So no thread of the application needs a larger stack than others.
///
/// # Errors
///
/// If the system has no thread left.
#[cfg(not(target_family = "wasm"))]
pub(super) fn at_level<R>(level: u32, work: impl FnOnce() -> R) -> Result<R, std::io::Error> {
    struct Ferry<T>(T);

    // SAFETY: what is ferried is used by the new thread alone while this one waits, and by this one alone after that. It is
    // what wasmi lends of stores, whose data are `Send`; wasmi itself keeps nothing by thread.
    unsafe impl<T> Send for Ferry<T> {}

    impl<T> Ferry<T> {
        fn land(self) -> T {
            self.0
        }
    }

    if level == 0 || !level.is_multiple_of(LEVELS) {
        return Ok(work());
    }
    let work = Ferry(work);
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(2 << 20);
        let running = builder.spawn_scoped(scope, move || Ferry(work.land()()))?;
        match running.join() {
            Ok(result) => Ok(result.land()),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// There are no threads here. The host of this module ends it where its stack overflows.
#[cfg(target_family = "wasm")]
pub(super) fn at_level<R>(_level: u32, work: impl FnOnce() -> R) -> Result<R, std::io::Error> {
    Ok(work())
}
