//! The functions of `fd_*` that move bytes and positions.

use super::WasiCall;
use super::abi::{Abi, Errno, Fault, Record, WasiResult, fdflags, rights};
use super::content::Content;
use super::descriptor::Target;
use super::fs::Ino;

impl WasiCall<'_> {
    /// Reads from a file into buffers and returns the number of bytes read.
    fn read_file(&mut self, ino: Ino, offset: u64, buffers: &[(u32, u32)], total: u32) -> WasiResult<u32> {
        let length = self.system.fs.size(ino)?;
        let there = u32::try_from(length.saturating_sub(offset)).unwrap_or(u32::MAX).min(total);
        self.pay(u64::from(there))?;
        let (mut at, mut left) = (offset, there);
        for (ptr, length) in buffers {
            let count = (*length).min(left);
            self.memory.check(*ptr, count)?;
            if count == 0 {
                continue;
            }
            match self.system.fs.file(ino)? {
                Content::Given(given) => {
                    let mut at = at;
                    self.memory.write_parts(*ptr, count, |buffer| {
                        given.read(at, buffer)?;
                        at = at.saturating_add(buffer.len() as u64);
                        Ok::<_, Fault>(())
                    })?;
                }
                Content::Bytes(bytes) => {
                    let start = usize::try_from(at).unwrap_or(usize::MAX);
                    let from = bytes.get(start..).and_then(|rest| rest.get(..count as usize));
                    self.memory.write(*ptr, from.ok_or(Errno::Io)?)?;
                }
            }
            at = at.saturating_add(u64::from(count));
            left = left.saturating_sub(count);
        }
        self.system.fs.accessed(ino, self.system.clock.now())?;
        Ok(there)
    }

    /// Writes buffers to a file.
    fn write_file(&mut self, ino: Ino, offset: u64, buffers: &[(u32, u32)], total: u32) -> WasiResult {
        if total == 0 {
            return Ok(());
        }
        let end = offset.checked_add(u64::from(total)).ok_or(Errno::Inval).and_then(check_offset)?;
        let (now, old) = (self.system.clock.now(), self.system.fs.size(ino)?);
        // A refused write costs nothing.
        let more = end.saturating_sub(old).saturating_add(self.system.fs.not_held(ino)?);
        if !self.system.budget.has_files(more) {
            return Err(Errno::Nospc.into());
        }
        // The price covers what is written and the zeros of a gap before it.
        self.pay(u64::from(total).saturating_add(offset.saturating_sub(old)))?;
        // Resized at once, so that running out of space leaves the file unchanged.
        self.system.fs.resize(ino, end.max(old), now)?;
        let mut at = offset;
        for (ptr, length) in buffers {
            self.memory.read_parts(*ptr, *length, |bytes| {
                self.system.fs.write(ino, at, bytes, now)?;
                at = at.saturating_add(bytes.len() as u64);
                Ok::<_, Fault>(())
            })?;
        }
        Ok(())
    }

    fn buffers(&mut self, iovs: u32, count: u32) -> WasiResult<(Vec<(u32, u32)>, u32)> {
        self.pay(u64::from(count).saturating_mul(8))?;
        Ok(self.memory.buffers(iovs, count)?)
    }
}

/// Returns the offset if it fits the signed 64 bits of file offsets.
fn check_offset(offset: u64) -> Result<u64, Errno> {
    i64::try_from(offset).map(|_| offset).map_err(|_| Errno::Inval)
}

/// Reads from the position of `fd` into the `count` buffers at `iovs`, advances the position, and writes the number of
/// bytes read, a `u32`, to `out`. 0 means the end.
///
/// `EBADF`: not open, or a standard output. `ENOTCAPABLE`: without the right `fd_read`. `EISDIR`: a directory.
/// `EINVAL`: more than 1,024 buffers, or 4 GiB. `EFAULT`: a pointer is outside the memory.
/// [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_read
pub(super) fn fd_read(call: &mut WasiCall<'_>, fd: u32, iovs: u32, count: u32, out: u32) -> WasiResult {
    let descriptor = call.system.descriptors.get(fd)?;
    match descriptor.target {
        Target::Stdout | Target::Stderr => return Err(Errno::Badf.into()),
        Target::Directory { .. } => return Err(Errno::Isdir.into()),
        Target::Stdin | Target::File { .. } => descriptor.check(rights::FD_READ)?,
    }
    let target = descriptor.target.clone();
    let (buffers, total) = call.buffers(iovs, count)?;
    call.memory.check(out, 4)?;
    let read = match target {
        Target::File { ino, offset } => {
            let read = call.read_file(ino, offset, &buffers, total)?;
            call.system.descriptors.set_offset(fd, offset.saturating_add(u64::from(read)))?;
            read
        }
        _ => read_stream(call, &buffers)?,
    };
    Ok(call.memory.write_u32(out, read)?)
}

