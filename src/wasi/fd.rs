//! The functions of `fd_*` that query and change descriptors.

use super::WasiCall;
use super::abi::{Abi, Errno, Filetype, Record, WasiResult, fdflags, fstflags, known_flags, rights};
use super::descriptor::Target;
use super::fs::{Ino, Times};

/// The device that all files are on.
const DEVICE: u64 = 1;

impl WasiCall<'_> {
    /// Writes the attributes of a node or stream to `out`.
    ///
    /// ```text
    ///               dev        ino        filetype    nlink          size       atim       mtim       ctim
    ///   preview 1   │ 0: u64   │ 8: u64   │ 16: u8    │ 24: u64      │ 32: u64  │ 40: u64  │ 48: u64  │ 56: u64
    ///   snapshot 0  │ 0: u64   │ 8: u64   │ 16: u8    │ 20: u32      │ 24: u64  │ 32: u64  │ 40: u64  │ 48: u64
    /// ```
    pub(super) fn write_filestat(&mut self, ino: Option<Ino>, out: u32) -> WasiResult {
        ino.map_or(Ok(()), |ino| self.system.fs.settle(ino))?;
        let (device, filetype, links, size, times) = match ino {
            Some(ino) => {
                let node = self.system.fs.node(ino)?;
                (DEVICE, node.filetype(), node.links, node.size(), node.times)
            }
            None => (0, Filetype::Unknown, 1, 0, Times::default()),
        };
        let ino = ino.unwrap_or(0).to_le_bytes();
        let stat = Record::<64>::new().set(0, device.to_le_bytes()).set(8, ino).set(16, [filetype as u8]);
        let (stat, at, length) = match self.abi {
            Abi::Preview1 => (stat.set(24, links.to_le_bytes()), 32, 64),
            Abi::Unstable => (stat.set(20, u32::try_from(links).unwrap_or(u32::MAX).to_le_bytes()), 24, 56),
        };
        let stat = stat
            .set(at, size.to_le_bytes())
            .set(at + 8, times.accessed.to_le_bytes())
            .set(at + 16, times.modified.to_le_bytes())
            .set(at + 24, times.changed.to_le_bytes());
        Ok(self.memory.write(out, stat.0.get(..length).unwrap_or_default())?)
    }

    /// Sets a node's times as `flags` specify.
    pub(super) fn set_times(&mut self, ino: Ino, accessed: u64, modified: u64, flags: u32) -> WasiResult {
        let flags = check_times(flags)?;
        self.system.fs.settle(ino)?;
        let now = self.system.clock.now();
        let times = &mut self.system.fs.node_mut(ino)?.times;
        for (time, set, set_now, value) in [
            (&mut times.accessed, fstflags::ATIM, fstflags::ATIM_NOW, accessed),
            (&mut times.modified, fstflags::MTIM, fstflags::MTIM_NOW, modified),
        ] {
            if flags & set != 0 {
                *time = value;
            } else if flags & set_now != 0 {
                *time = now;
            }
        }
        times.changed = now;
        Ok(())
    }
}

/// Fails with `EINVAL` for flags that are not defined, or that set one time in two ways.
fn check_times(flags: u32) -> Result<u32, Errno> {
    let both = |pair| flags & pair == pair;
    if both(fstflags::ATIM | fstflags::ATIM_NOW) || both(fstflags::MTIM | fstflags::MTIM_NOW) {
        return Err(Errno::Inval);
    }
    known_flags(flags, fstflags::ALL)
}

/// Announces how part of a file will be used, which has no effect here.
///
/// `EINVAL`: no such advice. `EISDIR`, `ESPIPE`: not a file. `ENOTCAPABLE`: without the right `fd_advise`. `EBADF`: not
/// open. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_advise
pub(super) fn fd_advise(call: &mut WasiCall<'_>, fd: u32, _offset: u64, _len: u64, advice: u32) -> WasiResult {
    call.system.descriptors.file(fd, rights::FD_ADVISE)?;
    // The advices from `normal` to `noreuse`.
    if advice > 5 { Err(Errno::Inval.into()) } else { Ok(()) }
}

