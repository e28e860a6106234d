//! How the instructions that only compute change the height of the operand stack.

use wasmparser::{BinaryReader, BlockType, ContType, FrameKind, FuncType, ModuleArity, RefType, SubType};

use crate::module::skim::{Op, code};

/// Returns the change in the number of operands made by an instruction that is neither control nor a call. `raw` begins with it.
#[inline(always)]
pub(super) fn effect(op: Op, raw: &[u8]) -> Option<isize> {
    match op.code {
        code::MISC | code::SIMD => rare(raw),
        code::TYPED_SELECT => Some(-2),
        code => EFFECTS.get(usize::from(code)).copied().map(isize::from),
    }
}

static EFFECTS: [i8; 256] = effects();

const fn effects() -> [i8; 256] {
    let mut effects = [0; 256];
    let mut opcode = 0;
    while opcode < effects.len() {
        #[allow(clippy::indexing_slicing, reason = "evaluated at compile time, and below the length")]
        let slot = &mut effects[opcode];
        *slot = match opcode {
            // local.get, global.get, memory.size, constants, ref.null, ref.func
            0x20 | 0x23 | 0x3f | 0x41..=0x44 | 0xd0 | 0xd2 => 1,
            // drop, local.set, global.set
            0x1a | 0x21 | 0x24 => -1,
            // select, table.set, stores
            0x1b | 0x26 | 0x36..=0x3e => -2,
            // comparisons of two
            0x46..=0x4f | 0x51..=0x66 => -1,
            // arithmetic of two
            0x6a..=0x78 | 0x7c..=0x8a | 0x92..=0x98 | 0xa0..=0xa6 => -1,
            _ => 0,
        };
        opcode += 1;
    }
    effects
}

#[cold]
fn rare(raw: &[u8]) -> Option<isize> {
    let (taken, left) = BinaryReader::new(raw, 0).operator_arity(&Nothing).ok()?;
    isize::try_from(left).ok()?.checked_sub(isize::try_from(taken).ok()?)
}

/// Answers what an instruction that only computes may ask of a module.
struct Nothing;

impl ModuleArity for Nothing {
    fn sub_type_at(&self, _: u32) -> Option<&SubType> {
        None
    }

    fn tag_type_arity(&self, _: u32) -> Option<(u32, u32)> {
        None
    }

    fn type_index_of_function(&self, _: u32) -> Option<u32> {
        None
    }

    fn func_type_of_cont_type(&self, _: &ContType) -> Option<&FuncType> {
        None
    }

    fn sub_type_of_ref_type(&self, _: &RefType) -> Option<&SubType> {
        None
    }

    fn control_stack_height(&self) -> u32 {
        0
    }

    fn label_block(&self, _: u32) -> Option<(BlockType, FrameKind)> {
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::module::skim::Skim;

    #[test]
    fn the_table_agrees_with_wasmparser() {
        let mut agreed = 0;
        for opcode in 0x1a..=0xd2u8 {
            let mut raw = [0; 16];
            *raw.first_mut().unwrap() = opcode;
            if opcode == 0xd0 {
                // ref.null func
                *raw.get_mut(1).unwrap() = 0x70;
            }
            let Some(op) = Skim::new(&raw).next() else { continue };
            if op.code == code::TYPED_SELECT {
                continue;
            }
            assert_eq!(effect(op, &raw), rare(&raw), "{opcode:#x}");
            agreed += 1;
        }
        // drop and select; local.get to i64.extend32_s, except 0x27, which is undefined; the three instructions of references
        assert_eq!(agreed, 2 + (0xc4 - 0x20) + 3);
    }
}
