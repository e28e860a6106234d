//! Generates small modules, full of what an interpreter's compiler treats specially.
//!
//! A function is written front to back as a walk over the operand stack. What was pushed below a block stays there
//! while the block changes the locals that it came from; conditions have every form; branches go to blocks and loops
//! with parameters; host and guest call each other.

mod body;
mod calls;
mod condition;
mod control;
mod effect;
mod env;
mod operators;
mod storage;

use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, FunctionSection, GlobalSection, GlobalType, HeapType, ImportSection, MemorySection, MemoryType,
    Module, RefType, TableSection, TableType, TypeSection, ValType,
};

use self::body::Body;
use self::env::Env;
use crate::interface::Limits;
use crate::plan::{FUEL, FUEL_EXPORT};
use crate::random::Random;
use crate::value::{self, Type};

/// Makes a module.
pub fn module(random: &mut Random) -> Vec<u8> {
    let mut env = Env::random(random);
    let mut code = CodeSection::new();
    for index in env.imports..env.funcs.len() {
        code.function(&Body::write(&mut env, random, index as u32));
    }
    let mut module = Module::new();
    module.section(&types(&env));
    module.section(&imports(&env));
    let mut functions = FunctionSection::new();
    env.funcs[env.imports..].iter().for_each(|ty| _ = functions.function(*ty));
    module.section(&functions);
    let mut tables = TableSection::new();
    env.tables
        .iter()
        .skip(env.imported_tables)
        .for_each(|(element, limits)| _ = tables.table(table_type(*element, limits)));
    module.section(&tables);
    let mut memories = MemorySection::new();
    env.memories.iter().skip(env.imported_memories).for_each(|limits| _ = memories.memory(memory_type(limits)));
    module.section(&memories);
    module.section(&globals(&env, random));
    module.section(&exports(&env));
    module.section(&elements(&env, random));
    module.section(&DataCountSection { count: env.data });
    module.section(&code);
    let mut data = DataSection::new();
    for _ in 0..env.data {
        let bytes = random.bytes(24);
        match env.memories.first() {
            Some(limits) if env.place.is_none() && random.one_in(3) => {
                let at = if random.one_in(8) { (1 << 20) + 3 } else { i64::from(random.below(100)) };
                let offset = if limits.is_64 { ConstExpr::i64_const(at) } else { ConstExpr::i32_const(at as i32) };
                data.active(0, &offset, bytes);
            }
            _ => _ = data.passive(bytes),
        }
    }
    module.section(&data);
    module.finish()
}

fn types(env: &Env) -> TypeSection {
    let mut types = TypeSection::new();
    for ty in &env.types {
        types.ty().function(ty.params.iter().map(|ty| val_type(*ty)), ty.results.iter().map(|ty| val_type(*ty)));
    }
    types
}

fn imports(env: &Env) -> ImportSection {
    let mut imports = ImportSection::new();
    for (ty, name) in env.funcs.iter().take(env.imports).zip(&env.names) {
        imports.import("host", name, EntityType::Function(*ty));
    }
    for (limits, name) in env.memories.iter().take(env.imported_memories).zip(env.names.iter().skip(env.imports)) {
        imports.import("host", name, memory_type(limits));
    }
    let names = env.names.iter().skip(env.imports + env.imported_memories);
    for ((element, limits), name) in env.tables.iter().take(env.imported_tables).zip(names) {
        imports.import("host", name, table_type(*element, limits));
    }
    if let Some(name) = &env.place {
        imports.import("host", name, GlobalType { val_type: ValType::I32, mutable: false, shared: false });
    }
    imports
}

fn globals(env: &Env, random: &mut Random) -> GlobalSection {
    let mut globals = GlobalSection::new();
    for (index, ty) in env.globals.iter().enumerate() {
        let initial = match ty {
            _ if index == 0 => ConstExpr::i32_const(FUEL as i32),
            Type::I32 => ConstExpr::i32_const(value::i32_bits(random) as i32),
            Type::I64 => ConstExpr::i64_const(value::i64_bits(random) as i64),
            Type::F32 => ConstExpr::f32_const(f32::from_bits(value::f32_bits(random)).into()),
            Type::F64 => ConstExpr::f64_const(f64::from_bits(value::f64_bits(random)).into()),
            Type::V128 => ConstExpr::v128_const(i128::from(random.bits())),
            Type::Func => ConstExpr::ref_null(HeapType::FUNC),
            Type::Extern => ConstExpr::ref_null(HeapType::EXTERN),
        };
        globals.global(GlobalType { val_type: val_type(*ty), mutable: true, shared: false }, &initial);
    }
    if env.place.is_some() {
        let ty = GlobalType { val_type: ValType::I32, mutable: false, shared: false };
        globals.global(ty, &ConstExpr::i32_const(env::FAR));
    }
    globals
}

fn exports(env: &Env) -> ExportSection {
    let mut exports = ExportSection::new();
    for index in 0..env.funcs.len() as u32 {
        exports.export(&format!("f{index}"), ExportKind::Func, index);
    }
    for index in 0..env.tables.len() as u32 {
        exports.export(&format!("t{index}"), ExportKind::Table, index);
    }
    for index in 0..env.memories.len() as u32 {
        exports.export(&format!("m{index}"), ExportKind::Memory, index);
    }
    for index in 0..env.globals.len() as u32 {
        let name = if index == 0 { FUEL_EXPORT.to_owned() } else { format!("g{index}") };
        exports.export(&name, ExportKind::Global, index + env.first_global());
    }
    if env.place.is_some() {
        exports.export("far", ExportKind::Global, env.globals.len() as u32 + env.first_global());
    }
    exports
}

/// Writes the first table's elements, and passive segments; together they declare all functions for `ref.func`.
fn elements(env: &Env, random: &mut Random) -> ElementSection {
    let mut elements = ElementSection::new();
    let some =
        |random: &mut Random| -> Vec<u32> { (0..env::TABLE).map(|_| random.below(env.funcs.len() as u32)).collect() };
    let (is_64, place) = (env.tables.first().is_some_and(|(_, limits)| limits.is_64), env.place.is_some());
    for index in 0..env.active {
        // Of two segments, the second may not fit.
        let offset = match index {
            1 if place && !is_64 => ConstExpr::global_get(0),
            _ if is_64 => ConstExpr::i64_const(0),
            _ => ConstExpr::i32_const(0),
        };
        elements.active(Some(0), &offset, Elements::Functions(some(random).into()));
    }
    for _ in 0..env.passive {
        elements.passive(Elements::Functions(some(random).into()));
    }
    let all: Vec<_> = (0..env.funcs.len() as u32).collect();
    elements.declared(Elements::Functions(all.into()));
    elements
}

fn memory_type(limits: &Limits) -> MemoryType {
    MemoryType {
        minimum: limits.minimum,
        maximum: limits.maximum,
        memory64: limits.is_64,
        shared: false,
        page_size_log2: None,
    }
}

fn table_type(element: Type, limits: &Limits) -> TableType {
    TableType {
        element_type: if element == Type::Func { RefType::FUNCREF } else { RefType::EXTERNREF },
        table64: limits.is_64,
        minimum: limits.minimum,
        maximum: limits.maximum,
        shared: false,
    }
}

pub fn val_type(ty: Type) -> ValType {
    match ty {
        Type::I32 => ValType::I32,
        Type::I64 => ValType::I64,
        Type::F32 => ValType::F32,
        Type::F64 => ValType::F64,
        Type::V128 => ValType::V128,
        Type::Func => ValType::FUNCREF,
        Type::Extern => ValType::EXTERNREF,
    }
}
