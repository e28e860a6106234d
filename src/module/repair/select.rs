//! A `select` whose condition is a comparison with zero.
//!
//! wasmi keeps back the instruction that it translated last and, when a `select` follows, drops a comparison with
//! zero and swaps the operands instead. It does so too where the compared value is in a slot of the frame, and then
//! reads the condition from a register that never held it (`try_fuse_select`, the arms `I32Eq_Rsi` and
//! `I32NotEq_Rsi`). The result is the first operand, or the second, whatever the condition.
//!
//! Many operators lead there: `i32.eqz`, `ref.is_null`, `i32.eq` and `i32.ne` with an operand that folds to zero, an
//! `i32.eqz` of an `i32.xor`, and what is compiled to nothing after one of these. So the condition is taken as it is
//! only behind an operator that is known to be safe (`recent`).
//!
//! The repair puts an empty block between the condition and the `select`. Where control flow begins wasmi writes out
//! what it holds back, and moves the condition to a slot. A block costs no fuel.
//!
//! Goes with the first wasmi whose `try_fuse_select` leaves slots alone.

use crate::module::skim::{Op, code};

/// Whether the instruction is a `select`, of either form.
pub(super) fn is_select(op: Op) -> bool {
    matches!(op.code, code::SELECT | code::TYPED_SELECT)
}
