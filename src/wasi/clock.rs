//! `clock_*`: a clock that advances when it is read.

use super::WasiCall;
use super::abi::{Errno, WasiResult};

/// The default step in nanoseconds by which a reading advances the clock: a millisecond. A guest that waits in a loop
/// makes progress, and one that divides by a time difference never divides by zero.
pub(crate) const CLOCK_STEP: u64 = 1_000_000;

/// The time in nanoseconds. All of the guest's clocks are this one. A reading returns the time and
/// then advances it by a step; waiting in `poll_oneoff` advances it to the end of the wait.
/// Timestamps of files use the time without advancing it.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    now: u64,
    step: u64,
}

impl Clock {
    pub(crate) fn new(now: u64, step: u64) -> Self {
        Self { now, step }
    }

    /// Returns the time without advancing it.
    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    fn read(&mut self) -> u64 {
        let now = self.now;
        self.now = now.saturating_add(self.step);
        now
    }

    /// Advances the time to `time`, if that is later.
    pub(crate) fn advance_to(&mut self, time: u64) {
        self.now = self.now.max(time);
    }
}

/// Checks that there is a clock of that number: realtime, monotonic, process or thread time.
pub(super) fn check_id(id: u32) -> Result<(), Errno> {
    if id <= 3 { Ok(()) } else { Err(Errno::Inval) }
}

/// Writes the resolution of clock `id`, a `u64` in nanoseconds, to `out`: the step of a reading, at least 1.
///
/// `EINVAL`: no such clock. `EFAULT`: `out` is outside the memory. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#clock_res_get
pub(super) fn clock_res_get(call: &mut WasiCall<'_>, id: u32, out: u32) -> WasiResult {
    check_id(id)?;
    Ok(call.memory.write_u64(out, call.system.clock.step.max(1))?)
}

/// Writes the time of clock `id`, a `u64` in nanoseconds, to `out`, and advances the clock by its step. `precision` is
/// ignored: the time is exact.
///
/// `EINVAL`: no such clock. `EFAULT`: `out` is outside the memory. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#clock_time_get
pub(super) fn clock_time_get(call: &mut WasiCall<'_>, id: u32, _precision: u64, out: u32) -> WasiResult {
    check_id(id)?;
    call.memory.check(out, 8)?;
    Ok(call.memory.write_u64(out, call.system.clock.read())?)
}
