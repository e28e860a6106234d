//! `path_*`, except `path_open`: names in directories.
//!
//! All take a directory's descriptor and a path in that directory, which may not lead out of it. Besides the errors
//! listed with each, all return `EBADF` for a descriptor that is not open; `ENOTDIR` for one that is not a directory,
//! or if the path goes through something that is not; `ENOTCAPABLE` without the right of the function's name, or for a
//! path that leads out; `ENOENT` for what does not exist or an empty path; `ELOOP` for more than 40 symbolic links;
//! `EILSEQ` for a path that is not UTF-8; `EINVAL` for one with a NUL; `ENAMETOOLONG` for a path of more than 4,096
//! bytes or a name of more than 255; `EFAULT` for a pointer outside the memory.

use super::WasiCall;
use super::abi::{Errno, WasiResult, rights};
use super::fs::{Body, Ino};
use super::resolve::{Follow, ResolvedPath};

/// Returns the place for a new entry. `EEXIST` if there is one already.
fn vacant(found: ResolvedPath) -> Result<(Ino, String), Errno> {
    match found {
        ResolvedPath { node: None, entry: Some(entry), .. } => Ok(entry),
        _ => Err(Errno::Exist),
    }
}

/// Returns an existing entry and its node. `EINVAL` for `.` and `..`, which are not entries.
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

/// Writes the attributes of what is at a path to `out`, like `fd_filestat_get`. `flags`: 1 to follow a symbolic link at
/// the end of the path.
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

/// Sets the times of what is at a path, like `fd_filestat_set_times`. `flags` is as in `path_filestat_get`.
///
/// `EINVAL`: a flag that is not defined, or two for one time. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_filestat_set_times
// The specification sets the parameters.
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

/// Gives a file another name: a hard link. `flags`: 1 to follow a symbolic link at the end of the old path. `old_fd`
/// needs the right `path_link_source`, `fd` the right `path_link_target`.
///
/// `EEXIST`: the new path exists. `EPERM`: the old one is a directory. `ENOSPC`: the limit `files` is used up.
/// `EINVAL`: a flag that is not defined. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_link
// The specification sets the parameters.
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

/// Writes the target of a symbolic link, without a NUL and truncated to `buf_len` bytes, to `buf`, and the number of
/// bytes written, a `u32`, to `out`.
///
/// `EINVAL`: not a symbolic link. [Specification].
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
    call.memory.check(buf, buf_len)?;
    let count = target.len().min(buf_len as usize);
    call.memory.write(buf, target.as_bytes().get(..count).unwrap_or_default())?;
    Ok(call.memory.write_u32(out, u32::try_from(count).map_err(|_| Errno::Overflow)?)?)
}

/// Removes an empty directory.
///
/// `ENOTEMPTY`: it is not empty. `EINVAL`: the path ends in `.` or `..`. [Specification].
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

/// Renames a file, symbolic link or directory with its content, replacing what has the new name. `old_fd` needs the
/// right `path_rename_source`, `fd` the right `path_rename_target`.
///
/// `EINVAL`: a directory is moved into itself, or a path ends in `.` or `..`. `ENOTDIR`: a directory would replace
/// something else. `ENOTEMPTY`: it would replace a directory that is not empty. `EISDIR`: something else would replace
/// a directory. `ENOSPC`: the limit `files` is used up. [Specification].
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

/// Makes a symbolic link to `target`, which need not exist.
///
/// `EEXIST`: the path exists. `ENOENT`: the target is empty, or the path ends in a slash. `ENOTCAPABLE`: the target is
/// an absolute path, which would mean another place in each directory. `ENOSPC`: the limit `files` is used up.
/// [Specification].
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

/// Removes a file or symbolic link. An open file lives until it is closed.
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