fn read_stream(call: &mut WasiCall<'_>, buffers: &[(u32, u32)]) -> WasiResult<u32> {
    let mut total = 0u32;
    for (ptr, length) in buffers {
        if *length == 0 {
            continue;
        }
        let stdin = &mut call.streams.stdin;
        let most = stdin.left().and_then(|left| u32::try_from(left).ok()).map_or(*length, |left| left.min(*length));
        let read = match call.memory.write_front(*ptr, most, |buffer| stdin.read(buffer)) {
            Ok(read) => u32::try_from(read).unwrap_or(*length),
            // An error does not discard what was read before it.
            Err(_) if total > 0 => break,
            Err(errno) => return Err(errno.into()),
        };
        total = total.saturating_add(read);
        call.pay(u64::from(read))?;
        if read < *length {
            break;
        }
    }
    Ok(total)
}

/// Reads like `fd_read`, but from `offset`, without moving the position.
///
/// `ESPIPE`: a stream. `EISDIR`: a directory. `ENOTCAPABLE`: without the rights `fd_read` and `fd_seek`.
/// `EINVAL`: as `fd_read`, or an offset beyond 63 bits. `EFAULT`, `EBADF`: as `fd_read`. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_pread
pub(super) fn fd_pread(call: &mut WasiCall<'_>, fd: u32, iovs: u32, count: u32, offset: u64, out: u32) -> WasiResult {
    let (ino, _) = call.system.descriptors.file(fd, rights::FD_READ | rights::FD_SEEK)?;
    let offset = check_offset(offset)?;
    let (buffers, total) = call.buffers(iovs, count)?;
    call.memory.check(out, 4)?;
    let read = call.read_file(ino, offset, &buffers, total)?;
    Ok(call.memory.write_u32(out, read)?)
}

/// Writes the `count` buffers at `iovs` at the position of `fd`, or at the end of a file that has the flag `append`,
/// advances the position, and writes the number of bytes written, always all, to `out` as a `u32`.
///
/// `EBADF`: not open, or the standard input. `ENOTCAPABLE`: without the right `fd_write`. `EISDIR`: a directory.
/// `ENOSPC`: the limit `files` is used up. `EINVAL`: more than 1,024 buffers, or 4 GiB. `EFAULT`: a pointer is outside
/// the memory. If standard output exceeds the limit `output`, the run ends. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_write
pub(super) fn fd_write(call: &mut WasiCall<'_>, fd: u32, iovs: u32, count: u32, out: u32) -> WasiResult {
    let descriptor = call.system.descriptors.get(fd)?;
    match descriptor.target {
        Target::Stdin => return Err(Errno::Badf.into()),
        Target::Directory { .. } => return Err(Errno::Isdir.into()),
        _ => descriptor.check(rights::FD_WRITE)?,
    }
    let (target, append) = (descriptor.target.clone(), descriptor.flags & fdflags::APPEND != 0);
    let (buffers, total) = call.buffers(iovs, count)?;
    call.memory.check(out, 4)?;
    if let Target::File { ino, offset } = target {
        let offset = if append { call.system.fs.size(ino)? } else { offset };
        call.write_file(ino, offset, &buffers, total)?;
        call.system.descriptors.set_offset(fd, offset.saturating_add(u64::from(total)))?;
    } else {
        call.pay(u64::from(total))?;
        for (ptr, length) in buffers {
            call.memory.check(ptr, length)?;
            let stream = match target {
                Target::Stdout => &mut call.streams.stdout,
                _ => &mut call.streams.stderr,
            };
            stream.write(length.into(), &call.system.budget, |write| call.memory.read_parts(ptr, length, write))?;
        }
    }
    Ok(call.memory.write_u32(out, total)?)
}

/// Writes like `fd_write`, but at `offset`, without moving the position. With the flag `append` it still writes at the
/// end, as on Linux.
///
/// `ESPIPE`: a stream. `EISDIR`: a directory. `ENOTCAPABLE`: without the rights `fd_write` and `fd_seek`.
/// `EINVAL`: as `fd_write`, or an offset beyond 63 bits. `ENOSPC`, `EFAULT`, `EBADF`: as `fd_write`. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_pwrite
pub(super) fn fd_pwrite(call: &mut WasiCall<'_>, fd: u32, iovs: u32, count: u32, offset: u64, out: u32) -> WasiResult {
    let (ino, _) = call.system.descriptors.file(fd, rights::FD_WRITE | rights::FD_SEEK)?;
    let append = call.system.descriptors.get(fd)?.flags & fdflags::APPEND != 0;
    let offset = if append { call.system.fs.size(ino)? } else { check_offset(offset)? };
    let (buffers, total) = call.buffers(iovs, count)?;
    call.memory.check(out, 4)?;
    call.write_file(ino, offset, &buffers, total)?;
    Ok(call.memory.write_u32(out, total)?)
}

