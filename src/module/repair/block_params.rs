//! A block with parameters.
//!
//! Where control flow begins, wasmi copies the locals on the operand stack into slots of their own,
//! since the block may set them. For a block with `n` parameters it means to leave out the topmost
//! `n` operands, but leaves out the topmost `n` locals instead (`PreservedAllLocalsIter`): a local
//! below the parameters is not copied, and later read from a slot that was never written. That slot
//! holds what its last owner left there: values of another call or store, or the host's memory.
//!
//! The repair takes the parameters off the stack. They go into new locals, which the block reads as it begins:
//!
//! | shape | becomes |
//! | --- | --- |
//! | `block (param P) (result R)` | `local.set P; block (result R); local.get P` |
//! | `loop (param P) (result R)` | `local.set P; loop (result R); local.get P` |
//! | `if (param P) (result R) … else … end` | `local.set c; local.set P; local.get c; if (result R); local.get P … else; local.get P … end` |
//! | `br` to such a loop | `local.set P; br` |
//! | `br_if` to such a loop | `local.set c; local.set P; local.get P; local.get c; br_if` |
//! | `br_table`, if one of its targets is such a loop | see `br_table` |
//!
//! One set of locals serves all blocks, since no code runs between a block's `local.set` and its `local.get`. Each
//! added instruction costs a unit of fuel.
//!
//! Remove with the first wasmi whose `PreservedAllLocalsIter` counts operands.

use wasm_encoder::InstructionSink;
use wasmparser::BlockType;

use super::lowering::{Frame, Kind, Lowering, get_all, set_all};
use super::types::Types;

impl Frame {
    /// Returns whether a branch to it finds its operands in locals.
    pub(super) fn is_lowered_loop(&self) -> bool {
        self.kind == Kind::Loop && !self.params.is_empty()
    }
}

impl Lowering {
    /// Begins a block, and returns whether it was written in another form.
    pub(super) fn open(&mut self, kind: Kind, ty: BlockType, types: &mut Types, out: &mut Vec<u8>) -> Option<bool> {
        let param_types = types.params(ty)?.to_vec();
        let results = types.results(ty)?;
        let params = self.locals.of(&param_types)?;
        let lowered = !params.is_empty();
        if lowered {
            let block = types.block(&results)?;
            let condition = if kind == Kind::If { Some(self.locals.behind(&param_types)?) } else { None };
            if let Some(condition) = condition {
                InstructionSink::new(out).local_set(condition);
            }
            set_all(&params, out);
            let mut sink = InstructionSink::new(out);
            match (kind, condition) {
                (Kind::Block, _) => sink.block(block),
                (Kind::Loop, _) => sink.loop_(block),
                (Kind::If, Some(condition)) => sink.local_get(condition).if_(block),
                (Kind::If, None) => return None,
            };
            get_all(&params, out);
        }
        let label = if kind == Kind::Loop { param_types } else { results };
        self.frames.push(Frame { kind, label, params });
        Some(lowered)
    }

    pub(super) fn else_(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let frame = self.frames.last_mut()?;
        frame.kind = Kind::Block;
        InstructionSink::new(out).else_();
        get_all(&frame.params, out);
        Some(())
    }

    /// Ends a block.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let frame = self.frames.pop()?;
        if frame.kind == Kind::If && !frame.params.is_empty() {
            // Without an `else`, the parameters are the results.
            InstructionSink::new(out).else_();
            get_all(&frame.params, out);
        }
        Some(())
    }

    /// Writes the code before a `br`.
    pub(super) fn br(&self, depth: u32, out: &mut Vec<u8>) -> Option<()> {
        let target = self.target(depth)?;
        if target.is_lowered_loop() {
            set_all(&target.params, out);
        }
        Some(())
    }

    /// Writes the code before a `br_if`.
    pub(super) fn br_if(&mut self, depth: u32, out: &mut Vec<u8>) -> Option<()> {
        let target = self.target(depth)?;
        if target.is_lowered_loop() {
            let params = target.params.clone();
            let condition = self.locals.behind(&target.label.clone())?;
            InstructionSink::new(out).local_set(condition);
            set_all(&params, out);
            get_all(&params, out);
            InstructionSink::new(out).local_get(condition);
        }
        Some(())
    }
}
