//! A `br_table` that carries values.
//!
//! Of the values that a branch carries, wasmi keeps the last of each kind in a register and the rest in slots. If all
//! targets of a `br_table` have the same stack height, it leaves the values where they are, even if other operands lie
//! between that height and the values (`visit_br_table`, `equal_heights`). The target then reads slots that hold
//! something else, or nothing yet.
//!
//! The repair keeps the values in locals and branches without any, to a small block per target. That block reads the
//! values back and carries them on with a plain `br`:
//!
//! ```wat
//! local.set $c  local.set $v1  local.set $v0
//! block block
//!   local.get $c  br_table 0 1
//! end local.get $v0  local.get $v1  br $first_target
//! end local.get $v0  local.get $v1  br $second_target
//! ```
//!
//! Each added instruction costs a unit of fuel. A `br_table` without values, or with one that fits
//! a register, is left unchanged.
//!
//! Remove with the first wasmi that compares the height of the values with that of the targets.

use std::collections::BTreeMap;

use wasm_encoder::{BlockType, InstructionSink};
use wasmparser::{BrTable, ValType};

use super::lowering::{Lowering, get_all, set_all};

/// Returns whether wasmi passes some of the values that a branch carries in slots.
pub(super) fn needs_slots(values: &[ValType]) -> bool {
    values.len() > 1 || values.contains(&ValType::V128)
}

impl Lowering {
    /// Begins a `br_table`, and returns whether it was written in another form.
    pub(super) fn table(&mut self, targets: &BrTable<'_>, out: &mut Vec<u8>) -> Option<bool> {
        let mut depths = targets.targets().collect::<Result<Vec<u32>, _>>().ok()?;
        depths.push(targets.default());
        let mut operands = Some(&self.target(targets.default())?.label).filter(|values| needs_slots(values));
        for depth in &depths {
            let target = self.target(*depth)?;
            if target.is_lowered_loop() {
                operands = Some(&target.label);
            }
        }
        let Some(operands) = operands.cloned() else { return Some(false) };
        let params = self.locals.of(&operands)?;
        let index = self.locals.behind(&operands)?;
        InstructionSink::new(out).local_set(index);
        set_all(&params, out);
        // One small block per target, the first one innermost.
        let mut places = BTreeMap::new();
        let mut distinct = Vec::new();
        for depth in &depths {
            places.entry(*depth).or_insert_with(|| {
                distinct.push(*depth);
                distinct.len().saturating_sub(1)
            });
        }
        let mut labels = Vec::with_capacity(depths.len());
        for depth in &depths {
            labels.push(u32::try_from(*places.get(depth)?).ok()?);
        }
        let default = labels.pop()?;
        let mut sink = InstructionSink::new(out);
        distinct.iter().for_each(|_| {
            sink.block(BlockType::Empty);
        });
        sink.local_get(index).br_table(labels, default);
        let mut open = u32::try_from(distinct.len()).ok()?;
        for depth in distinct {
            open = open.checked_sub(1)?;
            InstructionSink::new(out).end();
            let target = self.target(depth)?;
            if target.label != operands {
                // The labels of a table may differ in unreachable code, where any operands are valid.
                InstructionSink::new(out).unreachable();
                continue;
            }
            if !target.is_lowered_loop() {
                get_all(&params, out);
            }
            InstructionSink::new(out).br(depth.checked_add(open)?);
        }
        Some(true)
    }
}
