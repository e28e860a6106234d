//! Numeric operators, by the numbers of their opcodes.

use super::body::Body;
use crate::value::Type;
use crate::value::Type::{F32, F64, I32, I64, V128};

/// Operators with two operands and a result of one type.
const BINARY: [(Type, u8, u8); 4] = [(I32, 0x6a, 0x78), (I64, 0x7c, 0x8a), (F32, 0x92, 0x98), (F64, 0xa0, 0xa6)];
/// Comparisons.
const COMPARE: [(Type, u8, u8); 4] = [(I32, 0x46, 0x4f), (I64, 0x51, 0x5a), (F32, 0x5b, 0x60), (F64, 0x61, 0x66)];
const UNARY: [(Type, u8, u8); 6] =
    [(I32, 0x67, 0x69), (I64, 0x79, 0x7b), (F32, 0x8b, 0x91), (F64, 0x99, 0x9f), (I32, 0xc0, 0xc1), (I64, 0xc2, 0xc4)];
/// Conversions: the result, the operand, the opcode.
const CONVERT: [(Type, Type, u8); 25] = [
    (I32, I64, 0xa7),
    (I32, F32, 0xa8),
    (I32, F32, 0xa9),
    (I32, F64, 0xaa),
    (I32, F64, 0xab),
    (I64, I32, 0xac),
    (I64, I32, 0xad),
    (I64, F32, 0xae),
    (I64, F32, 0xaf),
    (I64, F64, 0xb0),
    (I64, F64, 0xb1),
    (F32, I32, 0xb2),
    (F32, I32, 0xb3),
    (F32, I64, 0xb4),
    (F32, I64, 0xb5),
    (F32, F64, 0xb6),
    (F64, I32, 0xb7),
    (F64, I32, 0xb8),
    (F64, I64, 0xb9),
    (F64, I64, 0xba),
    (F64, F32, 0xbb),
    (I32, F32, 0xbc),
    (I64, F64, 0xbd),
    (F32, I32, 0xbe),
    (F64, I64, 0xbf),
];
/// Conversions that do not trap: the result, the operand, the number after the prefix 0xfc.
const SATURATE: [(Type, Type, u8); 8] = [
    (I32, F32, 0),
    (I32, F32, 1),
    (I32, F64, 2),
    (I32, F64, 3),
    (I64, F32, 4),
    (I64, F32, 5),
    (I64, F64, 6),
    (I64, F64, 7),
];
/// Vector operators, by the number after the prefix 0xfd.
const VECTOR_UNARY: [u32; 24] = [
    0x4d, 0x60, 0x61, 0x62, 0x67, 0x69, 0x74, 0x7c, 0x7e, 0x80, 0x81, 0x87, 0x89, 0xa0, 0xa1, 0xc0, 0xc1, 0xe0, 0xe3,
    0xef, 0xf8, 0xfa, 0xfe, 0x5e,
];
const VECTOR_BINARY: [u32; 36] = [
    0x0e, 0x23, 0x27, 0x2d, 0x31, 0x37, 0x3b, 0x41, 0x47, 0x4e, 0x4f, 0x50, 0x51, 0x65, 0x6e, 0x6f, 0x71, 0x76, 0x7b,
    0x82, 0x8e, 0x95, 0x9c, 0xae, 0xb1, 0xb5, 0xba, 0xce, 0xd5, 0xe4, 0xe6, 0xe8, 0xea, 0xf0, 0xf4, 0xf6,
];
const VECTOR_SHIFT: [u32; 8] = [0x6b, 0x6c, 0x8b, 0x8d, 0xab, 0xac, 0xcb, 0xcd];
const SPLAT: [(Type, u32); 6] = [(I32, 0x0f), (I32, 0x10), (I32, 0x11), (I64, 0x12), (F32, 0x13), (F64, 0x14)];
/// Extracting a lane: the result, the number, the lanes.
const EXTRACT: [(Type, u32, u32); 8] = [
    (I32, 0x15, 16),
    (I32, 0x16, 16),
    (I32, 0x18, 8),
    (I32, 0x19, 8),
    (I32, 0x1b, 4),
    (I64, 0x1d, 2),
    (F32, 0x1f, 4),
    (F64, 0x21, 2),
];
const VECTOR_TEST: [u32; 6] = [0x53, 0x63, 0x64, 0x83, 0xa3, 0xc4];