/// Extends a file to at least `offset + len` bytes, filling it with zeros.
///
/// `EINVAL`: `len` is 0, or the end is beyond 63 bits. `ENOSPC`: the limit `files` is used up. `EISDIR`, `ESPIPE`: not
/// a file. `ENOTCAPABLE`: without the right `fd_allocate`. `EBADF`: not open. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_allocate
pub(super) fn fd_allocate(call: &mut WasiCall<'_>, fd: u32, offset: u64, len: u64) -> WasiResult {
    let (ino, _) = call.system.descriptors.file(fd, rights::FD_ALLOCATE)?;
    let end = offset.checked_add(len).filter(|end| len > 0 && i64::try_from(*end).is_ok()).ok_or(Errno::Inval)?;
    let size = call.system.fs.size(ino)?;
    if end > size { resize(call, ino, size, end) } else { Ok(()) }
}

/// Closes a descriptor, which may be a standard stream or the root directory.
///
/// `EBADF`: not open. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_close
pub(super) fn fd_close(call: &mut WasiCall<'_>, fd: u32) -> WasiResult {
    Ok(call.system.descriptors.close(fd, &mut call.system.fs)?)
}

/// Waits until a file's bytes are stored; in memory they always are.
///
/// `EBADF`: not open. `ENOTCAPABLE`: without the right `fd_datasync`. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_datasync
pub(super) fn fd_datasync(call: &mut WasiCall<'_>, fd: u32) -> WasiResult {
    Ok(call.system.descriptors.get(fd)?.check(rights::FD_DATASYNC)?)
}

/// Waits until a file's bytes and times are stored; in memory they always are.
///
/// `EBADF`: not open. `ENOTCAPABLE`: without the right `fd_sync`. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_sync
pub(super) fn fd_sync(call: &mut WasiCall<'_>, fd: u32) -> WasiResult {
    Ok(call.system.descriptors.get(fd)?.check(rights::FD_SYNC)?)
}

/// Writes the type, flags and rights of a descriptor to `out`.
///
/// ```text
///      filetype   flags       rights      inheriting rights
///      │ 0: u8    │ 2: u16    │ 8: u64    │ 16: u64
/// ```
///
/// `EBADF`: not open. `EFAULT`: `out` is outside the memory. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_fdstat_get
pub(super) fn fd_fdstat_get(call: &mut WasiCall<'_>, fd: u32, out: u32) -> WasiResult {
    let descriptor = call.system.descriptors.get(fd)?;
    let stat = Record::<24>::new()
        .set(0, [descriptor.target.filetype() as u8])
        // Flags have five bits.
        .set(2, u16::try_from(descriptor.flags).unwrap_or_default().to_le_bytes())
        .set(8, descriptor.rights.to_le_bytes())
        .set(16, descriptor.inheriting.to_le_bytes());
    Ok(call.memory.write(out, &stat.0)?)
}

/// Sets a descriptor's flags. Only `append` has an effect; what the others ask for always holds.
///
/// `EINVAL`: a flag that is not defined. `EBADF`: not open. `ENOTCAPABLE`: without the right `fd_fdstat_set_flags`.
/// [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_fdstat_set_flags
pub(super) fn fd_fdstat_set_flags(call: &mut WasiCall<'_>, fd: u32, flags: u32) -> WasiResult {
    let descriptor = call.system.descriptors.get_mut(fd)?;
    descriptor.check(rights::FD_FDSTAT_SET_FLAGS)?;
    descriptor.flags = known_flags(flags, fdflags::ALL)?;
    Ok(())
}

/// Removes rights from a descriptor.
///
/// `ENOTCAPABLE`: rights that it does not have. `EBADF`: not open. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_fdstat_set_rights
pub(super) fn fd_fdstat_set_rights(call: &mut WasiCall<'_>, fd: u32, base: u64, inheriting: u64) -> WasiResult {
    let descriptor = call.system.descriptors.get_mut(fd)?;
    if base & !descriptor.rights != 0 || inheriting & !descriptor.inheriting != 0 {
        return Err(Errno::Notcapable.into());
    }
    (descriptor.rights, descriptor.inheriting) = (base, inheriting);
    Ok(())
}

/// Writes the attributes of what a descriptor refers to, to `out`; the source shows the layout.
///
/// `EBADF`: not open. `ENOTCAPABLE`: without the right `fd_filestat_get`. `EFAULT`: `out` is outside of
/// the memory. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_filestat_get
pub(super) fn fd_filestat_get(call: &mut WasiCall<'_>, fd: u32, out: u32) -> WasiResult {
    let descriptor = call.system.descriptors.get(fd)?;
    descriptor.check(rights::FD_FILESTAT_GET)?;
    call.write_filestat(descriptor.target.ino(), out)
}

