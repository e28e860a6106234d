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
//! The repair puts `i32.const 0; i32.gt_u` between the condition and the `select`: as true as the condition was,
//! and a comparison that wasmi does not drop. It costs two units of fuel.
//!
//! Goes with the first wasmi whose `try_fuse_select` leaves slots alone.

use wasm_encoder::InstructionSink;

use super::skim::{Op, code};

/// Whether the instruction is a `select`, of either form.
pub(super) fn is_select(op: Op) -> bool {
    matches!(op.code, code::SELECT | code::TYPED_SELECT)
}

/// Writes what goes before a `select` whose condition is not safe.
pub(super) fn guard(out: &mut Vec<u8>) {
    InstructionSink::new(out).i32_const(0).i32_gt_u();
}
