//! Blocks and branches.

use super::body::{Back, Body, Label};
use crate::value::Type;

impl Body<'_> {
    /// Writes a block, a loop or an `if` that turns the `params` on the stack into `results`.
    pub fn structure(&mut self, params: &[Type], results: &[Type], depth: u32) {
        match self.random.below(3) {
            0 => {
                self.open(0x02, params, results);
                self.labels.push(Label { types: results.to_vec(), back: Back::No });
                self.transform(params.to_vec(), results, depth);
            }
            1 => self.loops(params, results, depth),
            _ => {
                self.condition(depth.min(2));
                self.open(0x04, params, results);
                self.labels.push(Label { types: results.to_vec(), back: Back::No });
                self.transform(params.to_vec(), results, depth);
                if params != results || !self.random.one_in(4) {
                    self.op(0x05);
                    self.transform(params.to_vec(), results, depth);
                }
            }
        }
        self.labels.pop();
        self.op(0x0b);
    }

    fn loops(&mut self, params: &[Type], results: &[Type], depth: u32) {
        let back = match (self.random.below(3), self.counters.pop()) {
            (0, counter) => {
                self.counters.extend(counter);
                Back::AtHead
            }
            (1, Some(counter)) => Back::Local(counter),
            (_, counter) => {
                self.counters.extend(counter);
                Back::Global
            }
        };
        if let Back::Local(counter) = back {
            let rounds = self.random.within(1, 9);
            self.i32(rounds as i32);
            self.op(0x21);
            self.index(counter);
        }
        self.open(0x03, params, results);
        if back == Back::AtHead {
            self.burn();
        }
        self.labels.push(Label { types: params.to_vec(), back });
        let mut stack = params.to_vec();
        if !self.random.one_in(3) {
            // The values that remain at the end of a round become the next one's parameters.
            self.transform(stack, params, depth);
            self.guarded(0, depth);
            stack = params.to_vec();
        }
        self.transform(stack, results, depth);
        if let Back::Local(counter) = back {
            self.counters.push(counter);
        }
    }

    fn open(&mut self, op: u8, params: &[Type], results: &[Type]) {
        self.op(op);
        match (params, results) {
            ([], []) => self.op(0x40),
            ([], [one]) if !self.random.one_in(5) => self.op(type_byte(*one)),
            _ => {
                let ty = self.env.type_index(params, results);
                wasm_encoder::Encode::encode(&i64::from(ty), &mut self.out);
            }
        }
    }

    /// Turns one stack into another.
    pub fn transform(&mut self, mut from: Vec<Type>, to: &[Type], depth: u32) {
        loop {
            if self.random.one_in(4) {
                self.effect(depth.min(3));
            }
            if from == to && !self.random.one_in(3) {
                self.early(to, depth);
                return;
            }
            let Some(top) = from.last().copied() else { break };
            let inner = depth.saturating_sub(1);
            match self.random.below(10) {
                0..=4 => {
                    if !self.get(0x21, top) {
                        self.sink(top);
                    }
                    from.pop();
                }
                5 if depth > 0 && self.budget > 0 => {
                    // Proceeds with a block that takes some of them.
                    let taken = self.random.within(1, from.len().min(3) as u32) as usize;
                    let params = from.split_off(from.len() - taken);
                    let count = self.random.below(3);
                    let results = self.env.some_types(count, self.random);
                    self.structure(&params, &results, inner);
                    from.extend(results);
                }
                6 if depth > 0 && self.unary(top) => {}
                7 if top == Type::I32 => {
                    from.pop();
                    if let [.., one, other] = from.as_slice()
                        && one == other
                    {
                        let ty = *one;
                        self.choose(ty);
                        from.pop();
                    } else {
                        // A branch that takes what it needs; what it does not take is made anew.
                        self.bytes(&[0x04, 0x40]);
                        self.labels.push(Label { types: Vec::new(), back: Back::No });
                        self.effect(inner);
                        self.labels.pop();
                        self.op(0x0b);
                    }
                }
                8 if self.random.one_in(2) => self.tee(top),
                _ => {
                    self.sink(top);
                    from.pop();
                }
            }
            if self.budget < -200 {
                break;
            }
        }
        for ty in from.into_iter().rev() {
            self.sink(ty);
        }
        self.values(to, depth.saturating_sub(1));
        self.early(to, depth);
    }

    /// With the label's values on the stack, sometimes leaves by an optional branch; the code after it is then unreachable.
    fn early(&mut self, on_stack: &[Type], depth: u32) {
        if !self.random.one_in(6) {
            return;
        }
        let fit: Vec<_> = (0..self.labels.len()).filter(|label| self.label(*label as u32).types == on_stack).collect();
        if fit.is_empty() {
            return;
        }
        let label = *self.random.pick(&fit) as u32;
        if self.random.one_in(2) {
            self.guarded(label, depth);
            return;
        }
        let free = |body: &Self, label: u32| matches!(body.label(label).back, Back::No | Back::AtHead);
        if !free(self, label) {
            return;
        }
        if self.random.one_in(2) {
            let targets: Vec<_> =
                fit.into_iter().map(|label| label as u32).filter(|label| free(self, *label)).collect();
            self.value(Type::I32, depth.min(2));
            if self.random.one_in(2) {
                self.bytes(&[0x41, 3, 0x71]);
            }
            let count = self.random.below(5);
            self.op(0x0e);
            self.index(count);
            for _ in 0..=count {
                let target = *self.random.pick(&targets);
                self.index(target);
            }
        } else {
            self.op(0x0c);
            self.index(label);
        }
        self.dead(on_stack, depth);
    }

    /// Writes unreachable code, in which the stack holds whatever is needed.
    fn dead(&mut self, results: &[Type], depth: u32) {
        match self.random.below(4) {
            0 => {}
            1 => self.values(results, depth.min(1)),
            2 => {
                let ty = self.env.some_type(self.random);
                self.op(0x1a);
                self.leaf(ty);
                self.op(0x1a);
            }
            _ => {
                self.effect(depth.min(2));
                self.op(0x00);
            }
        }
    }

    fn label(&self, depth: u32) -> &Label {
        &self.labels[self.labels.len() - 1 - depth as usize]
    }

    /// Writes `br_if` with the label's values on the stack, which stay there.
    fn guarded(&mut self, label: u32, depth: u32) {
        match self.label(label).back {
            Back::No | Back::AtHead => self.condition(depth.min(2)),
            Back::Global => {
                self.count();
                match self.random.below(3) {
                    0 => self.bytes(&[0x41, 0, 0x4a]),
                    1 => {
                        self.bytes(&[0x41, 0, 0x4a]);
                        self.condition(depth.min(2));
                        self.bytes(&[0x71]);
                    }
                    _ => self.bytes(&[0x41, 0, 0x4c, 0x45]),
                }
            }
            Back::Local(counter) => {
                self.op(0x20);
                self.index(counter);
                self.bytes(&[0x41, 1, 0x6b, 0x22]);
                self.index(counter);
                match self.random.below(4) {
                    // Not below 0, from where counting down would take long.
                    0 => self.bytes(&[0x41, 0, 0x4a]),
                    1 => self.bytes(&[0x41, 0, 0x4c, 0x45]),
                    2 => {
                        self.bytes(&[0x41, 0, 0x4a, 0x45, 0x45]);
                    }
                    _ => {
                        self.bytes(&[0x41, 0, 0x4a]);
                        self.condition(depth.min(1));
                        self.op(0x71);
                    }
                }
            }
        }
        self.op(0x0d);
        self.index(label);
    }

    /// Writes a branch out of somewhere, in a block of its own so that code continues after it.
    pub fn branch(&mut self, depth: u32) {
        let label = self.random.below(self.labels.len() as u32);
        let types = self.label(label).types.clone();
        if self.random.one_in(3) {
            // To several targets, around a few empty blocks.
            let count = self.random.within(1, 4);
            for _ in 0..count {
                self.bytes(&[0x02, 0x40]);
                self.labels.push(Label { types: Vec::new(), back: Back::No });
            }
            self.value(Type::I32, depth.min(2));
            let targets = if self.random.one_in(60) { 300 } else { self.random.below(6) };
            self.op(0x0e);
            self.index(targets);
            for _ in 0..=targets {
                let target = self.random.below(count);
                self.index(target);
            }
            for _ in 0..count {
                self.op(0x0b);
                self.labels.pop();
                self.effect(depth.min(1));
            }
            return;
        }
        self.values(&types, depth);
        self.guarded(label, depth);
        for ty in types.into_iter().rev() {
            self.sink(ty);
        }
    }

    /// Pushes a value as the last of those that a branch carries, possibly with a branch that carries it.
    pub fn br_if_with(&mut self, ty: Type, depth: u32) -> bool {
        let fit: Vec<_> = (0..self.labels.len() as u32).filter(|label| self.label(*label).types == [ty]).collect();
        if fit.is_empty() {
            return false;
        }
        let label = *self.random.pick(&fit);
        self.value(ty, depth);
        self.guarded(label, depth);
        true
    }

    /// Leaves the function, depending on a condition.
    pub fn leave_if(&mut self, depth: u32) {
        self.condition(depth.min(2));
        self.bytes(&[0x04, 0x40]);
        self.labels.push(Label { types: Vec::new(), back: Back::No });
        match self.random.below(8) {
            0 => self.op(0x00),
            1..=3 if self.tail_call(depth) => {}
            _ => {
                let results = self.results.clone();
                self.values(&results, depth);
                self.op(0x0f);
            }
        }
        if self.random.one_in(3) {
            self.dead(&[], depth);
        }
        self.labels.pop();
        self.op(0x0b);
    }
}

pub fn type_byte(ty: Type) -> u8 {
    match ty {
        Type::I32 => 0x7f,
        Type::I64 => 0x7e,
        Type::F32 => 0x7d,
        Type::F64 => 0x7c,
        Type::V128 => 0x7b,
        Type::Func => 0x70,
        Type::Extern => 0x6f,
    }
}