/// Sets a file's length to `size` bytes, truncating it or appending zeros.
///
/// `EINVAL`: a size beyond 63 bits. `ENOSPC`: the limit `files` is used up. `EISDIR`, `ESPIPE`: not a file.
/// `ENOTCAPABLE`: without the right `fd_filestat_set_size`. `EBADF`: not open. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_filestat_set_size
pub(super) fn fd_filestat_set_size(call: &mut WasiCall<'_>, fd: u32, size: u64) -> WasiResult {
    let (ino, _) = call.system.descriptors.file(fd, rights::FD_FILESTAT_SET_SIZE)?;
    if i64::try_from(size).is_err() {
        return Err(Errno::Inval.into());
    }
    let old = call.system.fs.size(ino)?;
    resize(call, ino, old, size)
}

fn resize(call: &mut WasiCall<'_>, ino: Ino, old: u64, size: u64) -> WasiResult {
    // A refused size costs nothing.
    let not_held = if size > 0 { call.system.fs.not_held(ino)? } else { 0 };
    if !call.system.budget.has_files(size.saturating_sub(old).saturating_add(not_held)) {
        return Err(Errno::Nospc.into());
    }
    call.pay(size.abs_diff(old))?;
    call.system.fs.resize(ino, size, call.system.clock.now())
}

/// Sets the times of what a descriptor refers to. `flags`: `atim` 1 and `mtim` 4 set the values given, `atim_now` 2 and
/// `mtim_now` 8 the current time.
///
/// `EINVAL`: a flag that is not defined, or two for one time. `EBADF`: not open. `ENOTCAPABLE`: without the right
/// `fd_filestat_set_times`, which streams do not have. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_filestat_set_times
pub(super) fn fd_filestat_set_times(
    call: &mut WasiCall<'_>,
    fd: u32,
    accessed: u64,
    modified: u64,
    flags: u32,
) -> WasiResult {
    let descriptor = call.system.descriptors.get(fd)?;
    descriptor.check(rights::FD_FILESTAT_SET_TIMES)?;
    let ino = descriptor.target.ino().ok_or(Errno::Badf)?;
    call.set_times(ino, accessed, modified, flags)
}

/// Writes a description of a preopened directory to `out`: a tag, 0, and the length of its name.
///
/// ```text
///      │ 0: u8 = 0    │ 4: u32
/// ```
///
/// `EBADF`: not open, or not preopened; C libraries try one number after another until they get it. `EFAULT`: `out` is
/// outside the memory. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_prestat_get
pub(super) fn fd_prestat_get(call: &mut WasiCall<'_>, fd: u32, out: u32) -> WasiResult {
    let length = u32::try_from(preopen(call, fd)?.len()).map_err(|_| Errno::Overflow)?;
    Ok(call.memory.write(out, &Record::<8>::new().set(4, length.to_le_bytes()).0)?)
}

/// Writes the name of a preopened directory, without a NUL, to `path`.
///
/// `ENAMETOOLONG`: it has more than `len` bytes. `EBADF`: not open, or not preopened. `EFAULT`: `path` is outside the
/// memory. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_prestat_dir_name
pub(super) fn fd_prestat_dir_name(call: &mut WasiCall<'_>, fd: u32, path: u32, len: u32) -> WasiResult {
    let name = preopen(call, fd)?;
    if name.len() > len as usize {
        return Err(Errno::Nametoolong.into());
    }
    Ok(call.memory.write(path, name.as_bytes())?)
}

fn preopen(call: &WasiCall<'_>, fd: u32) -> Result<String, Errno> {
    match &call.system.descriptors.get(fd)?.target {
        Target::Directory { preopen: Some(name), .. } => Ok(name.clone()),
        _ => Err(Errno::Badf),
    }
}

/// Moves a descriptor to the number of another one, closing the latter.
///
/// `EBADF`: one of the two is not open. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_renumber
pub(super) fn fd_renumber(call: &mut WasiCall<'_>, from: u32, to: u32) -> WasiResult {
    Ok(call.system.descriptors.renumber(from, to, &mut call.system.fs)?)
}