impl Body<'_> {
    /// Pushes the result of an operator.
    pub fn operator(&mut self, ty: Type, depth: u32) {
        match (ty, self.random.below(12)) {
            (I32, 0..=2) => self.condition(depth),
            (I32, 3) => {
                let (of, low, high) = *self.random.pick(&COMPARE);
                self.pair(of, depth);
                let op = low + self.random.below(u32::from(high - low) + 1) as u8;
                self.op(op);
            }
            (I32 | I64 | F32 | F64, 4..=8) => self.binary(ty, depth),
            (I32 | I64 | F32 | F64, 9) => self.convert(ty, depth),
            (I32 | I64 | F32 | F64, 10) => {
                self.value(V128, depth.min(2));
                let fit: Vec<_> = EXTRACT.iter().filter(|(result, ..)| *result == ty).collect();
                let (_, op, lanes) = **self.random.pick(&fit);
                self.op(0xfd);
                if ty == I32 && self.random.one_in(3) {
                    let op = *self.random.pick(&VECTOR_TEST);
                    return self.index(op);
                }
                self.index(op);
                let lane = self.random.below(lanes) as u8;
                self.op(lane);
            }
            (V128, _) => self.vector(depth),
            _ => {
                self.value(ty, depth);
                self.unary(ty);
            }
        }
    }

    /// Changes the value on the stack, if there is an operator that does so.
    pub fn unary(&mut self, ty: Type) -> bool {
        let fit: Vec<_> = UNARY.iter().filter(|(of, ..)| *of == ty).collect();
        if fit.is_empty() {
            return false;
        }
        let (_, low, high) = **self.random.pick(&fit);
        let op = low + self.random.below(u32::from(high - low) + 1) as u8;
        self.op(op);
        true
    }

    fn binary(&mut self, ty: Type, depth: u32) {
        let Some((_, low, high)) = BINARY.iter().find(|(of, ..)| *of == ty) else { return self.leaf(ty) };
        self.pair(ty, depth);
        let op = low + self.random.below(u32::from(high - low) + 1) as u8;
        self.op(op);
    }

    /// Pushes two operands: locals, constants, or the same one twice.
    fn pair(&mut self, ty: Type, depth: u32) {
        match self.random.below(6) {
            0 => {
                self.leaf(ty);
                self.constant(ty);
            }
            1 => {
                self.constant(ty);
                self.leaf(ty);
            }
            2 => {
                self.value(ty, depth);
                self.constant(ty);
            }
            3 => {
                self.leaf(ty);
                self.leaf(ty);
            }
            _ => {
                self.value(ty, depth);
                self.value(ty, depth);
            }
        }
    }

    fn convert(&mut self, ty: Type, depth: u32) {
        if self.random.one_in(2)
            && let fit = SATURATE.iter().filter(|(to, ..)| *to == ty).collect::<Vec<_>>()
            && !fit.is_empty()
        {
            let (_, from, op) = **self.random.pick(&fit);
            self.value(from, depth);
            return self.bytes(&[0xfc, op]);
        }
        let fit: Vec<_> = CONVERT.iter().filter(|(to, ..)| *to == ty).collect();
        let (_, from, op) = **self.random.pick(&fit);
        self.value(from, depth);
        self.op(op);
    }

    fn vector(&mut self, depth: u32) {
        match self.random.below(8) {
            0 => {
                self.value(V128, depth);
                let op = *self.random.pick(&VECTOR_UNARY);
                self.op(0xfd);
                self.index(op);
            }
            1 => {
                self.value(V128, depth);
                self.value(I32, depth.min(1));
                let op = *self.random.pick(&VECTOR_SHIFT);
                self.op(0xfd);
                self.index(op);
            }
            2 => {
                let (ty, op) = *self.random.pick(&SPLAT);
                self.value(ty, depth.min(2));
                self.op(0xfd);
                self.index(op);
            }
            3 => {
                // bitselect
                self.value(V128, depth);
                self.leaf(V128);
                self.leaf(V128);
                self.op(0xfd);
                self.index(0x52);
            }
            4 => {
                // replace_lane
                let (ty, op, lanes) = *self.random.pick(&[
                    (I32, 0x17, 16),
                    (I32, 0x1c, 4),
                    (I64, 0x1e, 2),
                    (F32, 0x20, 4),
                    (F64, 0x22, 2),
                ]);
                self.value(V128, depth);
                self.value(ty, depth.min(2));
                self.op(0xfd);
                self.index(op);
                let lane = self.random.below(lanes) as u8;
                self.op(lane);
            }
            _ => {
                self.pair(V128, depth);
                let op = *self.random.pick(&VECTOR_BINARY);
                self.op(0xfd);
                self.index(op);
            }
        }
    }

    /// Pushes two halves of a wide number.
    pub fn wide(&mut self, depth: u32) {
        let op = 0x13 + self.random.below(4) as u8;
        let count = if op < 0x15 { 4 } else { 2 };
        for _ in 0..count {
            self.value(I64, depth.min(1));
        }
        self.bytes(&[0xfc, op]);
    }
}
