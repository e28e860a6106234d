//! `sock_*`: there are no sockets, so no descriptor is valid for these.

use super::WasiCall;
use super::abi::{Errno, WasiResult};

/// Returns what all of them do: `EBADF` for a number that is not open, otherwise `ENOTSOCK`.
fn no_socket(call: &WasiCall<'_>, fd: u32) -> WasiResult {
    call.system.descriptors.get(fd)?;
    Err(Errno::Notsock.into())
}

/// Accepts a connection.
///
/// `EBADF`: `fd` is not open. `ENOTSOCK`: not a socket. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#sock_accept
pub(super) fn sock_accept(call: &mut WasiCall<'_>, fd: u32, _flags: u32, _out: u32) -> WasiResult {
    no_socket(call, fd)
}

/// Receives a message.
///
/// `EBADF`: `fd` is not open. `ENOTSOCK`: not a socket. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#sock_recv
pub(super) fn sock_recv(
    call: &mut WasiCall<'_>,
    fd: u32,
    _iovs: u32,
    _count: u32,
    _flags: u32,
    _out: u32,
    _out_flags: u32,
) -> WasiResult {
    no_socket(call, fd)
}

/// Sends a message.
///
/// `EBADF`: `fd` is not open. `ENOTSOCK`: not a socket. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#sock_send
pub(super) fn sock_send(
    call: &mut WasiCall<'_>,
    fd: u32,
    _iovs: u32,
    _count: u32,
    _flags: u32,
    _out: u32,
) -> WasiResult {
    no_socket(call, fd)
}

/// Ends a connection.
///
/// `EBADF`: `fd` is not open. `ENOTSOCK`: not a socket. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#sock_shutdown
pub(super) fn sock_shutdown(call: &mut WasiCall<'_>, fd: u32, _how: u32) -> WasiResult {
    no_socket(call, fd)
}
