//! The body of a function, and the values in it.

use wasm_encoder::{Encode, Function};

use super::env::Env;
use super::val_type;
use crate::random::Random;
use crate::value::{self, Type};

/// The maximum nesting of expressions and blocks.
const DEPTH: u32 = 6;
/// The approximate number of instructions of a function.
const SIZES: [i32; 7] = [6, 12, 30, 60, 120, 240, 500];

pub struct Body<'a> {
    pub env: &'a mut Env,
    pub random: &'a mut Random,
    pub out: Vec<u8>,
    /// Parameters and locals.
    pub locals: Vec<Type>,
    pub results: Vec<Type>,
    pub labels: Vec<Label>,
    /// The number of instructions that may still be written, before everything becomes short.
    pub budget: i32,
    /// Locals that count the rounds of loops; each belongs to one open loop.
    pub counters: Vec<u32>,
    pub me: u32,
}

/// A target that a branch may go to.
pub struct Label {
    /// The types that a branch carries.
    pub types: Vec<Type>,
    pub back: Back,
}

/// What keeps a branch from running forever.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Back {
    /// It goes forward.
    No,
    /// The loop counts at its head.
    AtHead,
    /// Each branch counts, in the global.
    Global,
    /// Each branch counts, in a local.
    Local(u32),
}

impl<'a> Body<'a> {
    pub fn write(env: &'a mut Env, random: &'a mut Random, me: u32) -> Function {
        let signature = env.signature_of(me).clone();
        let params = signature.params.len();
        let mut locals = signature.params;
        // A function without any has paths of its own through the engine.
        let mut more = *random.pick(&[0, 0, 1, 1, 2, 3, 4, 6, 40]);
        if random.one_in(60) {
            // Slots whose numbers take more bytes.
            more = *random.pick(&[260, 1000, 4200]);
        }
        locals.extend(env.some_types(more, random));
        let counters = random.below(3);
        let first = locals.len() as u32;
        let mut body = Body {
            labels: vec![Label { types: signature.results.clone(), back: Back::No }],
            results: signature.results,
            budget: *random.pick(&SIZES),
            counters: (first..first + counters).collect(),
            out: Vec::new(),
            env,
            random,
            locals,
            me,
        };
        body.whole();
        body.op(0x0b);
        let counted = std::iter::repeat_n(Type::I32, counters as usize);
        let declared = body.locals[params..].iter().copied().chain(counted).map(|ty| (1, val_type(ty)));
        let mut function = Function::new(declared.collect::<Vec<_>>());
        function.raw(body.out);
        function
    }

    fn whole(&mut self) {
        if self.random.one_in(3) {
            self.burn();
        }
        for _ in 0..self.random.below(4) {
            self.effect(DEPTH);
        }
        let results = self.results.clone();
        if self.random.one_in(6) && self.tail_call(DEPTH) {
            return;
        }
        if self.random.one_in(3) {
            // The whole operand stack takes part.
            let count = self.random.within(1, 4);
            let below = self.env.some_types(count, self.random);
            self.values(&below, DEPTH);
            self.transform(below, &results, DEPTH);
        } else {
            self.values(&results, DEPTH);
        }
    }

    /// Counts one step, and traps after too many.
    pub fn burn(&mut self) {
        self.count();
        self.op(0x45);
        self.bytes(&[0x04, 0x40, 0x00, 0x0b]);
    }

    /// Counts one step, and pushes what is left: 0 after too many.
    pub fn count(&mut self) {
        let global = self.env.first_global() as u8;
        // global.get, i32.const 1, i32.sub, global.set, global.get
        self.bytes(&[0x23, global, 0x41, 1, 0x6b, 0x24, global, 0x23, global]);
    }

    /// Pushes values, one after the other or with a construct that results in all of them.
    pub fn values(&mut self, types: &[Type], depth: u32) {
        if types.len() > 1 && depth > 0 && self.budget > 0 {
            if self.random.one_in(4) && self.call_for(types, depth - 1) {
                return;
            }
            if self.random.one_in(4) {
                let count = self.random.below(3);
                let params = self.env.some_types(count, self.random);
                self.values(&params, depth - 1);
                self.structure(&params, types, depth - 1);
                return;
            }
            if types == [Type::I64, Type::I64] && self.random.one_in(2) {
                self.wide(depth - 1);
                return;
            }
        }
        for ty in types {
            self.value(*ty, depth);
        }
    }

