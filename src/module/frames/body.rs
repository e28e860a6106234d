//! Rewrites a function body so that it keeps frames.

use wasm_encoder::{Encode, InstructionSink, MemArg, MemArgTarget, ValType};
use wasmparser::FunctionBody;

use super::FrameIndices;
use crate::frames::{LEFT, SERIAL_AT, SLOT};
use crate::module::skim::{Op, Skim, code};

/// The maximum number of locals in a valid function.
const MAX_LOCALS: u32 = 50_000;

/// What an instruction means for the frames.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A call that returns. An indirect one may trap itself.
    Call {
        is_indirect: bool,
    },
    /// A call that replaces the function.
    TailCall {
        is_indirect: bool,
    },
    /// An instruction that may trap.
    Trap,
    Loop,
    Global,
    Other,
}

fn kind(op: Op) -> Kind {
    match op.code {
        code::CALL => Kind::Call { is_indirect: false },
        code::CALL_INDIRECT => Kind::Call { is_indirect: true },
        code::RETURN_CALL => Kind::TailCall { is_indirect: false },
        code::RETURN_CALL_INDIRECT => Kind::TailCall { is_indirect: true },
        code::LOOP => Kind::Loop,
        code::GLOBAL_GET | code::GLOBAL_SET => Kind::Global,
        code::UNREACHABLE
        // table.get, table.set
        | 0x25 | 0x26
        | code::I32_LOAD..=code::I64_STORE32
        | code::MEMORY_GROW
        // Divisions and remainders, of i32 and of i64.
        | 0x6d..=0x70 | 0x7f..=0x82
        // Conversions of floats to i32 and to i64 that do not saturate.
        | 0xa8..=0xab | 0xae..=0xb1 => Kind::Trap,
        // Saturating conversions, wide arithmetic, data.drop, elem.drop and table.size cannot trap.
        code::MISC => match op.first {
            0..=7 | 9 | 13 | 16 | 19..=22 => Kind::Other,
            _ => Kind::Trap,
        },
        // Loads and stores.
        code::SIMD => match op.first {
            0..=11 | 84..=93 => Kind::Trap,
            _ => Kind::Other,
        },
        _ => Kind::Other,
    }
}

/// Returns whether a function has a tail call; `None` for code that cannot be read.
pub(super) fn has_tail_call(bytes: &[u8], entry: &FunctionBody<'_>) -> Option<bool> {
    let start = entry.get_operators_reader().ok()?.original_position();
    let mut skim = Skim::new(bytes.get(start..entry.range().end)?);
    let mut has = false;
    while skim.left() > 0 {
        if !skim.pass() {
            has |= matches!(kind(skim.next()?), Kind::TailCall { .. });
        }
    }
    Some(has)
}

/// Writes the entry of a function in the code section. Returns `None` if that is not possible.
pub(super) fn write(
    bytes: &[u8],
    entry: &FunctionBody<'_>,
    params: u32,
    indices: &FrameIndices,
    is_entry: bool,
    out: &mut Vec<u8>,
) -> Option<()> {
    let mut locals = entry.get_locals_reader().ok()?;
    let groups = locals.get_count();
    let groups_start = locals.original_position();
    let mut slot = params;
    for _ in 0..groups {
        slot = slot.checked_add(locals.read().ok()?.0)?;
    }
    if slot >= MAX_LOCALS {
        return None;
    }
    let start = locals.original_position();
    let code = bytes.get(start..entry.range().end)?;
    let mut body = Body { indices, slot, out: Vec::with_capacity(code.len().checked_mul(2)?) };
    let mut skim = Skim::new(code);
    let mut has_frame = false;
    while skim.left() > 0 {
        let at = code.len().checked_sub(skim.left())?;
        let op = skim.next()?;
        let raw = code.get(at..code.len().checked_sub(skim.left())?)?;
        let place = start.checked_add(at)?;
        let kind = kind(op);
        has_frame |= !matches!(kind, Kind::Other | Kind::Global);
        match kind {
            Kind::Global => {
                body.out.push(op.code);
                indices.global(u32::try_from(op.first).ok()?)?.encode(&mut body.out);
                continue;
            }
            Kind::Trap => body.note(u32::try_from(place).ok()?),
            Kind::Call { is_indirect } => {
                body.call(u32::try_from(place).ok()?, is_indirect);
                body.out.extend_from_slice(raw);
                InstructionSink::new(&mut body.out).local_get(slot).global_set(indices.depth);
                continue;
            }
            Kind::TailCall { is_indirect } => {
                if is_indirect {
                    // When it traps, the slot has been given back.
                    body.note(u32::try_from(place).ok()? | LEFT);
                }
                InstructionSink::new(&mut body.out).local_get(slot).i32_const(SLOT).i32_sub().global_set(indices.depth);
            }
            Kind::Loop | Kind::Other => {}
        }
        body.out.extend_from_slice(raw);
    }
    let mut new = Vec::with_capacity(body.out.len().checked_add(64)?);
    if has_frame {
        groups.checked_add(1)?.encode(&mut new);
        new.extend_from_slice(bytes.get(groups_start..start)?);
        1u32.encode(&mut new);
        ValType::I32.encode(&mut new);
        enter(indices, slot, u32::try_from(start).ok()?, is_entry, &mut new);
    } else {
        // A function in which nothing can fail needs no frame.
        groups.encode(&mut new);
        new.extend_from_slice(bytes.get(groups_start..start)?);
    }
    new.extend_from_slice(&body.out);
    new.encode(out);
    Some(())
}

/// The code of a function that is being written.
struct Body<'a> {
    indices: &'a FrameIndices,
    /// The local with the address of the function's slot.
    slot: u32,
    out: Vec<u8>,
}

impl Body<'_> {
    /// Notes the place of an instruction that may trap.
    fn note(&mut self, place: u32) {
        InstructionSink::new(&mut self.out).i32_const(place.cast_signed()).global_set(self.indices.place);
    }

    /// Writes the place of a call to the slot.
    fn call(&mut self, place: u32, may_trap: bool) {
        if may_trap {
            self.note(place);
        }
        store(self.indices, self.slot, place, &mut self.out);
    }
}

fn access(indices: &FrameIndices, offset: u64, align: u32) -> MemArg {
    MemArg { offset, align, target: MemArgTarget::Memory(indices.slots), ordering: None }
}

fn store(indices: &FrameIndices, slot: u32, place: u32, out: &mut Vec<u8>) {
    let at = access(indices, 0, 2);
    InstructionSink::new(out).local_get(slot).i32_const(place.cast_signed()).i32_store(at);
}

/// Writes the code that takes a slot.
fn enter(indices: &FrameIndices, slot: u32, place: u32, is_entry: bool, out: &mut Vec<u8>) {
    InstructionSink::new(out)
        .global_get(indices.depth)
        .i32_const(SLOT)
        .i32_add()
        .local_tee(slot)
        .global_set(indices.depth);
    store(indices, slot, place, out);
    if is_entry {
        let at = access(indices, SERIAL_AT, 3);
        InstructionSink::new(out)
            .global_get(indices.serial)
            .i64_const(1)
            .i64_add()
            .global_set(indices.serial)
            .local_get(slot)
            .global_get(indices.serial)
            .i64_store(at);
    }
}
