//! A `select` whose condition is a comparison with zero.
//!
//! wasmi keeps back the instruction that it translated last and, when a `select` follows, drops a comparison with
//! zero and swaps the operands instead. It does so too where the compared value is in a slot of the frame, and then
//! reads the condition from a register that never held it (`try_fuse_select`, the arms `I32Eq_Rsi` and
//! `I32NotEq_Rsi`). The result is the first operand, or the second, whatever the condition.
//!
//! The repair puts `i32.const 0; i32.gt_u` between the comparison and the `select`: as true as the condition was,
//! and a comparison that wasmi does not drop. It costs two units of fuel.
//!
//! Goes with the first wasmi whose `try_fuse_select` leaves slots alone.

use wasm_encoder::InstructionSink;
use wasmparser::Operator;

/// Whether wasmi is certain to hold no comparison with zero back after this operator, if its result is the
/// condition of the `select` that follows.
///
/// A list of what is safe, not of what is dangerous: `ref.is_null` is a comparison with zero as well, a shift by zero
/// or a reinterpretation emits nothing, and operands can fold to zero in many ways. The list has what compilers
/// put before `select`.
pub(super) fn is_safe_condition(operator: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        operator,
        // Slots, immediates, and what is always emitted.
        O::LocalGet { .. }
            | O::LocalTee { .. }
            | O::GlobalGet { .. }
            | O::I32Const { .. }
            | O::Call { .. }
            | O::CallIndirect { .. }
            | O::I32Load { .. }
            | O::I32Load8S { .. }
            | O::I32Load8U { .. }
            | O::I32Load16S { .. }
            | O::I32Load16U { .. }
            | O::MemorySize { .. }
            | O::MemoryGrow { .. }
            | O::TableSize { .. }
            | O::TableGrow { .. }
            // Arithmetic that wasmi never reduces to one of its operands.
            | O::I32Add
            | O::I32Sub
            | O::I32Mul
            | O::I32DivS
            | O::I32DivU
            | O::I32RemS
            | O::I32RemU
            | O::I32And
            | O::I32Or
            | O::I32Xor
            | O::I32Clz
            | O::I32Ctz
            | O::I32Popcnt
            // Comparisons that wasmi never turns into one with zero.
            | O::I32LtS
            | O::I32LtU
            | O::I32GtS
            | O::I32GtU
            | O::I32LeS
            | O::I32LeU
            | O::I32GeS
            | O::I32GeU
            | O::I64LtS
            | O::I64LtU
            | O::I64GtS
            | O::I64GtU
            | O::I64LeS
            | O::I64LeU
            | O::I64GeS
            | O::I64GeU
            | O::F32Eq
            | O::F32Ne
            | O::F32Lt
            | O::F32Gt
            | O::F32Le
            | O::F32Ge
            | O::F64Eq
            | O::F64Ne
            | O::F64Lt
            | O::F64Gt
            | O::F64Le
            | O::F64Ge
    )
}

/// Whether the operator is a `select`, of either form.
pub(super) fn is_select(operator: &Operator<'_>) -> bool {
    matches!(operator, Operator::Select | Operator::TypedSelect { .. })
}

/// Writes what goes before a `select` whose condition is not safe.
pub(super) fn guard(out: &mut Vec<u8>) {
    InstructionSink::new(out).i32_const(0).i32_gt_u();
}
