//! Memories and tables.

use wasm_encoder::Encode;

use super::body::Body;
use super::env::TABLE;
use crate::value::Type;

const I32_LOADS: [(u8, u32); 5] = [(0x28, 2), (0x2c, 0), (0x2d, 0), (0x2e, 1), (0x2f, 1)];
const I64_LOADS: [(u8, u32); 7] = [(0x29, 3), (0x30, 0), (0x31, 0), (0x32, 1), (0x33, 1), (0x34, 2), (0x35, 2)];
const I32_STORES: [(u8, u32); 3] = [(0x36, 2), (0x3a, 0), (0x3b, 1)];
const I64_STORES: [(u8, u32); 4] = [(0x37, 3), (0x3c, 0), (0x3d, 1), (0x3e, 2)];

impl Body<'_> {
    /// Pushes a value from a memory, or a substitute if there is none.
    pub fn load(&mut self, ty: Type, depth: u32) {
        let Some(memory) = self.memory() else { return self.leaf(ty) };
        if ty == Type::I32 && !self.env.memories[memory].is_64 || ty == Type::I64 && self.env.memories[memory].is_64 {
            match self.random.below(12) {
                0 => {
                    self.op(0x3f);
                    return self.index(memory as u32);
                }
                1 => {
                    let index = self.env.memories[memory].is_64;
                    self.number(index, 2);
                    self.op(0x40);
                    return self.index(memory as u32);
                }
                _ => {}
            }
        }
        let (op, align) = match ty {
            Type::I32 => *self.random.pick(&I32_LOADS),
            Type::I64 => *self.random.pick(&I64_LOADS),
            Type::F32 => (0x2a, 2),
            Type::F64 => (0x2b, 3),
            Type::V128 => {
                self.address(memory, depth);
                self.op(0xfd);
                let (op, align) = *self.random.pick(&[
                    (0, 4),
                    (1, 3),
                    (2, 3),
                    (4, 3),
                    (7, 0),
                    (8, 1),
                    (9, 2),
                    (10, 3),
                    (0x5c, 2),
                    (0x5d, 3),
                ]);
                self.index(op);
                return self.place(memory, align);
            }
            Type::Func | Type::Extern => return self.leaf(ty),
        };
        self.address(memory, depth);
        self.op(op);
        self.place(memory, align);
    }

    /// Writes to a memory: a value, or many.
    pub fn store(&mut self, depth: u32) {
        let Some(memory) = self.memory() else { return };
        let is_64 = self.env.memories[memory].is_64;
        if self.random.one_in(8) {
            return self.bulk(memory, is_64, depth);
        }
        let ty = *self.random.pick(&[Type::I32, Type::I32, Type::I64, Type::F32, Type::F64, Type::V128]);
        let address = if is_64 { Type::I64 } else { Type::I32 };
        if ty == address && self.random.one_in(8) && self.store_to_itself(memory, ty) {
            return;
        }
        self.address(memory, depth);
        if ty == Type::I32 && self.random.one_in(3) {
            self.condition(depth.min(2));
        } else {
            self.value(ty, depth);
        }
        let (op, align) = match ty {
            Type::I32 => *self.random.pick(&I32_STORES),
            Type::I64 => *self.random.pick(&I64_STORES),
            Type::F32 => (0x38, 2),
            Type::F64 => (0x39, 3),
            _ => {
                self.bytes(&[0xfd, 11]);
                return self.place(memory, 4);
            }
        };
        self.op(op);
        self.place(memory, align);
    }

    /// Stores a local at the address that it holds.
    fn store_to_itself(&mut self, memory: usize, ty: Type) -> bool {
        let Some(local) = self.local(ty) else { return false };
        if self.random.one_in(2) {
            self.value(ty, 2);
            self.op(0x21);
            self.index(local);
        }
        for _ in 0..2 {
            self.op(0x20);
            self.index(local);
        }
        let (op, align) = if ty == Type::I32 { *self.random.pick(&I32_STORES) } else { *self.random.pick(&I64_STORES) };
        self.op(op);
        self.place(memory, align);
        true
    }

    fn bulk(&mut self, memory: usize, is_64: bool, depth: u32) {
        match self.random.below(4) {
            0 if self.env.data > 0 => {
                let segment = self.random.below(self.env.data);
                if self.random.one_in(6) {
                    self.bytes(&[0xfc, 9]);
                    return self.index(segment);
                }
                self.address(memory, depth);
                self.number(false, 8);
                self.number(false, 20);
                self.bytes(&[0xfc, 8]);
                self.index(segment);
                self.index(memory as u32);
            }
            1 => {
                let other = self.memory().unwrap_or(memory);
                let other_is_64 = self.env.memories[other].is_64;
                self.address(memory, depth);
                self.address(other, depth);
                self.number(is_64 && other_is_64, 300);
                self.bytes(&[0xfc, 10]);
                self.index(memory as u32);
                self.index(other as u32);
            }
            _ => {
                self.address(memory, depth);
                self.value(Type::I32, depth.min(1));
                self.number(is_64, 300);
                self.bytes(&[0xfc, 11]);
                self.index(memory as u32);
            }
        }
    }

    fn memory(&mut self) -> Option<usize> {
        let count = self.env.memories.len() as u32;
        (count > 0).then(|| self.random.below(count) as usize)
    }

    /// Pushes a number below `n`, mostly a constant.
    fn number(&mut self, is_64: bool, n: u32) {
        let number = self.random.below(n);
        let by_local = self.random.one_in(4);
        match (is_64, by_local) {
            (true, false) => self.i64(i64::from(number)),
            (false, false) => self.i32(number as i32),
            (true, true) => {
                self.leaf(Type::I64);
                self.bytes(&[0x42, 0x1f, 0x83]);
            }
            (false, true) => {
                self.leaf(Type::I32);
                self.bytes(&[0x41, 0x1f, 0x71]);
            }
        }
    }

    /// Pushes an address, most of them within the memory.
    fn address(&mut self, memory: usize, depth: u32) {
        let is_64 = self.env.memories[memory].is_64;
        let ty = if is_64 { Type::I64 } else { Type::I32 };
        let masked = |body: &mut Self| {
            if is_64 {
                body.i64(0x3ff);
                body.op(0x83);
            } else {
                body.i32(0x3ff);
                body.op(0x71);
            }
        };
        let add = |body: &mut Self| body.op(if is_64 { 0x7c } else { 0x6a });
        match self.random.below(8) {
            0 => self.leaf(ty),
            1 | 2 => {
                let at = self.random.below(2000);
                if is_64 { self.i64(i64::from(at)) } else { self.i32(at as i32) }
            }
            3 | 4 => {
                self.leaf(ty);
                if !self.random.one_in(4) {
                    masked(self);
                }
                let more = self.random.below(500);
                if is_64 {
                    self.i64(i64::from(more))
                } else {
                    self.i32(more as i32)
                }
                add(self);
            }
            5 => {
                self.leaf(ty);
                masked(self);
                self.leaf(ty);
                masked(self);
                add(self);
            }
            _ => {
                self.value(ty, depth.min(2));
                masked(self);
            }
        }
    }

    fn place(&mut self, memory: usize, align: u32) {
        let align = self.random.below(align + 1);
        let offset = match self.random.below(12) {
            0..=3 => 0,
            4..=8 => u64::from(self.random.below(300)),
            9 => 65_520 + u64::from(self.random.below(40)),
            10 => u64::from(u32::MAX) - u64::from(self.random.below(10)),
            _ if self.env.memories[memory].is_64 => u64::MAX - u64::from(self.random.below(10)),
            _ => 1,
        };
        if memory == 0 {
            self.index(align);
        } else {
            self.index(align | 0x40);
            self.index(memory as u32);
        }
        offset.encode(&mut self.out);
    }

    /// Pushes a value that depends on a table.
    pub fn of_table(&mut self, ty: Type, depth: u32) {
        let fit: Vec<_> = (0..self.env.tables.len())
            .filter(|table| {
                let (element, limits) = &self.env.tables[*table];
                *element == ty || ty == if limits.is_64 { Type::I64 } else { Type::I32 }
            })
            .collect();
        if fit.is_empty() {
            return self.leaf(ty);
        }
        let table = *self.random.pick(&fit);
        let (element, is_64) = (self.env.tables[table].0, self.env.tables[table].1.is_64);
        if element == ty {
            self.number(is_64, TABLE as u32 + 2);
            self.op(0x25);
        } else if self.random.one_in(2) {
            self.bytes(&[0xfc, 16]);
        } else {
            self.value(element, depth.min(1));
            self.number(is_64, 3);
            self.bytes(&[0xfc, 15]);
        }
        self.index(table as u32);
    }

    pub fn table_effect(&mut self, depth: u32) {
        let count = self.env.tables.len() as u32;
        if count == 0 {
            return;
        }
        let table = self.random.below(count);
        let (element, is_64) = (self.env.tables[table as usize].0, self.env.tables[table as usize].1.is_64);
        let top = TABLE as u32 + 1;
        match self.random.below(6) {
            0 => {
                self.number(is_64, top);
                self.value(element, depth);
                self.number(is_64, 4);
                self.bytes(&[0xfc, 17]);
            }
            1 if element == Type::Func => {
                let segment = self.env.segment(self.random);
                if self.random.one_in(6) {
                    self.bytes(&[0xfc, 13]);
                    return self.index(segment);
                }
                self.number(is_64, top);
                self.number(false, 8);
                self.number(false, 4);
                self.bytes(&[0xfc, 12]);
                self.index(segment);
            }
            2 => {
                let other = (0..count).rev().find(|other| self.env.tables[*other as usize].0 == element);
                let other = other.unwrap_or(table);
                let other_is_64 = self.env.tables[other as usize].1.is_64;
                self.number(is_64, top);
                self.number(other_is_64, top);
                self.number(is_64 && other_is_64, 4);
                self.bytes(&[0xfc, 14]);
                self.index(table);
                return self.index(other);
            }
            _ => {
                self.number(is_64, top);
                self.value(element, depth);
                self.op(0x26);
            }
        }
        self.index(table);
    }
}
