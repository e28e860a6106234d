//! `path_*`, but for `path_open`: names in directories.
//!
//! All take a directory's descriptor, and a path in it that may not lead out. Beside what each says,
//! all return `EBADF` for a descriptor that is not open, `ENOTDIR` for one that is no directory, or for
//! what stands on the way and is none, `ENOTCAPABLE` without the right of the function's name or for a
//! path that leads out, `ENOENT` for what is not there or an empty path, `ELOOP` for more than 40
//! symbolic links, `EILSEQ` for a path that is no UTF-8, `EINVAL` for one with a NUL, `ENAMETOOLONG` for
//! more than 4,096 bytes or a name of more than 255, `EFAULT` for a pointer outside of the memory.

use super::WasiCall;
use super::abi::{Errno, WasiResult, rights};
use super::fs::{Body, Ino};
use super::resolve::{Follow, ResolvedPath};

/// The place of an entry to be made. `EEXIST` where something is.
fn vacant(found: ResolvedPath) -> Result<(Ino, String), Errno> {
    match found {
        ResolvedPath { node: None, entry: Some(entry), .. } => Ok(entry),
        _ => Err(Errno::Exist),
    }
}

/// The entry that is there, and its node. `EINVAL` for `.` and `..`, which are no entries.
fn occupied(found: ResolvedPath) -> Result<(Ino, String, Ino), Errno> {
    let node = found.existing()?;
    let (directory, name) = found.entry.ok_or(Errno::Inval)?;
    Ok((directory, name, node))
}

/// Makes a directory.
///
/// `EEXIST`: something is there. `ENOSPC`: the limit `files` is used up. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_create_directory
pub(super) fn path_create_directory(call: &mut WasiCall<'_>, fd: u32, path: u32, len: u32) -> WasiResult {
    let found = call.find(fd, rights::PATH_CREATE_DIRECTORY, path, len, Follow::Vacant)?;
    let (directory, name) = vacant(found)?;
    call.system.fs.create_directory(directory, &name, call.system.clock.now())?;
    Ok(())
}

/// Writes what is known of what is at a path to `out`, as `fd_filestat_get` does. `flags`: 1 to follow
/// a symbolic link that the path ends in.
///
/// `EINVAL`: a flag that is not defined. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_filestat_get
pub(super) fn path_filestat_get(
    call: &mut WasiCall<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    len: u32,
    out: u32,
) -> WasiResult {
    let found = call.find(fd, rights::PATH_FILESTAT_GET, path, len, Follow::from_flags(flags)?)?;
    call.write_filestat(Some(found.existing()?), out)
}

/// Sets the times of what is at a path, as `fd_filestat_set_times` does. `flags` as `path_filestat_get`.
///
/// `EINVAL`: a flag that is not defined, or two for one time. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_filestat_set_times
// The parameters are the specification's.
#[allow(clippy::too_many_arguments)]
pub(super) fn path_filestat_set_times(
    call: &mut WasiCall<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    len: u32,
    accessed: u64,
    modified: u64,
    fst_flags: u32,
) -> WasiResult {
    let found = call.find(fd, rights::PATH_FILESTAT_SET_TIMES, path, len, Follow::from_flags(flags)?)?;
    call.set_times(found.existing()?, accessed, modified, fst_flags)
}

/// Gives a file one more name: a hard link. `flags`: 1 to follow a symbolic link that the old path
/// ends in. `old_fd` needs the right `path_link_source`, `fd` the right `path_link_target`.
///
/// `EEXIST`: the new path is something. `EPERM`: the old one is a directory. `ENOSPC`: the limit
/// `files` is used up. `EINVAL`: a flag that is not defined. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_link
// The parameters are the specification's.
#[allow(clippy::too_many_arguments)]
pub(super) fn path_link(
    call: &mut WasiCall<'_>,
    old_fd: u32,
    flags: u32,
    old: u32,
    old_len: u32,
    fd: u32,
    path: u32,
    len: u32,
) -> WasiResult {
    let from = call.find(old_fd, rights::PATH_LINK_SOURCE, old, old_len, Follow::from_flags(flags)?)?;
    let to = call.find(fd, rights::PATH_LINK_TARGET, path, len, Follow::Vacant)?;
    let ino = from.existing()?;
    if to.node.is_none() && to.slash {
        return Err(Errno::Noent.into());
    }
    let (directory, name) = vacant(to)?;
    if call.system.fs.is_directory(ino) {
        return Err(Errno::Perm.into());
    }
    Ok(call.system.fs.add_entry(directory, &name, ino, call.system.clock.now())?)
}

