//! Instances of modules that export their state.

mod same;
mod segments;

use wasmi::{
    Engine, Extern, ExternRef, Func, Global, Instance, Memory, MemoryType, Module, Mutability, Nullable, Ref, RefType,
    Store, Table, TableType, TrapCode, Val,
};

use super::*;
use crate::frames::Told;
use crate::limits::Limits;
use crate::module::Compiled;

const FUEL: u64 = 1 << 20;

fn engine() -> Engine {
    Engine::new(&crate::module::config(&Limits::new(), true, Told::Nothing))
}

fn wasm(wat: &str) -> Vec<u8> {
    let bytes = wat::parse_str(wat).unwrap();
    Module::validate(&engine(), &bytes).unwrap();
    bytes
}

/// An instance of a module that exports its state.
struct Guest {
    store: Store<()>,
    instance: Instance,
    layout: Layout,
}

impl Guest {
    fn new(wat: &str) -> Self {
        Self::importing(wat, |_| Vec::new())
    }

    fn importing(wat: &str, externs: impl FnOnce(&mut Store<()>) -> Vec<Extern>) -> Self {
        let Exposed { bytes, layout } = expose(&wasm(wat)).unwrap();
        let engine = engine();
        let module = Module::new(&engine, &bytes).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_fuel(FUEL).unwrap();
        let externs = externs(&mut store);
        let instance = Instance::new(&mut store, &module, &externs).unwrap();
        Self { store, instance, layout }
    }

    fn memory(&self, index: u32) -> Memory {
        self.instance.get_memory(&self.store, &self.layout.memory(index)).unwrap()
    }

    fn table(&self, index: u32) -> Table {
        self.instance.get_table(&self.store, &self.layout.table(index)).unwrap()
    }

    fn global(&self, index: u32) -> Global {
        self.instance.get_global(&self.store, &self.layout.global(index)).unwrap()
    }

    fn function(&self, name: &str) -> Func {
        self.instance.get_func(&self.store, name).unwrap_or_else(|| panic!("no function {name:?}"))
    }

    /// Calls a function without parameters. Returns its result, or why it trapped.
    fn call(&mut self, name: &str) -> Result<Option<i32>, Option<TrapCode>> {
        let function = self.function(name);
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        let outcome = function.call(&mut self.store, &[], &mut results);
        outcome.map(|()| results.first().and_then(Val::i32)).map_err(|error| error.as_trap_code())
    }

    fn number(&mut self, name: &str) -> i32 {
        self.call(name).unwrap().unwrap()
    }
}

fn names(bytes: &[u8]) -> Vec<String> {
    let module = Module::new(&engine(), bytes).unwrap();
    module.exports().map(|export| export.name().to_owned()).collect()
}

#[test]
fn the_start_function_runs_when_the_host_calls_it() {
    let mut guest = Guest::new(
        r#"(module (global $g (mut i32) (i32.const 1)) (start $s)
            (func $s (global.set $g (i32.const 2))) (func (export "g") (result i32) (global.get $g)))"#,
    );
    assert_eq!(guest.number("g"), 1);
    let start = guest.layout.start().unwrap();
    guest.call(&start).unwrap();
    assert_eq!(guest.number("g"), 2);
    assert_eq!(guest.layout.functions, [1], "no reference can be made of the start function");
    assert_eq!(Guest::new("(module (func))").layout.start(), None);
}

