//! The control flow of a function being rewritten: the open blocks, and the locals that replace operands.

use wasm_encoder::InstructionSink;
use wasmparser::{Operator, ValType};

use super::locals::Locals;
use super::types::Types;

/// The blocks that are open at a place in a function, and the function's new locals.
pub(super) struct Lowering {
    pub(super) frames: Vec<Frame>,
    pub(super) locals: Locals,
}

/// An open block.
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// The types that a branch to this block carries: its results, or a loop's parameters.
    pub(super) label: Vec<ValType>,
    /// The locals of the block's parameters.
    pub(super) params: Vec<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Block,
    Loop,
    /// An `if` whose `else` has not come yet.
    If,
}

impl Lowering {
    /// Begins a function with these results, whose next local is `next_local`.
    pub(super) fn new(results: Vec<ValType>, next_local: u32) -> Self {
        let function = Frame { kind: Kind::Block, label: results, params: Vec::new() };
        Self { frames: vec![function], locals: Locals::new(next_local) }
    }

    /// Writes what replaces the operator, or what precedes it: `Some(false)` means that the operator itself stays.
    /// `None` for code that no valid function has.
    pub(super) fn lower(&mut self, operator: &Operator<'_>, types: &mut Types, out: &mut Vec<u8>) -> Option<bool> {
        match operator {
            Operator::Block { blockty } => self.open(Kind::Block, *blockty, types, out),
            Operator::Loop { blockty } => self.open(Kind::Loop, *blockty, types, out),
            Operator::If { blockty } => self.open(Kind::If, *blockty, types, out),
            Operator::Else => self.else_(out).map(|()| true),
            Operator::End => self.end(out).map(|()| false),
            Operator::Br { relative_depth } => self.br(*relative_depth, out).map(|()| false),
            Operator::BrIf { relative_depth } => self.br_if(*relative_depth, out).map(|()| false),
            Operator::BrTable { targets } => self.table(targets, out),
            _ => Some(false),
        }
    }

    /// Returns the block targeted by a branch of this depth.
    pub(super) fn target(&self, depth: u32) -> Option<&Frame> {
        self.frames.iter().nth_back(usize::try_from(depth).ok()?)
    }
}

/// Takes operands off the stack, the last one first.
pub(super) fn set_all(locals: &[u32], out: &mut Vec<u8>) {
    let mut sink = InstructionSink::new(out);
    locals.iter().rev().for_each(|local| {
        sink.local_set(*local);
    });
}

/// Puts operands on the stack, the first one first.
pub(super) fn get_all(locals: &[u32], out: &mut Vec<u8>) {
    let mut sink = InstructionSink::new(out);
    locals.iter().for_each(|local| {
        sink.local_get(*local);
    });
}
