//! Rewrites the shapes of valid modules that wasmi 2.0.0 runs wrongly into shapes that it runs right.
//!
//! wasmi compiles some valid modules to code that computes wrong results, reads slots of its value stack that
//! nobody wrote, or crashes. Each file here owns one such fault: what wasmi does, which shape sets it off, what is
//! put in its place, and when the file can go. A module without the shapes, which is nearly every real one, is
//! compiled as it is; reading it through costs a few percent of compiling it.
//!
//! A rewritten module keeps its indices: types and locals are only ever appended. wasmi reports no code offsets, so
//! no message changes either. What a rewritten instruction costs in fuel stands in the file that rewrites it.

mod block_params;
mod body;
mod empty_frame;
mod memory_maximum;
mod scan;
mod select;
mod splice;
mod types;

use std::borrow::Cow;

use crate::error::{Error, ErrorKind};
use scan::Scan;

/// Returns a module that means the same and that wasmi runs right: the given bytes, unless they have to be changed.
///
/// Bytes that are not a valid module come back as they are, for wasmi to refuse.
pub(crate) fn repair<'a>(engine: &wasmi::Engine, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
    let Some(scan) = Scan::of(bytes).ok().filter(Scan::found_any) else { return Ok(Cow::Borrowed(bytes)) };
    // Only a valid module may be rewritten: with the locals that are added, an invalid one could become valid.
    if wasmi::Module::validate(engine, bytes).is_err() {
        return Ok(Cow::Borrowed(bytes));
    }
    match splice::module(bytes, scan) {
        Some(repaired) => Ok(Cow::Owned(repaired)),
        None => Err(Error::new(
            ErrorKind::Module,
            "this module cannot be compiled: it has a shape that wasmi miscompiles, and rewriting it failed",
        )),
    }
}