#[test]
fn an_imported_start_function_is_exported() {
    let host = |store: &mut Store<()>| {
        let trap = || wasmi::Error::from(TrapCode::UnreachableCodeReached);
        vec![Func::wrap(store, move || -> Result<(), wasmi::Error> { Err(trap()) }).into()]
    };
    let mut guest = Guest::importing(r#"(module (import "h" "f" (func $f)) (start $f))"#, host);
    let start = guest.layout.start().unwrap();
    assert_eq!(guest.call(&start), Err(Some(TrapCode::UnreachableCodeReached)));
}

#[test]
fn what_a_module_does_not_export_is_readable_and_writable() {
    let mut guest = Guest::new(
        r#"(module (memory 1) (memory i64 1) (table 2 funcref) (table i64 3 externref) (table 1 funcref)
            (global (mut i32) (i32.const 7)) (global i64 (i64.const 8)) (global (mut externref) (ref.null extern))
            (func (export "f") (result i32)
                (i32.add (global.get 0) (i32.add (i32.load8_u 0 (i32.const 3)) (i32.load8_u 1 (i64.const 4)))))
            (func (export "call") (result i32) (call_indirect (result i32) (i32.const 1))))"#,
    );
    let layout = guest.layout.clone();
    assert_eq!((layout.memories.indices(), layout.tables.indices(), layout.globals.indices()), (0..2, 0..3, 0..3));
    assert_eq!(layout.mutable_globals, [0, 2]);
    assert!(!layout.memories.is_imported(0) && !layout.tables.is_imported(0) && !layout.globals.is_imported(0));
    guest.memory(0).write(&mut guest.store, 3, &[20]).unwrap();
    guest.memory(1).write(&mut guest.store, 4, &[100]).unwrap();
    guest.global(0).set(&mut guest.store, Val::I32(1)).unwrap();
    assert_eq!(guest.number("f"), 121);
    assert!(matches!(guest.global(1).get(&guest.store), Val::I64(8)));
    assert_eq!(guest.table(1).size(&guest.store), 3);
    assert_eq!(guest.call("call"), Err(Some(TrapCode::IndirectCallToNull)));
    let function = guest.function(&layout.function(0));
    guest.table(0).set(&mut guest.store, 1, Ref::Func(Nullable::Val(function))).unwrap();
    assert_eq!(guest.number("call"), 121);
}

#[test]
fn imported_things_are_exported_and_come_first() {
    let mut given = Vec::new();
    let guest = Guest::importing(
        r#"(module (import "h" "f" (func $f)) (import "h" "m" (memory 1)) (import "h" "t" (table 1 externref))
            (import "h" "g" (global (mut i32))) (import "h" "c" (global i32))
            (memory 2) (table 2 funcref) (global (mut i64) (i64.const 5)) (elem declare func $f))"#,
        |store| {
            let memory = Memory::new(&mut *store, MemoryType::new(1, None)).unwrap();
            memory.write(&mut *store, 0, b"given").unwrap();
            let table = TableType::new(RefType::Extern, 1, None);
            let reference = ExternRef::new(&mut *store, 42i32);
            let table = Table::new(&mut *store, table, Ref::Extern(Nullable::Val(reference))).unwrap();
            let global = Global::new(&mut *store, Val::I32(3), Mutability::Var);
            let constant = Global::new(&mut *store, Val::I32(4), Mutability::Const);
            // As wasmi orders them: by kind.
            given = vec![
                Func::wrap(&mut *store, || {}).into(),
                table.into(),
                memory.into(),
                global.into(),
                Extern::from(constant),
            ];
            given.clone()
        },
    );
    let Layout { memories, tables, globals, .. } = guest.layout;
    assert_eq!((memories.indices(), tables.indices(), globals.indices()), (0..2, 0..2, 0..3));
    assert_eq!([0, 1].map(|index| memories.is_imported(index)), [true, false]);
    assert_eq!([0, 1].map(|index| tables.is_imported(index)), [true, false]);
    assert_eq!([0, 1, 2].map(|index| globals.is_imported(index)), [true, true, false]);
    assert_eq!(guest.layout.mutable_globals, [0, 2]);
    assert_eq!(guest.layout.functions, [0]);
    assert_eq!(guest.memory(0).data(&guest.store)[..5], *b"given");
    assert_eq!((guest.memory(1).size(&guest.store), guest.table(1).size(&guest.store)), (2, 2));
    let Some(Ref::Extern(Nullable::Val(reference))) = guest.table(0).get(&guest.store, 0) else { panic!() };
    assert_eq!(reference.data(&guest.store).downcast_ref(), Some(&42i32));
    let mut store = guest.store;
    given[3].into_global().unwrap().set(&mut store, Val::I32(30)).unwrap();
    let global = guest.instance.get_global(&store, &guest.layout.global(0)).unwrap();
    assert_eq!(global.get(&store).i32(), Some(30));
}

#[test]
fn each_function_that_a_reference_can_be_made_of_is_exported() {
    let mut guest = Guest::importing(
        r#"(module (import "h" "a" (func)) (import "h" "b" (func)) (table 8 funcref)
            (func $none (result i32) (i32.const 2)) (func $exported (export "e") (result i32) (i32.const 3))
            (func $active (result i32) (i32.const 4)) (func $passive (result i32) (i32.const 5))
            (func $declared (result i32) (i32.const 6)) (func $expression (result i32) (i32.const 7))
            (func $global (result i32) (i32.const 8)) (func (result i32) (i32.const 9))
            (global funcref (ref.func $global)) (elem (i32.const 0) $active) (elem func $passive)
            (elem declare func $declared) (elem funcref (ref.null func) (ref.func $expression) (ref.func 1)))"#,
        |store| vec![Func::wrap(&mut *store, || {}).into(), Func::wrap(&mut *store, || {}).into()],
    );
    assert_eq!(guest.layout.functions, [1, 3, 4, 5, 6, 7, 8]);
    for index in [3, 4, 5, 6, 7, 8] {
        let name = guest.layout.function(index);
        assert_eq!(guest.number(&name), index.cast_signed());
    }
}

