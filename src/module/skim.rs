//! Reads the code of a function just far enough to find what has to be rewritten.
//!
//! Every compiled module is searched for shapes that hardly any module has. wasmi compiles some fifty megabytes a
//! second, and a full decoder of instructions would add a third to that time. This one finds where an instruction ends,
//! and keeps its opcode and two numbers.
//!
//! It must know every instruction that wasmi knows: code that it cannot read is not compiled (`Scan`).

/// An instruction: its opcode, and the immediates that a repair may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Op {
    pub(crate) code: u8,
    /// The first immediate: an index, a constant, the encoding of a block's type, or the default depth of a `br_table`.
    /// For a load or store, the memory.
    pub(crate) first: i64,
    /// The second: the offset of a load or store.
    pub(crate) second: u64,
}

/// The opcodes that repairs and charges look for, by their names in the specification.
pub(crate) mod code {
    pub(in super::super) const UNREACHABLE: u8 = 0x00;
    pub(in super::super) const BLOCK: u8 = 0x02;
    pub(in super::super) const LOOP: u8 = 0x03;
    pub(in super::super) const IF: u8 = 0x04;
    pub(in super::super) const ELSE: u8 = 0x05;
    pub(in super::super) const END: u8 = 0x0b;
    pub(in super::super) const BR: u8 = 0x0c;
    pub(in super::super) const BR_IF: u8 = 0x0d;
    pub(in super::super) const BR_TABLE: u8 = 0x0e;
    pub(in super::super) const RETURN: u8 = 0x0f;
    pub(in super::super) const CALL: u8 = 0x10;
    pub(in super::super) const CALL_INDIRECT: u8 = 0x11;
    pub(in super::super) const RETURN_CALL: u8 = 0x12;
    pub(in super::super) const RETURN_CALL_INDIRECT: u8 = 0x13;
    pub(in super::super) const SELECT: u8 = 0x1b;
    pub(in super::super) const TYPED_SELECT: u8 = 0x1c;
    pub(in super::super) const LOCAL_GET: u8 = 0x20;
    pub(in super::super) const LOCAL_SET: u8 = 0x21;
    pub(in super::super) const LOCAL_TEE: u8 = 0x22;
    pub(in super::super) const GLOBAL_GET: u8 = 0x23;
    pub(in super::super) const GLOBAL_SET: u8 = 0x24;
    pub(in super::super) const I32_LOAD: u8 = 0x28;
    pub(in super::super) const I64_LOAD32_U: u8 = 0x35;
    pub(in super::super) const I32_STORE: u8 = 0x36;
    pub(in super::super) const I64_STORE: u8 = 0x37;
    pub(in super::super) const I32_STORE8: u8 = 0x3a;
    pub(in super::super) const I64_STORE32: u8 = 0x3e;
    pub(in super::super) const MEMORY_SIZE: u8 = 0x3f;
    pub(in super::super) const MEMORY_GROW: u8 = 0x40;
    pub(in super::super) const I32_CONST: u8 = 0x41;
    pub(in super::super) const I64_CONST: u8 = 0x42;
    pub(in super::super) const I32_EQZ: u8 = 0x45;
    pub(in super::super) const I32_EQ: u8 = 0x46;
    pub(in super::super) const I32_NE: u8 = 0x47;
    pub(in super::super) const I32_LT_S: u8 = 0x48;
    pub(in super::super) const I32_GE_U: u8 = 0x4f;
    pub(in super::super) const I64_EQZ: u8 = 0x50;
    pub(in super::super) const I64_EQ: u8 = 0x51;
    pub(in super::super) const I64_NE: u8 = 0x52;
    pub(in super::super) const I64_LT_S: u8 = 0x53;
    pub(in super::super) const F64_GE: u8 = 0x66;
    pub(in super::super) const I32_CLZ: u8 = 0x67;
    pub(in super::super) const I32_POPCNT: u8 = 0x69;
    pub(in super::super) const I32_ADD: u8 = 0x6a;
    pub(in super::super) const I32_OR: u8 = 0x72;
    pub(in super::super) const I32_XOR: u8 = 0x73;
    pub(in super::super) const I32_SHL: u8 = 0x74;
    pub(in super::super) const I32_ROTR: u8 = 0x78;
    pub(in super::super) const I64_CLZ: u8 = 0x79;
    pub(in super::super) const I64_POPCNT: u8 = 0x7b;
    pub(in super::super) const I64_ADD: u8 = 0x7c;
    pub(in super::super) const I64_OR: u8 = 0x84;
    pub(in super::super) const I64_XOR: u8 = 0x85;
    pub(in super::super) const I64_SHL: u8 = 0x86;
    pub(in super::super) const I64_ROTR: u8 = 0x8a;
    pub(in super::super) const I32_WRAP_I64: u8 = 0xa7;
    pub(in super::super) const I64_EXTEND_I32_S: u8 = 0xac;
    pub(in super::super) const I64_EXTEND_I32_U: u8 = 0xad;
    pub(crate) const MISC: u8 = 0xfc;
    pub(in super::super) const SIMD: u8 = 0xfd;

