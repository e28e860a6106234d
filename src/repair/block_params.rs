//! A block with parameters.
//!
//! Where control flow begins, wasmi copies the locals that stand on the operand stack into slots of their own, since
//! the block may set them. Of a block with `n` parameters it means to leave out the topmost `n` operands, and leaves
//! out the topmost `n` locals instead (`PreservedAllLocalsIter`): a local below the parameters is not copied, and
//! read afterwards from a slot that nobody wrote. What it holds is what the last owner left there: another call's
//! values, another store's, or the host's memory.
//!
//! The repair takes the parameters off the stack. They go into new locals, from which the block fetches them as it
//! begins:
//!
//! | shape | becomes |
//! | --- | --- |
//! | `block (param P) (result R)` | `local.set P; block (result R); local.get P` |
//! | `loop (param P) (result R)` | `local.set P; loop (result R); local.get P` |
//! | `if (param P) (result R) … else … end` | `local.set c; local.set P; local.get c; if (result R); local.get P … else; local.get P … end` |
//! | `br` to such a loop | `local.set P; br` |
//! | `br_if` to such a loop | `local.set c; local.set P; local.get P; local.get c; br_if` |
//! | `br_table`, if one of its targets is such a loop | `local.set c; local.set P`, and a `br_table` to one small block for each target, which fetches what the target takes |
//!
//! One set of locals serves all blocks, since no code runs between a block's `local.set` and its `local.get`. Each
//! added instruction costs a unit of fuel.
//!
//! Goes with the first wasmi whose `PreservedAllLocalsIter` counts operands.

use std::collections::BTreeMap;

use wasm_encoder::{BlockType as EncodedBlock, InstructionSink};
use wasmparser::{BlockType, BrTable, Operator, ValType};

use super::types::Types;

/// The blocks that are open at a place in a function, and the locals that stand in for their parameters.
pub(super) struct Lowering {
    frames: Vec<Frame>,
    locals: Locals,
}

struct Frame {
    kind: Kind,
    /// What a branch to this block takes: its results, or a loop's parameters.
    label: Vec<ValType>,
    /// The locals of its parameters.
    params: Vec<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Block,
    Loop,
    /// An `if` whose `else` has not come yet.
    If,
}

impl Frame {
    /// Whether a branch to it finds its operands in locals.
    fn is_lowered_loop(&self) -> bool {
        self.kind == Kind::Loop && !self.params.is_empty()
    }
}

impl Lowering {
    /// Begins a function with these results, whose next local is `next_local`.
    pub(super) fn new(results: Vec<ValType>, next_local: u32) -> Self {
        let function = Frame { kind: Kind::Block, label: results, params: Vec::new() };
        Self { frames: vec![function], locals: Locals { first: next_local, types: Vec::new(), known: BTreeMap::new() } }
    }

    /// The types of the locals that were added.
    pub(super) fn new_locals(&self) -> &[ValType] {
        &self.locals.types
    }

    /// Writes what the operator becomes; `Some(false)` for one that stays as it is. `None` for what no valid
    /// function has.
    pub(super) fn lower(&mut self, operator: &Operator<'_>, types: &mut Types, out: &mut Vec<u8>) -> Option<bool> {
        match operator {
            Operator::Block { blockty } => self.open(Kind::Block, *blockty, types, out),
            Operator::Loop { blockty } => self.open(Kind::Loop, *blockty, types, out),
            Operator::If { blockty } => self.open(Kind::If, *blockty, types, out),
            Operator::Else => {
                let frame = self.frames.last_mut()?;
                frame.kind = Kind::Block;
                InstructionSink::new(out).else_();
                get_all(&frame.params, out);
                Some(true)
            }
            Operator::End => {
                let frame = self.frames.pop()?;
                if frame.kind == Kind::If && !frame.params.is_empty() {
                    // Without an `else` the parameters are the results.
                    InstructionSink::new(out).else_();
                    get_all(&frame.params, out);
                }
                Some(false)
            }
            Operator::Br { relative_depth } => {
                let target = self.target(*relative_depth)?;
                if target.is_lowered_loop() {
                    set_all(&target.params, out);
                }
                Some(false)
            }
            Operator::BrIf { relative_depth } => {
                let target = self.target(*relative_depth)?;
                if !target.is_lowered_loop() {
                    return Some(false);
                }
                let params = target.params.clone();
                let condition = self.locals.behind(&target.label.clone())?;
                InstructionSink::new(out).local_set(condition);
                set_all(&params, out);
                get_all(&params, out);
                InstructionSink::new(out).local_get(condition);
                Some(false)
            }
            Operator::BrTable { targets } => self.table(targets, out),
            _ => Some(false),
        }
    }