#[test]
fn private_names_are_those_that_no_export_begins_with() {
    let wat =
        r#"(module (memory (export "memory") (export "\01\30:m0") (export "\01\32:") 1) (func (export "\01\31")))"#;
    let Exposed { bytes, layout } = expose(&wasm(wat)).unwrap();
    assert_eq!(layout.prefix, "\u{1}1:");
    let names = names(&bytes);
    let (private, public): (Vec<_>, Vec<_>) =
        names.iter().map(String::as_str).partition(|name| layout.is_private(name));
    assert_eq!(private, ["\u{1}1:f0", "\u{1}1:m0"]);
    assert_eq!(public, ["\u{1}0:m0", "\u{1}1", "\u{1}2:", "memory"]);
}

#[test]
fn no_names_make_the_prefix_long_or_slow_to_find() {
    let exports: String = (0..50_000).map(|number| format!("(export \"\\01{number}:\" (func 0))")).collect();
    let Exposed { bytes, layout } = expose(&wasm(&format!("(module (func) {exports})"))).unwrap();
    assert_eq!(layout.prefix, "\u{1}50000:");
    Module::validate(&engine(), &bytes).unwrap();
    let long = "\\01".repeat(99_999);
    let Exposed { bytes, layout } = expose(&wasm(&format!("(module (func (export \"{long}\")))"))).unwrap();
    assert_eq!(layout.prefix, "\u{1}0:");
    Module::validate(&engine(), &bytes).unwrap();
}

#[test]
fn an_exposed_module_can_be_exposed() {
    let wat = r#"(module (memory 1) (data "data") (start 0) (func (data.drop 0)) (table 1 funcref) (elem func 0))"#;
    let once = expose(&wasm(wat)).unwrap();
    let twice = expose(&once.bytes).unwrap();
    Module::validate(&engine(), &twice.bytes).unwrap();
    assert_eq!((once.layout.prefix.as_str(), twice.layout.prefix.as_str()), ("\u{1}0:", "\u{1}1:"));
    assert_eq!((once.layout.start().is_some(), twice.layout.start()), (true, None));
    // The start function, a probe and a drop of each segment.
    assert_eq!((once.layout.functions, twice.layout.functions), (vec![0], vec![0, 1, 2, 3, 4]));
    assert_eq!(once.layout.segments, twice.layout.segments);
}

#[test]
fn an_exposed_module_can_keep_frames_and_report_on_functions() {
    let wat = r#"(module (import "h" "g" (global (mut i32))) (global (mut i32) (i32.const 1)) (memory 1) (data "data")
        (start 0) (func (data.drop 0)) (table 1 funcref) (elem func 0))"#;
    let Exposed { bytes, layout } = expose(&wasm(wat)).unwrap();
    let (plain, hash) = (names(&bytes), crate::module::hash(&bytes));
    for (told, more) in [(Told::Frames, crate::frames::SLOTS), (Told::Fuel, crate::profile::TOLD)] {
        let engine = Engine::new(&crate::module::config(&Limits::new(), true, told));
        let compiled = Compiled::new(&engine, &Binary::parse(&bytes), hash, 0, &Limits::new(), told).unwrap();
        assert!(compiled.module.get_export(more).is_some());
        assert!(plain.iter().all(|name| compiled.module.get_export(name).is_some()));
        assert!(compiled.module.get_export(&layout.drop(Segment::Data(0))).is_some());
    }
}

#[test]
fn a_module_that_cannot_be_read_is_an_error() {
    let bytes = wasm(r#"(module (memory 1) (data "data") (func (data.drop 0)) (table 1 funcref) (elem func 0))"#);
    for length in 0..bytes.len() {
        if let Err(error) = expose(&bytes[..length]) {
            assert_eq!(error.kind(), ErrorKind::Module);
        }
    }
    for at in 0..bytes.len() {
        for value in 0..=u8::MAX {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            // It does not panic. What it makes of an invalid module does not matter.
            drop(expose(&bytes));
        }
    }
    assert!(expose(b"").is_err() && expose(&bytes[..20]).is_err());
}