    /// The number of `table.grow` after its prefix.
    pub(crate) const TABLE_GROW: i64 = 15;
}

/// What follows the opcode of an instruction that no repair looks for.
#[derive(Clone, Copy)]
enum Passed {
    Plain,
    Number,
    /// A memory and an offset.
    Access,
    /// The instruction may be looked for, or is rare.
    No,
}

static PASSED: [Passed; 256] = passed();

const fn passed() -> [Passed; 256] {
    let mut passed = [Passed::No; 256];
    let mut opcode = 0;
    while opcode < passed.len() {
        #[allow(clippy::indexing_slicing, reason = "evaluated at compile time, and below the length")]
        let slot = &mut passed[opcode];
        *slot = match opcode {
            0x00 | 0x01 | 0x05 | 0x0b | 0x0f | 0x1a | 0x45..=0xc4 | 0xd1 => Passed::Plain,
            0x0c | 0x0d | 0x20..=0x26 | 0x3f | 0x41 | 0x42 | 0xd2 => Passed::Number,
            0x28..=0x3e => Passed::Access,
            _ => Passed::No,
        };
        opcode += 1;
    }
    passed
}

/// The instructions of a function body, without its locals.
pub(crate) struct Skim<'a> {
    rest: &'a [u8],
}

impl<'a> Skim<'a> {
    pub(crate) fn new(code: &'a [u8]) -> Self {
        Self { rest: code }
    }

    /// Returns the number of bytes left.
    #[inline(always)]
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Skips the next instruction if no repair looks for it and its immediates are short, as with most.
    #[inline(always)]
    pub(crate) fn pass(&mut self) -> bool {
        let Some((code, rest)) = self.rest.split_first() else { return false };
        const LONG: u8 = 0x80;
        let rest = match (PASSED.get(usize::from(*code)), rest) {
            (Some(Passed::Plain), rest) => rest,
            (Some(Passed::Number), [0..LONG, rest @ ..] | [_, 0..LONG, rest @ ..]) => rest,
            // The flags of an access to the first memory are below 0x40.
            (Some(Passed::Access), [0..0x40, 0..LONG, rest @ ..] | [0..0x40, _, 0..LONG, rest @ ..]) => rest,
            _ => return false,
        };
        self.rest = rest;
        true
    }