/// Writes the target of a symbolic link, as much as fits in the `buf_len` bytes at `buf` and without
/// a NUL, and how many bytes it were, a `u32`, to `out`.
///
/// `EINVAL`: it is no symbolic link. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_readlink
pub(super) fn path_readlink(
    call: &mut WasiCall<'_>,
    fd: u32,
    path: u32,
    len: u32,
    buf: u32,
    buf_len: u32,
    out: u32,
) -> WasiResult {
    let found = call.find(fd, rights::PATH_READLINK, path, len, Follow::Never)?;
    let Body::Link(target) = &call.system.fs.node(found.existing()?)?.body else { return Err(Errno::Inval.into()) };
    call.memory.check(out, 4)?;
    let buffer = call.memory.bytes_mut(buf, buf_len)?;
    let count = target.len().min(buffer.len());
    if let (Some(to), Some(from)) = (buffer.get_mut(..count), target.as_bytes().get(..count)) {
        to.copy_from_slice(from);
    }
    Ok(call.memory.write_u32(out, u32::try_from(count).map_err(|_| Errno::Overflow)?)?)
}

/// Removes a directory that is empty.
///
/// `ENOTEMPTY`: it is not. `EINVAL`: the path ends in `.` or `..`. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_remove_directory
pub(super) fn path_remove_directory(call: &mut WasiCall<'_>, fd: u32, path: u32, len: u32) -> WasiResult {
    let found = call.find(fd, rights::PATH_REMOVE_DIRECTORY, path, len, Follow::Never)?;
    let (directory, name, ino) = occupied(found)?;
    if !call.system.fs.directory(ino)?.is_empty() {
        return Err(Errno::Notempty.into());
    }
    call.system.fs.remove_entry(directory, &name, call.system.clock.now())?;
    Ok(())
}

/// Gives a file, a symbolic link or a directory with all that is in it another name, in place of what
/// has it now. `old_fd` needs the right `path_rename_source`, `fd` the right `path_rename_target`.
///
/// `EINVAL`: a directory into itself, or a path that ends in `.` or `..`. `ENOTDIR`: a directory in
/// place of something else. `ENOTEMPTY`: in place of a directory that is not empty. `EISDIR`: something
/// else in place of a directory. `ENOSPC`: the limit `files` is used up. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_rename
pub(super) fn path_rename(
    call: &mut WasiCall<'_>,
    old_fd: u32,
    old: u32,
    old_len: u32,
    fd: u32,
    path: u32,
    len: u32,
) -> WasiResult {
    let from = call.find(old_fd, rights::PATH_RENAME_SOURCE, old, old_len, Follow::Never)?;
    let to = call.find(fd, rights::PATH_RENAME_TARGET, path, len, Follow::Never)?;
    let (from_directory, from_name, ino) = occupied(from)?;
    let ResolvedPath { entry: Some((to_directory, to_name)), node: there, slash } = to else {
        return Err(Errno::Inval.into());
    };
    if there == Some(ino) {
        return Ok(());
    }
    let fs = &call.system.fs;
    let moves_directory = fs.is_directory(ino);
    let mut steps = 0;
    let into_itself = moves_directory && fs.is_within(to_directory, ino, &mut steps);
    call.pay(steps.saturating_mul(64))?;
    let fs = &call.system.fs;
    match there {
        _ if into_itself => return Err(Errno::Inval.into()),
        None if slash && !moves_directory => return Err(Errno::Notdir.into()),
        None => {}
        Some(there) => match (moves_directory, fs.directory(there)) {
            (true, Ok(directory)) if !directory.is_empty() => return Err(Errno::Notempty.into()),
            (true, Err(errno)) => return Err(errno.into()),
            (false, Ok(_)) => return Err(Errno::Isdir.into()),
            _ => {}
        },
    }
    let now = call.system.clock.now();
    Ok(call.system.fs.rename((from_directory, &from_name), (to_directory, &to_name), now)?)
}

/// Makes a symbolic link to `target`, which need not be there.
///
/// `EEXIST`: something is at the path. `ENOENT`: the target is empty, or the path ends in a slash.
/// `ENOTCAPABLE`: the target is an absolute path, which would mean another place in each directory.
/// `ENOSPC`: the limit `files` is used up. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_symlink
pub(super) fn path_symlink(
    call: &mut WasiCall<'_>,
    target: u32,
    target_len: u32,
    fd: u32,
    path: u32,
    len: u32,
) -> WasiResult {
    let target = call.memory.text(target, target_len)?;
    let found = call.find(fd, rights::PATH_SYMLINK, path, len, Follow::Vacant)?;
    if target.starts_with('/') {
        return Err(Errno::Notcapable.into());
    }
    if target.is_empty() || found.node.is_none() && found.slash {
        return Err(Errno::Noent.into());
    }
    let (directory, name) = vacant(found)?;
    call.system.fs.create(directory, &name, Body::Link(target), call.system.clock.now())?;
    Ok(())
}

/// Removes a file or symbolic link. What is open stays until it is closed.
///
/// `EISDIR`: a directory. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_unlink_file
pub(super) fn path_unlink_file(call: &mut WasiCall<'_>, fd: u32, path: u32, len: u32) -> WasiResult {
    let found = call.find(fd, rights::PATH_UNLINK_FILE, path, len, Follow::Never)?;
    if call.system.fs.is_directory(found.existing()?) {
        return Err(Errno::Isdir.into());
    }
    let (directory, name, _) = occupied(found)?;
    call.system.fs.remove_entry(directory, &name, call.system.clock.now())?;
    Ok(())
}
