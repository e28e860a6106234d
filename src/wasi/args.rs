//! `args_*` and `environ_*`: lists of strings.

use super::WasiCall;
use super::abi::{Errno, WasiResult};
use super::memory::WasiMemory;

/// Writes the strings to `buf`, each followed by a NUL, and their addresses to `array`.
///
/// ```text
///      array                               buf
///      │ u32 → "a\0" │ u32 → "bc\0" │      │ a │ \0 │ b │ c │ \0 │
/// ```
fn list(memory: &mut WasiMemory<'_>, strings: &[String], array: u32, buf: u32) -> Result<(), Errno> {
    let (count, size) = sizes(strings)?;
    // Nothing is written unless everything fits.
    memory.check(array, count.checked_mul(4).ok_or(Errno::Fault)?)?;
    memory.check(buf, size)?;
    let (mut slot, mut ptr) = (array, buf);
    for string in strings {
        memory.write_u32(slot, ptr)?;
        memory.write(ptr, string.as_bytes())?;
        let end = u32::try_from(string.len()).ok().and_then(|length| ptr.checked_add(length)).ok_or(Errno::Fault)?;
        memory.write(end, &[0])?;
        (slot, ptr) = (slot.saturating_add(4), end.saturating_add(1));
    }
    Ok(())
}

/// Returns the number of strings, and their total size in bytes including NULs.
fn sizes(strings: &[String]) -> Result<(u32, u32), Errno> {
    let size: usize = strings.iter().map(|string| string.len().saturating_add(1)).sum();
    match (u32::try_from(strings.len()), u32::try_from(size)) {
        (Ok(count), Ok(size)) => Ok((count, size)),
        _ => Err(Errno::Overflow),
    }
}

fn write_sizes(memory: &mut WasiMemory<'_>, strings: &[String], count: u32, size: u32) -> Result<(), Errno> {
    let (number, bytes) = sizes(strings)?;
    memory.check(size, 4)?;
    memory.write_u32(count, number)?;
    memory.write_u32(size, bytes)
}

/// Writes the arguments to `buf`, the program's name first, and their addresses to `argv`.
///
/// `EFAULT`: a range is not in bounds; nothing is written. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#args_get
pub(super) fn args_get(call: &mut WasiCall<'_>, argv: u32, buf: u32) -> WasiResult {
    call.pay(u64::from(sizes(&call.system.args)?.1))?;
    Ok(list(&mut call.memory, &call.system.args, argv, buf)?)
}

/// Writes the number of arguments, a `u32`, to `count`, and their size in bytes, including NULs, to `size`.
///
/// `EFAULT`: a pointer is outside the memory. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#args_sizes_get
pub(super) fn args_sizes_get(call: &mut WasiCall<'_>, count: u32, size: u32) -> WasiResult {
    Ok(write_sizes(&mut call.memory, &call.system.args, count, size)?)
}

/// Writes the environment, each variable as `name=value`, to `buf`, and the addresses to `environ`.
///
/// `EFAULT`: a range is not in bounds; nothing is written. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#environ_get
pub(super) fn environ_get(call: &mut WasiCall<'_>, environ: u32, buf: u32) -> WasiResult {
    call.pay(u64::from(sizes(&call.system.env)?.1))?;
    Ok(list(&mut call.memory, &call.system.env, environ, buf)?)
}

/// Writes the number of variables, a `u32`, to `count`, and their size in bytes, including NULs, to `size`.
///
/// `EFAULT`: a pointer is outside the memory. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#environ_sizes_get
pub(super) fn environ_sizes_get(call: &mut WasiCall<'_>, count: u32, size: u32) -> WasiResult {
    Ok(write_sizes(&mut call.memory, &call.system.env, count, size)?)
}