/// Moves the position of `fd` by `offset`, relative to the start, the position or the end, and writes the new position,
/// a `u64`, to `out`. It may lie beyond the end.
///
/// `whence` is 0 for the start, 1 for the position, 2 for the end; in `wasi_unstable` 2, 0 and 1.
///
/// `ESPIPE`: a stream. `EISDIR`: a directory. `ENOTCAPABLE`: without the right `fd_seek`, or `fd_tell` if nothing
/// moves. `EINVAL`: another `whence`, or a position before the start or beyond 63 bits. `EBADF`: not open. `EFAULT`:
/// `out` is outside the memory. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_seek
pub(super) fn fd_seek(call: &mut WasiCall<'_>, fd: u32, offset: i64, whence: u32, out: u32) -> WasiResult {
    enum From {
        Start,
        Position,
        End,
    }
    let from = match (call.abi, whence) {
        (Abi::Preview1, 0) | (Abi::Unstable, 2) => From::Start,
        (Abi::Preview1, 1) | (Abi::Unstable, 0) => From::Position,
        (Abi::Preview1, 2) | (Abi::Unstable, 1) => From::End,
        _ => return Err(Errno::Inval.into()),
    };
    let (ino, position) = call.system.descriptors.file(fd, 0)?;
    let descriptor = call.system.descriptors.get(fd)?;
    let tells = offset == 0 && matches!(from, From::Position);
    if !tells || descriptor.check(rights::FD_TELL).is_err() {
        descriptor.check(rights::FD_SEEK)?;
    }
    let base = match from {
        From::Start => 0,
        From::Position => position,
        From::End => call.system.fs.size(ino)?,
    };
    let position = base.checked_add_signed(offset).ok_or(Errno::Inval).and_then(check_offset)?;
    call.memory.write_u64(out, position)?;
    Ok(call.system.descriptors.set_offset(fd, position)?)
}

/// Writes the position of `fd`, a `u64`, to `out`.
///
/// `ESPIPE`: a stream. `EISDIR`: a directory. `ENOTCAPABLE`: without the right `fd_tell`. `EBADF`: not
/// open. `EFAULT`: `out` is outside the memory. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_tell
pub(super) fn fd_tell(call: &mut WasiCall<'_>, fd: u32, out: u32) -> WasiResult {
    let (_, position) = call.system.descriptors.file(fd, 0)?;
    let descriptor = call.system.descriptors.get(fd)?;
    // According to the specification, `fd_seek` includes it.
    descriptor.check(rights::FD_SEEK).or_else(|_| descriptor.check(rights::FD_TELL))?;
    Ok(call.memory.write_u64(out, position)?)
}

/// Writes the entries of a directory that follow the one with `cookie` to the `len` bytes at `buf`, and the number of
/// bytes written, a `u32`, to `out`. The last entry may be truncated; less than `len` bytes mean the end.
///
/// ```text
///      entry          + 8          + 16            + 20         + 24
///      │ next: u64    │ ino: u64   │ namlen: u32   │ type: u8   │ name, without NUL │ next entry …
/// ```
///
/// `next` is the cookie with which to continue after the entry. It stays valid while entries are made, renamed and
/// removed. `.` and `..` come first, then the rest in the order in which they were made. Entries made after the call
/// with cookie 0 appear only in the next listing, so that this one ends.
///
/// `ENOTDIR`: not a directory. `ENOTCAPABLE`: without the right `fd_readdir`. `EBADF`: not open. `EFAULT`: `buf` or
/// `out` is outside the memory. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_readdir
pub(super) fn fd_readdir(call: &mut WasiCall<'_>, fd: u32, buf: u32, len: u32, cookie: u64, out: u32) -> WasiResult {
    let ino = call.system.descriptors.directory(fd, rights::FD_READDIR)?;
    call.memory.check(out, 4)?;
    let fs = &call.system.fs;
    let directory = fs.directory(ino)?;
    let end = call.system.descriptors.listing_end(fd, cookie, directory)?;
    // A removed directory has no entries, not even `.` and `..`.
    let removed = fs.node(ino)?.links == 0;
    call.memory.check(buf, len)?;
    let (mut cookie, mut at, mut left) = (cookie, buf, len);
    while left > 0 && !removed {
        let Some((next, name, child)) = directory.after(ino, cookie, end) else { break };
        let filetype = fs.node(child).map_or(0, |node| node.filetype() as u8);
        let entry = Record::<24>::new()
            .set(0, next.to_le_bytes())
            .set(8, child.to_le_bytes())
            // A name has at most 255 bytes.
            .set(16, u32::try_from(name.len()).unwrap_or_default().to_le_bytes())
            .set(20, [filetype]);
        for part in [entry.0.as_slice(), name.as_bytes()] {
            let count = u32::try_from(part.len()).unwrap_or(left).min(left);
            call.memory.write(at, part.get(..count as usize).unwrap_or_default())?;
            (at, left) = (at.saturating_add(count), left.saturating_sub(count));
        }
        cookie = next;
    }
    let used = len.saturating_sub(left);
    // An entry costs as much as looking up a name.
    call.pay(u64::from(used).saturating_mul(8))?;
    Ok(call.memory.write_u32(out, used)?)
}
