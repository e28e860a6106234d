//! `select`, and the conditions on which it and branches depend.

use super::body::Body;
use super::control::type_byte;
use crate::value::Type;

impl Body<'_> {
    pub fn select(&mut self, ty: Type, depth: u32) {
        if self.random.one_in(3) {
            self.value(ty, depth);
            self.value(ty, depth);
        } else {
            self.leaf(ty);
            self.leaf(ty);
        }
        self.condition(depth.min(3));
        self.choose(ty);
    }

    /// Writes a `select`, whose operands are on the stack.
    pub fn choose(&mut self, ty: Type) {
        if ty.is_ref() || self.random.one_in(4) {
            self.bytes(&[0x1c, 1, type_byte(ty)]);
        } else {
            self.op(0x1b);
        }
    }

    /// Pushes an `i32` that is used as a condition, in one of its many forms.
    pub fn condition(&mut self, depth: u32) {
        self.budget -= 1;
        let operand = |body: &mut Self, ty| {
            if depth > 0 && body.random.one_in(3) { body.value(ty, depth - 1) } else { body.leaf(ty) }
        };
        match self.random.below(12) {
            0 => operand(self, Type::I32),
            1 | 2 => {
                operand(self, Type::I32);
                let times = self.random.within(1, 3);
                for _ in 0..times {
                    self.op(0x45);
                }
            }
            3 | 4 => {
                // With 0, on either side.
                let zero_first = self.random.one_in(2);
                if zero_first {
                    self.i32(0);
                }
                operand(self, Type::I32);
                if !zero_first {
                    self.i32(0);
                }
                let op = if self.random.one_in(4) {
                    0x46 + self.random.below(10) as u8
                } else {
                    *self.random.pick(&[0x46, 0x47])
                };
                self.op(op);
                if self.random.one_in(4) {
                    self.op(0x45);
                }
            }
            5 => {
                operand(self, Type::I64);
                match self.random.below(3) {
                    0 => self.op(0x50),
                    1 => {
                        self.i64(0);
                        let op = 0x51 + self.random.below(10) as u8;
                        self.op(op);
                    }
                    _ => {
                        operand(self, Type::I64);
                        let op = 0x51 + self.random.below(10) as u8;
                        self.op(op);
                    }
                }
            }
            6 => {
                let (ty, first) = *self.random.pick(&[(Type::F32, 0x5b), (Type::F64, 0x61)]);
                operand(self, ty);
                operand(self, ty);
                let op = first + self.random.below(6) as u8;
                self.op(op);
                if self.random.one_in(3) {
                    self.op(0x45);
                }
            }
            7 => {
                operand(self, Type::I32);
                self.tee(Type::I32);
                if self.random.one_in(2) {
                    self.op(0x45);
                }
            }
            8 => {
                // and, or, xor, followed by a comparison.
                operand(self, Type::I32);
                operand(self, Type::I32);
                let op = 0x71 + self.random.below(3) as u8;
                self.op(op);
                match self.random.below(3) {
                    0 => self.op(0x45),
                    1 => self.bytes(&[0x41, 0, 0x47]),
                    _ => {}
                }
            }
            9 => {
                let ty = *self.random.pick(&[Type::Func, Type::Extern]);
                operand(self, ty);
                self.op(0xd1);
            }
            _ => {
                operand(self, Type::I32);
                operand(self, Type::I32);
                let op = 0x46 + self.random.below(10) as u8;
                self.op(op);
                if self.random.one_in(4) {
                    self.op(0x45);
                }
            }
        }
    }
}