    /// Returns the next instruction; `None` if it is cut short or its length is not known.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Option<Op> {
        let code = self.byte()?;
        let mut op = Op { code, first: 0, second: 0 };
        match code {
            // unreachable, nop, else, end, return, drop, select, ref.is_null, and all instructions that only compute
            0x00 | 0x01 | 0x05 | 0x0b | 0x0f | 0x1a | 0x1b | 0x45..=0xc4 | 0xd1 => {}
            // br, br_if, call, return_call, local.…, global.…, table.get, table.set, memory.size, memory.grow, ref.func
            0x0c | 0x0d | 0x10 | 0x12 | 0x20..=0x26 | 0x3f | 0x40 | 0xd2 => op.first = self.unsigned()?.cast_signed(),
            // block, loop, if, i32.const, i64.const, ref.null
            0x02..=0x04 | 0x41 | 0x42 | 0xd0 => op.first = self.signed()?,
            // loads and stores
            0x28..=0x3e => (op.first, op.second) = self.memory_access()?,
            // f32.const, f64.const
            0x43 => self.skip(4)?,
            0x44 => self.skip(8)?,
            _ => op.first = self.rare(code)?,
        }
        Some(op)
    }

    #[cold]
    fn rare(&mut self, code: u8) -> Option<i64> {
        match code {
            code::CALL_INDIRECT | code::RETURN_CALL_INDIRECT => {
                let ty = self.unsigned()?;
                self.unsigned()?;
                Some(ty.cast_signed())
            }
            code::BR_TABLE => {
                for _ in 0..self.unsigned()? {
                    self.unsigned()?;
                }
                self.unsigned().map(u64::cast_signed)
            }
            code::TYPED_SELECT => {
                for _ in 0..self.unsigned()? {
                    self.unsigned()?;
                }
                Some(0)
            }
            code::MISC => self.misc(),
            code::SIMD => self.simd(),
            _ => None,
        }
    }

    fn misc(&mut self) -> Option<i64> {
        let sub = self.unsigned()?;
        let immediates = match sub {
            // saturating conversions, wide arithmetic
            0..=7 | 19..=22 => 0,
            // data.drop, memory.fill, elem.drop, table.grow, table.size, table.fill
            9 | 11 | 13 | 15..=17 => 1,
            // memory.init, memory.copy, table.init, table.copy
            8 | 10 | 12 | 14 => 2,
            _ => return None,
        };
        for _ in 0..immediates {
            self.unsigned()?;
        }
        Some(sub.cast_signed())
    }

    fn simd(&mut self) -> Option<i64> {
        let sub = self.unsigned()?;
        match sub {
            // loads, stores
            0..=11 | 92 | 93 => drop(self.memory_access()?),
            // v128.const, i8x16.shuffle
            12 | 13 => self.skip(16)?,
            // lanes
            21..=34 => self.skip(1)?,
            // loads and stores of lanes
            84..=91 => {
                self.memory_access()?;
                self.skip(1)?;
            }
            14..=20 | 35..=83 | 94..=275 => {}
            _ => return None,
        }
        Some(sub.cast_signed())
    }

    /// Reads the memory and the offset of a load or store.
    #[inline(always)]
    fn memory_access(&mut self) -> Option<(i64, u64)> {
        /// Set if the index of a memory follows.
        const HAS_MEMORY: u64 = 0x40;
        let flags = self.unsigned()?;
        let memory = if flags & HAS_MEMORY == 0 { 0 } else { self.unsigned()?.cast_signed() };
        Some((memory, self.unsigned()?))
    }

    #[inline(always)]
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.rest = self.rest.get(count..)?;
        Some(())
    }

    #[inline(always)]
    fn unsigned(&mut self) -> Option<u64> {
        let first = self.byte()?;
        if first < 0x80 { Some(u64::from(first)) } else { self.long(first).map(|(value, _)| value) }
    }

    #[inline(always)]
    fn signed(&mut self) -> Option<i64> {
        let first = self.byte()?;
        let (value, bits) = if first < 0x80 { (u64::from(first), 7) } else { self.long(first)? };
        // The sign is the last bit that was encoded.
        let unused = 64u32.saturating_sub(bits);
        Some(value.wrapping_shl(unused).cast_signed().wrapping_shr(unused))
    }

    /// Reads a number of more than one byte, and returns it with the number of bits that were encoded.
    fn long(&mut self, first: u8) -> Option<(u64, u32)> {
        let mut value = u64::from(first & 0x7f);
        let mut shift = 7u32;
        loop {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            shift = shift.checked_add(7)?;
            if byte < 0x80 {
                return Some((value, shift.min(64)));
            }
        }
    }
}