    /// Pushes a value.
    pub fn value(&mut self, ty: Type, depth: u32) {
        self.budget -= 1;
        if depth == 0 || self.budget < 0 || self.random.one_in(4) {
            return self.leaf(ty);
        }
        let depth = depth - 1;
        let mood = &self.env.mood;
        let weights = [6, 2, mood.select, mood.blocks, mood.calls, mood.memory, mood.tables, 2, 1];
        match self.random.weighted(&weights) {
            0 => self.operator(ty, depth),
            1 => {
                self.value(ty, depth);
                self.tee(ty);
            }
            2 => self.select(ty, depth),
            3 => {
                let count = *self.random.pick(&[0, 0, 1, 1, 2, 3]);
                let params = self.env.some_types(count, self.random);
                self.values(&params, depth);
                self.structure(&params, &[ty], depth);
            }
            4 if self.call_for(&[ty], depth) => {}
            5 => self.load(ty, depth),
            6 => self.of_table(ty, depth),
            7 => {
                // An effect between an operand and its use.
                self.leaf(ty);
                self.effect(depth);
            }
            8 if self.br_if_with(ty, depth) => {}
            _ => self.leaf(ty),
        }
    }

    /// Pushes a value in a simple way.
    pub fn leaf(&mut self, ty: Type) {
        match self.random.below(8) {
            0..=4 if self.get(0x20, ty) => {}
            5 if self.global(0x23, ty) => {}
            _ => self.constant(ty),
        }
    }

    /// Writes `local.get`, `local.set` or `local.tee` of a local of the type, if there is one.
    pub fn get(&mut self, op: u8, ty: Type) -> bool {
        let Some(local) = self.local(ty) else { return false };
        self.op(op);
        self.index(local);
        true
    }

    /// Returns any local of the type.
    pub fn local(&mut self, ty: Type) -> Option<u32> {
        let all: Vec<_> = (0..self.locals.len() as u32).filter(|local| self.locals[*local as usize] == ty).collect();
        (!all.is_empty()).then(|| *self.random.pick(&all))
    }

    /// Writes `global.get` or `global.set` of a global of the type, if there is one other than the counting one.
    pub fn global(&mut self, op: u8, ty: Type) -> bool {
        let all: Vec<_> = (1..self.env.globals.len()).filter(|global| self.env.globals[*global] == ty).collect();
        if all.is_empty() {
            return false;
        }
        let global = *self.random.pick(&all);
        self.op(op);
        self.index(global as u32 + self.env.first_global());
        true
    }

    pub fn tee(&mut self, ty: Type) {
        self.get(0x22, ty);
    }

    pub fn constant(&mut self, ty: Type) {
        match ty {
            Type::I32 => {
                let bits = value::i32_bits(self.random);
                self.i32(bits as i32);
            }
            Type::I64 => {
                let bits = value::i64_bits(self.random);
                self.i64(bits as i64);
            }
            Type::F32 => {
                let bits = value::f32_bits(self.random);
                self.op(0x43);
                self.bytes(&bits.to_le_bytes());
            }
            Type::F64 => {
                let bits = value::f64_bits(self.random);
                self.op(0x44);
                self.bytes(&bits.to_le_bytes());
            }
            Type::V128 => {
                self.bytes(&[0xfd, 12]);
                let bits = self.random.bytes(16);
                self.bytes(&bits);
            }
            Type::Func if !self.random.one_in(3) => {
                let func = self.random.below(self.env.funcs.len() as u32);
                self.op(0xd2);
                self.index(func);
            }
            Type::Func => self.bytes(&[0xd0, 0x70]),
            Type::Extern => self.bytes(&[0xd0, 0x6f]),
        }
    }

    pub fn op(&mut self, op: u8) {
        self.out.push(op);
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub fn index(&mut self, index: u32) {
        index.encode(&mut self.out);
    }

    pub fn i32(&mut self, value: i32) {
        self.op(0x41);
        value.encode(&mut self.out);
    }

    pub fn i64(&mut self, value: i64) {
        self.op(0x42);
        value.encode(&mut self.out);
    }
}
