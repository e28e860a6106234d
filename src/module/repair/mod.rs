//! Rewrites the shapes of valid modules that wasmi 2.0.0 runs wrongly into shapes that it runs correctly.
//!
//! wasmi compiles some valid modules to code that computes wrong results, reads slots of its value stack that were
//! never written, or crashes. Each fault has a file here: what wasmi does, which shape triggers it, what replaces the
//! shape, and when the file can be removed.
//!
//! | file | shape | what wasmi does |
//! | --- | --- | --- |
//! | `select` | a `select` on a comparison with zero | takes the wrong operand |
//! | `block_params` | a block with parameters | reads slots that were never written |
//! | `br_table` | a `br_table` that carries values | reads slots that nobody wrote |
//! | `empty_frame` | a tail call of a host function, below a frame without locals | crashes |
//! | `aliased_memory` | a memory imported twice | uses a memory after it was freed |
//! | `partial_instance` | an instantiation that fails halfway | crashes in functions that remain |
//! | `store_to_itself` | a store of a local to itself, with a large offset | panics while it compiles |
//! | `many_locals` | a function with more than 30,000 locals | refuses it |
//! | `memory_maximum` | a memory with a maximum of 2⁴⁸ pages | panics when it grows |
//!
//! A module without these shapes is compiled unchanged; searching it takes less than a tenth of the time to compile it.
//! A rewritten module keeps its indices: types, locals and functions are only ever appended. wasmi reports no code
//! offsets, so no message changes either. The two shapes that real modules have, `select` and `store_to_itself`, are
//! repaired without costing fuel; the files of the others say what they cost.

mod aliased_memory;
mod block_params;
mod body;
mod br_table;
mod empty_frame;
mod locals;
mod lowering;
mod many_locals;
mod memory_maximum;
mod partial_instance;
mod recent;
mod scan;
mod select;
mod splice;
mod store_to_itself;
mod types;

use std::borrow::Cow;
use std::collections::BTreeSet;

pub(crate) use self::memory_maximum::{clip as clip_memory_maximum, given as given_memory_maximum};
use self::scan::Scan;
pub(super) use self::types::encoded;
use crate::error::{Error, ErrorKind};
use crate::module::binary::Binary;

/// A module that wasmi runs correctly.
pub(crate) struct Repaired<'a> {
    /// The given bytes, unless they had to be changed.
    pub(crate) bytes: Cow<'a, [u8]>,
    /// The indices of the function bodies that have a `br_table`.
    pub(crate) tables: BTreeSet<usize>,
    /// Whether an instruction grows a table: wasmi cannot resume there.
    pub(crate) grows_tables: bool,
}

/// Returns a module with the same meaning that wasmi runs correctly.
///
/// Returns bytes that are not a valid module unchanged, for wasmi to refuse.
pub(crate) fn repair<'a>(engine: &wasmi::Engine, binary: &Binary<'a>) -> Result<Repaired<'a>, Error> {
    let bytes = binary.bytes();
    let as_it_is = |tables, grows_tables| Ok(Repaired { bytes: Cow::Borrowed(bytes), tables, grows_tables });
    let is_invalid = || wasmi::Module::validate(engine, bytes).is_err();
    let mut scan = match Scan::of(binary) {
        Ok(scan) => scan,
        Err(_) if is_invalid() => return as_it_is(BTreeSet::new(), false),
        Err(error) => return refuse(&format!("cannot be read: {error}")),
    };
    let grows_tables = scan.grows_tables;
    if scan.needs_validation() && is_invalid() {
        return as_it_is(BTreeSet::new(), grows_tables);
    }
    if scan.has_unknown() {
        return refuse("has an instruction that is not known here");
    }
    if let Some(used) = scan.too_many_locals {
        return refuse(&format!(
            "has a function that uses {used} locals, and at most {} can be run",
            many_locals::MAX_LOCALS
        ));
    }
    let tables = std::mem::take(&mut scan.tables);
    if !scan.found_any() {
        return as_it_is(tables, grows_tables);
    }
    match splice::module(binary, scan) {
        Some(repaired) => Ok(Repaired { bytes: Cow::Owned(repaired), tables, grows_tables }),
        None if is_invalid() => as_it_is(BTreeSet::new(), grows_tables),
        None => refuse("has a shape that wasmi miscompiles, and becomes too large when that is rewritten"),
    }
}

/// What the message of a refusal begins with.
pub(super) const REFUSED: &str = "this module cannot be compiled: it ";

fn refuse<T>(why: &str) -> Result<T, Error> {
    Err(Error::new(ErrorKind::Module, format!("{REFUSED}{why}")))
}
