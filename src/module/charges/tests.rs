//! Random functions compute the same with new charges, and pay for what they run.

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType,
    InstructionSink, MemArg, MemArgTarget, MemorySection, MemoryType, Module, TypeSection, ValType,
};
use wasmi::{Engine, Instance, Store, Val};

use super::*;
use crate::module::repair::repair;

const LOCALS: u64 = 5;
const BUDGET: i32 = 300;
const MEMARG: MemArg = MemArg { offset: 0, align: 2, target: MemArgTarget::Memory(0), ordering: None };

/// A generator of random functions, using a linear congruential generator.
struct Random {
    state: u64,
    code: Vec<u8>,
    /// The number of results that a branch to each open block takes.
    labels: Vec<u32>,
    left: u32,
}

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % bound
    }

    fn sink(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.code)
    }

    fn local(&mut self) -> u32 {
        self.below(LOCALS) as u32
    }

    fn value(&mut self, depth: u32) {
        match self.below(if depth == 0 { 2 } else { 6 }) {
            0 => {
                let number = self.below(9) as i32;
                self.sink().i32_const(number);
            }
            1 => {
                let local = self.local();
                self.sink().local_get(local);
            }
            2 => {
                self.value(depth - 1);
                self.sink().i32_const(0xfc).i32_and().i32_load(MEMARG);
            }
            3 => {
                self.value(depth - 1);
                self.sink().i32_eqz();
            }
            4 => {
                // A block that results in a value, with that of another below it.
                self.value(depth - 1);
                self.block(1, depth - 1);
                self.sink().i32_sub();
            }
            _ => {
                self.value(depth - 1);
                self.value(depth - 1);
                self.sink().i32_xor();
            }
        }
    }

    /// Generates a block, loop or `if` with this many results.
    fn block(&mut self, results: u32, depth: u32) {
        let ty = match results {
            0 => BlockType::Empty,
            1 => BlockType::Result(ValType::I32),
            _ => BlockType::FunctionType(1),
        };
        match self.below(3) {
            0 => {
                self.sink().block(ty);
                self.labels.push(results);
                self.sequence(results, depth);
            }
            1 => {
                self.sink().loop_(ty);
                self.labels.push(0);
                self.sink().global_get(0).i32_const(1).i32_sub().global_set(0);
                self.sink().global_get(0).i32_eqz().if_(BlockType::Empty).unreachable().end();
                self.sequence(results, depth);
            }
            _ => {
                self.value(1);
                self.sink().if_(ty);
                self.labels.push(results);
                self.sequence(results, depth);
                self.sink().else_();
                self.sequence(results, depth);
            }
        }
        self.labels.pop();
        self.sink().end();
    }

    /// Generates instructions that leave this many results, or leave the block.
    fn sequence(&mut self, results: u32, depth: u32) {
        for _ in 0..self.below(6) {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            let target = self.below(self.labels.len() as u64) as usize;
            let taken = self.labels[self.labels.len() - 1 - target];
            match self.below(10) {
                0..3 => {
                    self.value(2);
                    let local = self.local();
                    self.sink().local_set(local);
                }
                3 => {
                    self.sink().i32_const(0);
                    self.value(2);
                    self.sink().i32_store(MEMARG);
                }
                4 | 5 if depth > 0 => {
                    let results = self.below(3) as u32;
                    self.block(results, depth - 1);
                    self.drop(results);
                }
                6 | 7 => {
                    (0..taken).for_each(|_| self.value(1));
                    self.value(1);
                    self.sink().br_if(target as u32);
                    self.drop(taken);
                }
                8 => {
                    let count = self.labels.len() as u32;
                    let same: Vec<u32> =
                        (0..count).filter(|depth| self.labels[(count - 1 - depth) as usize] == taken).collect();
                    (0..taken).for_each(|_| self.value(1));
                    self.value(1);
                    self.sink().br_table(same, target as u32);
                    return;
                }
                9 if self.below(3) == 0 => {
                    (0..taken).for_each(|_| self.value(1));
                    self.sink().br(target as u32);
                    return;
                }
                _ => {}
            }
        }
        (0..results).for_each(|_| self.value(1));
    }

    fn drop(&mut self, count: u32) {
        for _ in 0..count {
            let local = self.local();
            self.sink().local_set(local);
        }
    }
}

