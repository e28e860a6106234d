//! `path_open`.

use super::WasiCall;
use super::abi::{Errno, WasiResult, fdflags, known_flags, oflags, rights};
use super::content::Content;
use super::descriptor::{Descriptor, Target};
use super::fs::{Body, Ino};
use super::resolve::Follow;

/// Opens the file or directory at a path in the directory `fd`, and writes the new descriptor, a `u32`, to `out`: the
/// lowest free number.
///
/// `flags`: 1 to follow a symbolic link at the end of the path. `open_flags`: `creat` 1, `directory` 2, `excl` 4,
/// `trunc` 8. `fd_flags`: the new descriptor's flags. `base` and `inheriting`: its rights. Rights that are not defined,
/// or do not apply to what is opened, are dropped.
///
/// `ENOENT`: nothing is there. `EEXIST`: something is there, with `creat` and `excl`. `ENOTDIR`: not a directory, with
/// `directory` or along the path. `EISDIR`: a directory, to be written, truncated or created. `ELOOP`: a symbolic link
/// that is not followed, or more than 40 along the path. `ENOTCAPABLE`: the path leads out of `fd`; or `fd` does not
/// have the right `path_open`, for `creat` `path_create_file`, for `trunc` `path_filestat_set_size`, or its inheriting
/// rights do not cover the request. `EINVAL`: a flag that is not defined, `creat` with `directory`, or a NUL in the
/// path. `EILSEQ`: the path is not UTF-8. `ENAMETOOLONG`: a path longer than 4,096 bytes or a name longer than 255.
/// `EMFILE`: 4,096 descriptors are open. `ENOSPC`: the limit `files` is used up. `EBADF`, `EFAULT`. [Specification].
///
/// [Specification]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_open
// The specification sets the parameters.
#[allow(clippy::too_many_arguments)]
pub(super) fn path_open(
    call: &mut WasiCall<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    len: u32,
    open_flags: u32,
    base: u64,
    inheriting: u64,
    fd_flags: u32,
    out: u32,
) -> WasiResult {
    let follow = Follow::from_flags(flags)?;
    let open_flags = known_flags(open_flags, oflags::ALL)?;
    let fd_flags = known_flags(fd_flags, fdflags::ALL)?;
    let is = |flag: u32| open_flags & flag != 0;
    if is(oflags::CREAT) && is(oflags::DIRECTORY) {
        return Err(Errno::Inval.into());
    }
    let (base, inheriting) = (base & rights::ALL, inheriting & rights::ALL);
    let mut needed = rights::PATH_OPEN;
    if is(oflags::CREAT) {
        needed |= rights::PATH_CREATE_FILE;
    }
    if is(oflags::TRUNC) {
        needed |= rights::PATH_FILESTAT_SET_SIZE;
    }
    call.memory.check(out, 4)?;
    // A link in place of a file that must be new means that the file exists.
    let follow = if is(oflags::CREAT) && is(oflags::EXCL) { Follow::Never } else { follow };
    let found = call.find(fd, needed, path, len, follow)?;
    let granted = call.system.descriptors.get(fd)?.inheriting;
    if (base | inheriting) & !granted != 0 {
        return Err(Errno::Notcapable.into());
    }
    // Pays for the search for the lowest free number.
    call.pay(1 << 10)?;
    call.system.descriptors.room()?;
    let now = call.system.clock.now();
    let ino = match (found.node, found.entry) {
        (Some(_), _) if is(oflags::CREAT) && is(oflags::EXCL) => return Err(Errno::Exist.into()),
        (Some(ino), _) => {
            check_kind(call, ino, open_flags, base)?;
            if is(oflags::TRUNC) {
                let size = call.system.fs.size(ino)?;
                call.pay(size)?;
                call.system.fs.resize(ino, 0, now)?;
            }
            ino
        }
        (None, Some(_)) if is(oflags::CREAT) && found.slash => return Err(Errno::Isdir.into()),
        (None, Some((directory, name))) if is(oflags::CREAT) => {
            call.system.fs.create(directory, &name, Body::File(Content::Bytes(Vec::new())), now)?
        }
        _ => return Err(Errno::Noent.into()),
    };
    let descriptor = if call.system.fs.is_directory(ino) {
        let target = Target::Directory { ino, preopen: None, listed_to: None };
        Descriptor { target, rights: base & rights::DIRECTORY, inheriting, flags: fd_flags }
    } else {
        let target = Target::File { ino, offset: 0 };
        Descriptor { target, rights: base & rights::FILE, inheriting, flags: fd_flags }
    };
    let opened = call.system.descriptors.insert(descriptor, &mut call.system.fs)?;
    Ok(call.memory.write_u32(out, opened)?)
}

/// Checks that what is there can be opened as requested.
fn check_kind(call: &WasiCall<'_>, ino: Ino, open_flags: u32, base: u64) -> Result<(), Errno> {
    match &call.system.fs.node(ino)?.body {
        Body::Link(_) => Err(Errno::Loop),
        Body::File(_) if open_flags & oflags::DIRECTORY != 0 => Err(Errno::Notdir),
        Body::Directory(_) if open_flags & (oflags::CREAT | oflags::TRUNC) != 0 || base & rights::FD_WRITE != 0 => {
            Err(Errno::Isdir)
        }
        _ => Ok(()),
    }
}
