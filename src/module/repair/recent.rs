//! What the instructions just before a place leave on the stack, as far as repairs need to know.

use crate::module::skim::{Op, Skim, code};

/// What the last two instructions leave.
#[derive(Default)]
pub(super) struct Recent {
    before: Kind,
    last: Kind,
}

/// Where the last few instructions before a place begin.
#[derive(Default)]
pub(super) struct Window {
    /// For each, the number of bytes of code from its beginning to the end.
    begins: [usize; REACH],
    next: usize,
}

/// How many instructions to look back. What depends on earlier ones counts as unsafe.
const REACH: usize = 4;

impl Window {
    /// Moves past an instruction.
    #[inline(always)]
    pub(super) fn push(&mut self, bytes_from_begin: usize) {
        if let Some(begin) = self.begins.get_mut(self.next % REACH) {
            *begin = bytes_from_begin;
        }
        self.next = self.next.wrapping_add(1);
    }

    /// Returns what the instructions, which are part of `code`, leave.
    pub(super) fn recent(&self, code: &[u8]) -> Recent {
        let mut recent = Recent::default();
        let (newer, older) = self.begins.split_at_checked(self.next % REACH).unwrap_or_default();
        for begin in older.iter().chain(newer) {
            let op = code.len().checked_sub(*begin).and_then(|at| Skim::new(code.get(at..)?).next());
            match op {
                Some(op) => recent.push(op),
                None => recent = Recent::default(),
            }
        }
        recent
    }
}

/// What an instruction leaves on top of the stack, as wasmi keeps it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    /// A local, for which no code is generated.
    Local(i64),
    /// A local that was just set to something other than a local. What is below it on the stack is not what the
    /// previous instruction left.
    Tee(i64),
    /// A local, perhaps as another type.
    View,
    /// A constant that is zero.
    Zero,
    /// Any other constant.
    Constant,
    /// The result of code, in a register; not one of a comparison.
    Register,
    /// The result of a call.
    Slot,
    /// The result of code, or a constant.
    Value,
    /// The result of a comparison that wasmi does not drop: one that is not with zero, or compares a register.
    Comparison,
    /// Anything else, which may be a comparison of a slot with zero.
    #[default]
    Other,
}

use Kind as K;

impl Recent {
    fn push(&mut self, op: Op) {
        let kind = self.kind(op);
        self.before = self.last;
        self.last = kind;
    }

    /// Returns whether wasmi certainly holds back no comparison of a slot with zero, if the last instruction produced
    /// the condition of a `select` that follows.
    pub(super) fn is_safe_condition(&self) -> bool {
        self.last != K::Other
    }

    /// Returns whether the value and the pointer of a store that follows are certainly not the same local.
    pub(super) fn is_safe_store(&self) -> bool {
        match (self.before, self.last) {
            (_, K::Zero | K::Constant | K::Register | K::Slot | K::Value | K::Comparison) => true,
            // Setting a local moves its values on the stack to slots.
            (_, K::Tee(_)) => true,
            (K::Zero | K::Constant | K::Register | K::Slot | K::Value | K::Comparison, K::Local(_)) => true,
            (K::Local(pointer) | K::Tee(pointer), K::Local(value)) => pointer != value,
            _ => false,
        }
    }

    fn kind(&self, op: Op) -> Kind {
        match op.code {
            code::LOCAL_GET => K::Local(op.first),
            code::LOCAL_TEE => match self.last {
                K::Local(_) | K::Tee(_) | K::View => K::View,
                K::Other => K::Other,
                _ => K::Tee(op.first),
            },
            code::I32_CONST | code::I64_CONST if op.first == 0 => K::Zero,
            code::I32_CONST | code::I64_CONST => K::Constant,
            code::I32_LOAD..=code::I64_LOAD32_U => K::Register,
            code::CALL | code::CALL_INDIRECT => K::Slot,
            code::GLOBAL_GET | code::MEMORY_SIZE | code::MEMORY_GROW => K::Value,
            // If the condition is constant, the result is one of the operands.
            code::SELECT => match self.last {
                K::Zero | K::Constant | K::Value | K::Other => K::Other,
                _ => K::View,
            },
            // wasmi reduces none of these to one of its operands.
            code::I32_CLZ..=code::I32_POPCNT
            | code::I64_CLZ..=code::I64_POPCNT
            | code::I32_ADD..=code::I32_OR
            | code::I64_ADD..=code::I64_OR => match self.last {
                K::Local(_) | K::Tee(_) | K::Register | K::Slot => K::Register,
                _ => K::Value,
            },
            // An `i32.eqz` of an exclusive or is compiled as a comparison of the xor's operands.
            code::I32_XOR | code::I64_XOR => K::Value,
            code::I32_SHL..=code::I32_ROTR | code::I64_SHL..=code::I64_ROTR => self.shift(),
            code::I32_WRAP_I64 | code::I64_EXTEND_I32_S | code::I64_EXTEND_I32_U => match self.last {
                K::Local(_) | K::Tee(_) | K::View => K::View,
                K::Comparison | K::Other => K::Other,
                _ => K::Value,
            },
            code::I32_EQZ => match self.last {
                K::Register | K::Comparison => K::Comparison,
                _ => K::Other,
            },
            code::I32_EQ | code::I32_NE => self.equality(),
            code::I64_EQZ => match self.last {
                K::Comparison | K::Other => K::Other,
                _ => K::Comparison,
            },
            code::I64_EQ | code::I64_NE => match (self.before, self.last) {
                (K::Comparison | K::Other, K::Zero) | (_, K::Comparison | K::Other) => K::Other,
                _ => K::Comparison,
            },
            code::I32_LT_S..=code::I32_GE_U | code::I64_LT_S..=code::F64_GE => K::Comparison,
            _ => K::Other,
        }
    }

    /// A shift by zero is compiled to nothing: its operand stays on top.
    fn shift(&self) -> Kind {
        match (self.before, self.last) {
            (_, K::Local(_) | K::Tee(_) | K::Register | K::Slot) => K::Register,
            (K::Comparison | K::Other, _) => K::Other,
            (K::Local(_) | K::Tee(_) | K::View, K::Zero | K::Constant) => K::View,
            (_, K::Zero | K::Constant) => K::Value,
            _ => K::Other,
        }
    }

    fn equality(&self) -> Kind {
        match (self.before, self.last) {
            // Compares with a constant other than zero, or compares a register.
            (_, K::Constant | K::Register) | (K::Register | K::Comparison, K::Zero) => K::Comparison,
            // Neither is a constant zero.
            (K::Local(_) | K::Tee(_) | K::Constant | K::Register | K::Slot, K::Local(_)) => K::Comparison,
            _ => K::Other,
        }
    }
}
