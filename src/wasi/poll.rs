//! `poll_oneoff`: waiting, which advances the clock and never sleeps.

use super::abi::{Abi, Errno, Record, WasiResult, get_u8, get_u16, get_u32, get_u64, rights};
use super::clock::check_id;
use super::descriptor::Target;
use super::{Streams, System, WasiCall};

/// What a guest waits for.
enum Wait {
    /// A time, in nanoseconds.
    Clock { deadline: u64 },
    /// A descriptor that can be read from, or written to.
    Descriptor { fd: u32, right: u64 },
    /// Nothing: the subscription is invalid.
    Failed(Errno),
}

const CLOCK: u8 = 0;
const READ: u8 = 1;
const WRITE: u8 = 2;

/// `subscription_clock_abstime`: the deadline is a time, not a duration.
const ABSTIME: u16 = 1;
/// `fd_readwrite_hangup`: no more bytes will come.
const HANGUP: u16 = 1;
/// The number of bytes reported as writable where any number is.
const WRITABLE: u64 = 1 << 16;

/// Waits until one of the `count` subscriptions has occurred, and writes an event for each that has to `events`, and
/// the number of events, a `u32`, to `out`.
///
/// Descriptors can always be read and written, so the guest waits only if all subscriptions are to clocks: the clock
/// then advances to the earliest deadline.
///
/// ```text
///      subscription         + 8         clock:  + 16       + 24            + 32             + 40
///      │ userdata: u64      │ type: u8          │ id: u32  │ timeout: u64  │ precision: u64 │ flags: u16
///                           descriptor: │ 16: fd: u32
///      in wasi_unstable a clock's fields come 8 bytes later, behind an identifier
///
///      event                + 8           + 10          + 16            + 24
///      │ userdata: u64      │ errno: u16  │ type: u8    │ nbytes: u64   │ flags: u16
/// ```
///
/// `EINVAL`: no subscription, or one of an unknown type. `EFAULT`: the arrays or `out` are not in bounds. Events report
/// `EINVAL` for a clock and `EBADF` for a descriptor that does not exist, and `ENOTCAPABLE` without the rights
/// `poll_fd_readwrite` and `fd_read` or `fd_write`. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#poll_oneoff
pub(super) fn poll_oneoff(
    call: &mut WasiCall<'_>,
    subscriptions: u32,
    events: u32,
    count: u32,
    out: u32,
) -> WasiResult {
    if count == 0 {
        return Err(Errno::Inval.into());
    }
    let size = match call.abi {
        Abi::Preview1 => 48,
        Abi::Unstable => 56,
    };
    let total = |size: u32| count.checked_mul(size).ok_or(Errno::Fault);
    call.memory.check(subscriptions, total(size)?)?;
    call.memory.check(events, total(32)?)?;
    call.memory.check(out, 4)?;
    call.pay(u64::from(count).saturating_mul(512))?;
    let now = call.system.clock.now();
    let waits = call.memory.read(subscriptions, total(size)?, |bytes| {
        let subscriptions = bytes.chunks_exact(size as usize);
        subscriptions.map(|subscription| read(subscription, call.abi, now)).collect::<Result<Vec<_>, Errno>>()
    })??;
    if waits.iter().all(|(_, _, wait)| matches!(wait, Wait::Clock { .. })) {
        let deadlines = waits.iter().filter_map(|(_, _, wait)| match wait {
            Wait::Clock { deadline } => Some(*deadline),
            _ => None,
        });
        call.system.clock.advance_to(deadlines.min().unwrap_or(now));
    }
    let mut at = events;
    let mut written = 0u32;
    for (userdata, kind, wait) in waits {
        let (errno, bytes, flags) = match wait {
            Wait::Clock { deadline } if deadline > call.system.clock.now() => continue,
            Wait::Clock { .. } => (0, 0, 0),
            Wait::Failed(errno) => (errno as u16, 0, 0),
            Wait::Descriptor { fd, right } => match ready(call.system, call.streams, fd, right) {
                Ok((bytes, flags)) => (0, bytes, flags),
                Err(errno) => (errno as u16, 0, 0),
            },
        };
        let event = Record::<32>::new()
            .set(0, userdata.to_le_bytes())
            .set(8, errno.to_le_bytes())
            .set(10, [kind])
            .set(16, bytes.to_le_bytes())
            .set(24, flags.to_le_bytes());
        call.memory.write(at, &event.0)?;
        (at, written) = (at.saturating_add(32), written.saturating_add(1));
    }
    Ok(call.memory.write_u32(out, written)?)
}

/// Decodes a subscription: its user data, its type, and what it waits for.
fn read(subscription: &[u8], abi: Abi, now: u64) -> Result<(u64, u8, Wait), Errno> {
    let userdata = get_u64(subscription, 0);
    let kind = get_u8(subscription, 8);
    let wait = match kind {
        CLOCK => {
            let at = if abi == Abi::Preview1 { 16 } else { 24 };
            let (id, timeout) = (get_u32(subscription, at), get_u64(subscription, at + 8));
            match (check_id(id), get_u16(subscription, at + 24)) {
                (Err(errno), _) => Wait::Failed(errno),
                (Ok(()), 0) => Wait::Clock { deadline: now.saturating_add(timeout) },
                (Ok(()), ABSTIME) => Wait::Clock { deadline: timeout },
                _ => Wait::Failed(Errno::Inval),
            }
        }
        READ => Wait::Descriptor { fd: get_u32(subscription, 16), right: rights::FD_READ },
        WRITE => Wait::Descriptor { fd: get_u32(subscription, 16), right: rights::FD_WRITE },
        _ => return Err(Errno::Inval),
    };
    Ok((userdata, kind, wait))
}

/// Returns how many bytes can be read or written, and whether those are the last.
fn ready(system: &System, streams: &Streams, fd: u32, right: u64) -> Result<(u64, u16), Errno> {
    let descriptor = system.descriptors.get(fd)?;
    descriptor.check(right | rights::POLL_FD_READWRITE)?;
    if right == rights::FD_WRITE {
        return Ok((WRITABLE, 0));
    }
    Ok(match &descriptor.target {
        Target::File { ino, offset } => (system.fs.size(*ino)?.saturating_sub(*offset), 0),
        _ => match streams.stdin.left() {
            Some(0) => (0, HANGUP),
            Some(left) => (left, 0),
            // Only reading tells, and it may block.
            None => (1, 0),
        },
    })
}