/// Generates a module with a function `f` of two parameters, a memory, and a number of rounds after which it traps.
pub(crate) fn random(seed: u64) -> Vec<u8> {
    let mut random = Random { state: seed, code: Vec::new(), labels: vec![1], left: 40 };
    random.sequence(1, 4);
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32, ValType::I32], [ValType::I32]);
    types.ty().function([], [ValType::I32, ValType::I32]);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut globals = GlobalSection::new();
    let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
    globals.global(ty, &ConstExpr::i32_const(BUDGET));
    let mut exports = ExportSection::new();
    exports.export("f", ExportKind::Func, 0).export("m", ExportKind::Memory, 0).export("g", ExportKind::Global, 0);
    let mut function = Function::new([(LOCALS as u32 - 2, ValType::I32)]);
    function.raw(random.code);
    function.instructions().end();
    let mut code = CodeSection::new();
    code.function(&function);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&memories).section(&globals).section(&exports).section(&code);
    module.finish()
}

fn engine() -> Engine {
    Engine::new(wasmi::Config::default().consume_fuel(true))
}

/// Returns what a call of `f` leaves behind: its result or trap, the memory, the rounds left, and the fuel that it used.
fn run(engine: &Engine, bytes: &[u8]) -> (String, u64) {
    let module = wasmi::Module::new(engine, bytes).unwrap();
    let mut store = Store::new(engine, ());
    store.set_fuel(u64::MAX).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let mut result = [Val::I32(0)];
    let called = instance.get_func(&store, "f").unwrap().call(&mut store, &[Val::I32(3), Val::I32(200)], &mut result);
    let memory = instance.get_memory(&store, "m").unwrap().data(&store)[..256].to_vec();
    let global = instance.get_global(&store, "g").unwrap().get(&store);
    let outcome = called.map(|()| result).map_err(|error| error.to_string());
    (format!("{outcome:?} {memory:?} {global:?}"), u64::MAX - store.get_fuel().unwrap())
}

#[test]
fn results_stay_and_fuel_gets_less() {
    let engine = engine();
    let (mut split_count, mut returned, mut before, mut after) = (0, 0, 0, 0);
    for seed in 0..3_000 {
        let bytes = random(seed);
        let repaired = repair(&engine, &Binary::parse(&bytes)).unwrap();
        let binary = Binary::parse(&repaired.bytes);
        let (expected, fuel) = run(&engine, &repaired.bytes);
        returned += u32::from(expected.starts_with("Ok"));
        for short in [0, 4, SHORT] {
            let Some(split) = split(&binary, &BTreeSet::from([0]), short) else { continue };
            let (outcome, split_fuel) = run(&engine, &split);
            assert_eq!(outcome, expected, "seed {seed}, short {short}");
            if short == 0 {
                (split_count, before, after) = (split_count + 1, before + fuel, after + split_fuel);
            }
        }
    }
    assert!(split_count > 500 && returned > 500, "{split_count} split, {returned} returned");
    assert!(after < before, "{after} of {before}");
}

/// An invalid module does not become valid.
#[test]
fn an_invalid_function_does_not_become_valid() {
    let engine = engine();
    let mut split_count = 0;
    for seed in 0..3_000u64 {
        let mut bytes = random(seed);
        let mut choice = Random { state: seed, code: Vec::new(), labels: Vec::new(), left: 0 };
        let at = bytes.len() - 1 - choice.below(40.min(bytes.len() as u64 - 60)) as usize;
        bytes[at] = choice.below(256) as u8;
        if wasmi::Module::validate(&engine, &bytes).is_ok() {
            continue;
        }
        if let Some(split) = split(&Binary::parse(&bytes), &BTreeSet::from([0]), 0) {
            split_count += 1;
            assert!(wasmi::Module::validate(&engine, &split).is_err(), "seed {seed}");
        }
    }
    assert!(split_count > 100, "{split_count} split");
}
