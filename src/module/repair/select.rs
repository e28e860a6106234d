//! A `select` whose condition is a comparison with zero.
//!
//! wasmi holds back the instruction that it translated last. When a `select` follows, it drops a comparison with zero
//! and swaps the operands instead. It does this even if the compared value is in a slot of the frame, and then reads
//! the condition from a register that never held it (`try_fuse_select`, the arms `I32Eq_Rsi` and `I32NotEq_Rsi`). The
//! result is the first or the second operand, whatever the condition.
//!
//! Many operators lead there: `i32.eqz`, `ref.is_null`, `i32.eq` and `i32.ne` with an operand that folds to zero, an
//! `i32.eqz` of an `i32.xor`, and operators after one of these that are compiled to nothing. So the condition is left
//! unchanged only after an operator that is known to be safe (`recent`).
//!
//! The repair puts an empty block between the condition and the `select`. Where control flow begins, wasmi emits what
//! it holds back and moves the condition to a slot. A block costs no fuel.
//!
//! Remove with the first wasmi whose `try_fuse_select` leaves slots alone.

use crate::module::skim::{Op, code};

/// Returns whether the instruction is a `select`, in either form.
pub(super) fn is_select(op: Op) -> bool {
    matches!(op.code, code::SELECT | code::TYPED_SELECT)
}
