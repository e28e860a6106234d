//! Names of scripts and modules, and how a file resolves them.

use crate::error::{Error, ErrorKind};

/// Returns whether a name is a path from the root of a file system.
fn is_absolute(name: &str) -> bool {
    name.starts_with(['/', '\\']) || name.get(1..2) == Some(":")
}

/// Returns what `name` means in the file `from`: itself or, if it begins with `./` or `../`, a path relative to that
/// file. A result that leaves the root, or an absolute path, is an error.
pub(crate) fn resolve(from: &str, name: &str) -> Result<String, Error> {
    resolve_below(from, name, "names are relative to the root, which is set by `--root` on the command line")
}

/// Returns the name of a file that a script writes. One that leaves the folder for these files is an error.
pub(crate) fn below_out(name: &str) -> Result<String, Error> {
    let hint = "names of written files are relative to the folder that takes them, which is set by `--out` on the command line";
    resolve_below("", name, hint)
}

/// `hint` is the end of each message.
fn resolve_below(from: &str, name: &str, hint: &str) -> Result<String, Error> {
    let refuse = |why: &str| Err(Error::new(ErrorKind::Load, format!("\"{name}\" {why}; {hint}")));
    if name.is_empty() {
        return refuse("is not a name");
    }
    if is_absolute(name) {
        return refuse("is an absolute path");
    }
    if name.contains('\\') || name.contains('\0') {
        return refuse("is not portable: use `/` between its parts");
    }
    let relative = name.starts_with("./") || name.starts_with("../");
    if relative && is_absolute(from) {
        return refuse("is relative to a script that is outside the root");
    }
    let mut parts: Vec<&str> = match from.rsplit_once('/') {
        Some((folder, _)) if relative => folder.split('/').filter(|p| !p.is_empty()).collect(),
        _ => Vec::new(),
    };
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return refuse("leaves the root");
                }
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return refuse("is not a file");
    }
    Ok(parts.join("/"))
}

/// The maximum number of files loading at the same time: each has an evaluator of its own on the native stack, where the
/// limit `call_depth` starts over.
pub(crate) const MAX_LOADS: usize = 32;

/// Refuses to load a file that is already being loaded, or that is nested too deep. `chain` ends with the file that asks;
/// `depth` is the number of files being loaded, without the script itself.
pub(crate) fn check_load(chain: &[String], depth: usize, name: &str) -> Result<(), Error> {
    if chain.iter().any(|loading| loading == name) {
        return Err(Error::load(format!("\"{name}\" is loaded while it loads: {} -> {name}", chain.join(" -> "))));
    }
    if depth >= MAX_LOADS {
        return Err(Error::load(format!(
            "files load each other more than {MAX_LOADS} deep: \"{name}\" is one too many"
        )));
    }
    Ok(())
}