    fn open(&mut self, kind: Kind, ty: BlockType, types: &mut Types, out: &mut Vec<u8>) -> Option<bool> {
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

    fn table(&mut self, targets: &BrTable<'_>, out: &mut Vec<u8>) -> Option<bool> {
        let mut depths = targets.targets().collect::<Result<Vec<u32>, _>>().ok()?;
        depths.push(targets.default());
        let mut lowered = None;
        for depth in &depths {
            let target = self.target(*depth)?;
            if target.is_lowered_loop() {
                lowered = Some(target.label.clone());
                break;
            }
        }
        let Some(operands) = lowered else { return Some(false) };
        let params = self.locals.of(&operands)?;
        let index = self.locals.behind(&operands)?;
        InstructionSink::new(out).local_set(index);
        set_all(&params, out);
        // One small block for each target, the first innermost.
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
            sink.block(EncodedBlock::Empty);
        });
        sink.local_get(index).br_table(labels, default);
        let mut open = u32::try_from(distinct.len()).ok()?;
        for depth in distinct {
            open = open.checked_sub(1)?;
            InstructionSink::new(out).end();
            let target = self.target(depth)?;
            if target.label != operands {
                // Labels of one table may differ in code that is never reached, where any operands will do.
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

    fn target(&self, depth: u32) -> Option<&Frame> {
        let index = self.frames.len().checked_sub(1)?.checked_sub(usize::try_from(depth).ok()?)?;
        self.frames.get(index)
    }
}

/// Takes operands off the stack, the last one first.
fn set_all(locals: &[u32], out: &mut Vec<u8>) {
    let mut sink = InstructionSink::new(out);
    locals.iter().rev().for_each(|local| {
        sink.local_set(*local);
    });
}

fn get_all(locals: &[u32], out: &mut Vec<u8>) {
    let mut sink = InstructionSink::new(out);
    locals.iter().for_each(|local| {
        sink.local_get(*local);
    });
}

/// The locals that a function gets.
struct Locals {
    first: u32,
    types: Vec<ValType>,
    /// Those of each type, in order.
    known: BTreeMap<u32, Vec<u32>>,
}

impl Locals {
    /// The locals of operands of these types: the same ones for the same types.
    fn of(&mut self, types: &[ValType]) -> Option<Vec<u32>> {
        let mut used = BTreeMap::<u32, usize>::new();
        let mut locals = Vec::with_capacity(types.len());
        for ty in types {
            let nth = used.entry(key(*ty)?).or_default();
            locals.push(self.nth(*ty, *nth)?);
            *nth = nth.checked_add(1)?;
        }
        Some(locals)
    }

    /// The local of an i32 that stands on the stack above operands of these types.
    fn behind(&mut self, types: &[ValType]) -> Option<u32> {
        self.nth(ValType::I32, types.iter().filter(|ty| **ty == ValType::I32).count())
    }

    fn nth(&mut self, ty: ValType, nth: usize) -> Option<u32> {
        let known = self.known.entry(key(ty)?).or_default();
        if let Some(local) = known.get(nth) {
            return Some(*local);
        }
        let local = self.first.checked_add(u32::try_from(self.types.len()).ok()?)?;
        self.types.push(ty);
        known.push(local);
        Some(local)
    }
}

/// What tells value types apart in a map.
fn key(ty: ValType) -> Option<u32> {
    let mut bytes = Vec::new();
    wasm_encoder::Encode::encode(&super::types::encoded(ty)?, &mut bytes);
    bytes.first().map(|byte| u32::from(*byte))
}
