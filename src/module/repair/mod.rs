//! Rewrites the shapes of valid modules that wasmi 2.0.0 runs wrongly into shapes that it runs right.
//!
//! wasmi compiles some valid modules to code that computes wrong results, reads slots of its value stack that
//! nobody wrote, or crashes. Each file here owns one such fault: what wasmi does, which shape sets it off, what is
//! put in its place, and when the file can go. A module without the shapes, which is nearly every real one, is
//! compiled as it is; reading it through costs a few percent of compiling it.
//!
//! A rewritten module keeps its indices: types and locals are only ever appended. wasmi reports no code offsets, so
//! no message changes either. What a rewritten instruction costs in fuel stands in the file that rewrites it.

mod aliased_memory;
mod block_params;
mod body;
mod br_table;
mod empty_frame;
mod locals;
mod lowering;
mod memory_maximum;
mod partial_instance;
mod recent;
mod scan;
mod select;
mod splice;
mod store_to_itself;
mod types;

use std::borrow::Cow;

pub(crate) use self::memory_maximum::{clip as clip_memory_maximum, given as given_memory_maximum};
use self::scan::Scan;
use crate::error::{Error, ErrorKind};

/// Returns a module that means the same and that wasmi runs right: the given bytes, unless they have to be changed.
///
/// Bytes that are not a valid module come back as they are, for wasmi to refuse.
pub(crate) fn repair<'a>(engine: &wasmi::Engine, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
    let Ok(scan) = Scan::of(bytes) else { return Ok(Cow::Borrowed(bytes)) };
    if scan.needs_validation() && wasmi::Module::validate(engine, bytes).is_err() {
        return Ok(Cow::Borrowed(bytes));
    }
    if scan.has_unknown() {
        return refuse("has an instruction that is not known here");
    }
    if !scan.found_any() {
        return Ok(Cow::Borrowed(bytes));
    }
    match splice::module(bytes, scan) {
        Some(repaired) => Ok(Cow::Owned(repaired)),
        None if wasmi::Module::validate(engine, bytes).is_err() => Ok(Cow::Borrowed(bytes)),
        None => refuse("has a shape that wasmi miscompiles, and becomes too large when that is rewritten"),
    }
}

fn refuse<T>(why: &str) -> Result<T, Error> {
    Err(Error::new(ErrorKind::Module, format!("this module cannot be compiled: it {why}")))
}
