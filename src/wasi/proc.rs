//! `proc_*` and `sched_yield`.

use super::WasiCall;
use super::abi::{Errno, Fault, WasiResult};

/// Ends the guest with an exit code, however deep its calls are. Does not return.
///
/// [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#proc_exit
pub(super) fn proc_exit(call: &mut WasiCall<'_>, code: u32) -> WasiResult {
    let code = code.cast_signed();
    call.system.exit_code = Some(code);
    Err(Fault::Exit(code))
}

/// Sends the guest a signal, which nothing here could handle.
///
/// `ENOSYS`, always; `EINVAL` for a number that is not a signal. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#proc_raise
pub(super) fn proc_raise(_call: &mut WasiCall<'_>, signal: u32) -> WasiResult {
    // The signals from `none` to `sys`.
    if signal > 30 { Err(Errno::Inval.into()) } else { Err(Errno::Nosys.into()) }
}

/// Lets other threads run; there are none.
///
/// [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#sched_yield
pub(super) fn sched_yield(_call: &mut WasiCall<'_>) -> WasiResult {
    Ok(())
}
