//! Effects: code that leaves the operand stack unchanged.

use super::body::Body;
use crate::value::Type;

impl Body<'_> {
    /// Does something that leaves the stack unchanged.
    pub fn effect(&mut self, depth: u32) {
        self.budget -= 1;
        let ty = self.env.some_type(self.random);
        if depth == 0 || self.budget < 0 {
            self.leaf(ty);
            return self.sink(ty);
        }
        let depth = depth - 1;
        let mood = &self.env.mood;
        let weights = [6, mood.memory, mood.calls, mood.blocks, mood.pressure, 2, mood.tables, 1, 1];
        match self.random.weighted(&weights) {
            0 => {
                self.value(ty, depth);
                if !self.get(0x21, ty) {
                    self.sink(ty);
                }
            }
            1 => self.store(depth),
            2 => self.call_and_sink(depth),
            3 => self.structure(&[], &[], depth),
            4 => self.pressure(depth),
            5 => self.branch(depth),
            6 => self.table_effect(depth),
            7 => {
                self.value(ty, depth);
                self.sink(ty);
            }
            _ => self.leave_if(depth),
        }
    }

    /// Takes a value from the stack and stores it where it can be seen, if possible.
    pub fn sink(&mut self, ty: Type) {
        match self.random.below(6) {
            0..=2 if self.global(0x24, ty) => {}
            3..=4 if self.get(0x21, ty) => {}
            _ => {
                if !self.global(0x24, ty) {
                    self.op(0x1a);
                }
            }
        }
    }

    /// Leaves some values on the stack, mostly those of locals, below a block that takes others; the values left are
    /// checked afterwards.
    fn pressure(&mut self, depth: u32) {
        let count = self.random.within(1, 4);
        let mut types = self.env.some_types(count, self.random);
        if self.random.one_in(12) {
            let ty = self.env.some_type(self.random);
            let many = if self.random.one_in(20) { 300 } else { self.random.within(10, 40) };
            types.extend(std::iter::repeat_n(ty, many as usize));
        }
        for ty in &types {
            if self.random.one_in(3) {
                self.value(*ty, depth.min(2));
            } else {
                self.leaf(*ty);
            }
        }
        let taken = self.random.below(types.len().min(4) as u32 + 1) as usize;
        let params = types.split_off(types.len() - taken);
        let count = self.random.below(3);
        let results = self.env.some_types(count, self.random);
        self.structure(&params, &results, depth);
        for ty in types.into_iter().chain(results).rev().collect::<Vec<_>>() {
            self.sink(ty);
        }
    }
}
