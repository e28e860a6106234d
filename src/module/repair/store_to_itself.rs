//! An integer store of a local to the address that it holds.
//!
//! wasmi expects pointer and value to be in different registers, and panics while compiling a store if they are not: if
//! both are the same local, which was set last, and the store is to a memory other than the first or has an offset of
//! 65,536 or more (`internal error: entered unreachable code`; other stores have a form without that case).
//!
//! The repair puts an empty block before the store. Where control flow begins, wasmi copies the locals on the stack to
//! slots of their own. A block costs no fuel.
//!
//! Remove with the first wasmi that compiles `local.get 0; local.get 0; i32.store offset=65536`.

use crate::module::skim::{Op, code};

/// The highest offset that fits the short form of a store.
const SHORT: u64 = u16::MAX as u64;

/// Returns whether this is an integer store in the form that panics.
pub(super) fn is_long(op: Op) -> bool {
    matches!(op.code, code::I32_STORE | code::I64_STORE | code::I32_STORE8..=code::I64_STORE32)
        && (op.first != 0 || op.second >= SHORT)
}
