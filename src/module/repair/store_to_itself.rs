//! An integer store of a local to the address that it holds.
//!
//! wasmi expects pointer and value not to be in the same register, and panics while it compiles a store where they
//! are: both the same local, which was set last, in a memory other than the first or with an offset of 65,536 and
//! more (`internal error: entered unreachable code`; other stores have a form without that case).
//!
//! The repair puts an empty block before the store. Where control flow begins wasmi copies the locals that stand on
//! the stack to slots of their own. A block costs no fuel.
//!
//! Goes with the first wasmi that compiles `local.get 0; local.get 0; i32.store offset=65536`.

use crate::module::skim::{Op, code};

/// The greatest offset that the short form of a store holds.
const SHORT: u64 = u16::MAX as u64;

/// Whether it is an integer store in the form that panics.
pub(super) fn is_long(op: Op) -> bool {
    matches!(op.code, code::I32_STORE | code::I64_STORE | code::I32_STORE8..=code::I64_STORE32)
        && (op.first != 0 || op.second >= SHORT)
}
