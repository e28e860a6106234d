//! Calls: direct and indirect, of the guest and of the host, in tail position and not.

use super::body::Body;
use super::env::TABLE;
use crate::value::Type;

impl Body<'_> {
    /// Calls something that has these results, if there is anything.
    pub fn call_for(&mut self, results: &[Type], depth: u32) -> bool {
        let fit: Vec<_> = (0..self.env.funcs.len() as u32)
            .filter(|func| self.may_call(*func) && self.env.signature_of(*func).results == results)
            .collect();
        if fit.is_empty() {
            return false;
        }
        let func = *self.random.pick(&fit);
        self.call(func, false, depth);
        true
    }

    pub fn call_and_sink(&mut self, depth: u32) {
        let fit: Vec<_> = (0..self.env.funcs.len() as u32).filter(|func| self.may_call(*func)).collect();
        if fit.is_empty() {
            return;
        }
        let func = *self.random.pick(&fit);
        let results = self.env.signature_of(func).results.clone();
        self.call(func, false, depth);
        for ty in results.into_iter().rev() {
            self.sink(ty);
        }
    }

    /// Ends the function with a tail call, if one fits.
    pub fn tail_call(&mut self, depth: u32) -> bool {
        let fit: Vec<_> = (0..self.env.funcs.len() as u32)
            .filter(|func| self.may_call(*func) && self.env.signature_of(*func).results == self.results)
            .collect();
        if fit.is_empty() {
            return false;
        }
        let func = *self.random.pick(&fit);
        self.call(func, true, depth);
        true
    }

    /// The host, later functions, and sometimes any function.
    fn may_call(&self, func: u32) -> bool {
        func > self.me || (func as usize) < self.env.imports || self.me.is_multiple_of(3)
    }

    fn call(&mut self, func: u32, tail: bool, depth: u32) {
        let signature = self.env.signature_of(func).clone();
        let forward = func > self.me || (func as usize) < self.env.imports;
        let tables: Vec<_> =
            (0..self.env.tables.len()).filter(|table| self.env.tables[*table].0 == Type::Func).collect();
        let table = (!tables.is_empty() && self.random.one_in(3)).then(|| *self.random.pick(&tables));
        // Functions that may come back to this one have to count, and so have those that a table leads to.
        if !forward || table.is_some() {
            self.burn();
        }
        self.values(&signature.params, depth);
        let Some(table) = table else {
            self.op(if tail { 0x12 } else { 0x10 });
            self.index(func);
            return;
        };
        // Any element of the table: many of the calls trap.
        let is_64 = self.env.tables[table].1.is_64;
        let entry = self.random.below(TABLE as u32 + 1);
        match self.random.below(3) {
            0 if is_64 => self.i64(i64::from(entry)),
            0 => self.i32(entry as i32),
            _ if is_64 => {
                self.value(Type::I64, depth.min(1));
                self.bytes(&[0x42, 7, 0x83]);
            }
            _ => {
                self.value(Type::I32, depth.min(1));
                self.bytes(&[0x41, 7, 0x71]);
            }
        }
        let ty = self.env.funcs[func as usize];
        self.op(if tail { 0x13 } else { 0x11 });
        self.index(ty);
        self.index(table as u32);
    }
}
