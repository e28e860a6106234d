//! An estimate of the memory that a compiled module takes, and so of the work to compile it.
//!
//! wasmi's engine keeps code for as long as it lives, and a module decides how much that is: a branch copies each value
//! that it carries, and a block may take a thousand. So the size is estimated before wasmi sees the module, and counts
//! against the limit `heap`. The estimate is higher than all that was measured, and the same on every target.

use wasmparser::{FunctionBody, Payload, TypeRef};

use super::binary::Binary;
use super::skim::{Skim, code};

/// Bytes for an empty module.
const MODULE: u64 = 4096;
/// Bytes for a function; the smallest takes 170.
const FUNCTION: u64 = 256;
/// Bytes for each byte of the module; large real modules take at most six.
const BYTE: u64 = 8;
/// Bytes for a local. It takes no memory, but time.
const LOCAL: u64 = 8;
/// The maximum number of locals that the validator allows in a function.
const MAX_LOCALS: u64 = 50_000;
/// Bytes for each value that a branch or a call copies, where these are out of proportion to the bytes of the module.
const COPY: u64 = 32;
/// More values than this are out of proportion.
const WIDE: u64 = 16;

/// Returns the estimate in bytes for a module, which may be invalid.
pub(super) fn code_size(binary: &Binary<'_>) -> u64 {
    let bytes = binary.bytes();
    let mut module = Module::default();
    let mut size = MODULE.saturating_add((bytes.len() as u64).saturating_mul(BYTE));
    for payload in binary.payloads() {
        match payload {
            Payload::TypeSection(types) => {
                for ty in types.clone().into_iter_err_on_gc_types().map_while(Result::ok) {
                    module.push_type(ty.params().len() as u64, ty.results().len() as u64);
                }
            }
            Payload::ImportSection(imports) => {
                let types = imports.clone().into_iter().map_while(Result::ok).map(|import| import.ty);
                module
                    .functions
                    .extend(types.filter_map(|ty| if let TypeRef::Func(ty) = ty { Some(ty) } else { None }));
                module.imported = module.functions.len();
            }
            Payload::FunctionSection(functions) => {
                module.functions.extend(functions.clone().into_iter().map_while(Result::ok));
            }
            Payload::CodeSectionEntry(body) => {
                let function = module.body(bytes, body).unwrap_or(FUNCTION);
                size = size.saturating_add(function);
            }
            _ => {}
        }
    }
    size
}

#[derive(Default)]
struct Module {
    /// The numbers of parameters and results of each type.
    types: Vec<(u64, u64)>,
    /// The highest of these numbers.
    widest: u64,
    /// The type index of each function, including imported ones, which come first.
    functions: Vec<u32>,
    imported: usize,
    bodies: usize,
}

impl Module {
    fn push_type(&mut self, params: u64, results: u64) {
        self.types.push((params, results));
        self.widest = self.widest.max(params).max(results);
    }

    fn ty(&self, index: i64) -> Option<(u64, u64)> {
        self.types.get(usize::try_from(index).ok()?).copied()
    }

    fn function(&self, index: i64) -> Option<(u64, u64)> {
        self.functions.get(usize::try_from(index).ok()?).and_then(|ty| self.ty(i64::from(*ty)))
    }

    /// Returns what a function adds to the estimate.
    fn body(&mut self, bytes: &[u8], body: &FunctionBody<'_>) -> Option<u64> {
        let index = self.imported.checked_add(self.bodies)?;
        self.bodies = self.bodies.checked_add(1)?;
        let mut reader = body.get_locals_reader().ok()?;
        let mut locals = 0u64;
        for _ in 0..reader.get_count() {
            locals = locals.saturating_add(u64::from(reader.read().ok()?.0));
        }
        // A function with more is refused before it is compiled.
        let locals = if locals > MAX_LOCALS { 0 } else { locals };
        let size = FUNCTION.saturating_add(locals.saturating_mul(LOCAL));
        if self.widest <= WIDE {
            return Some(size);
        }
        let code = bytes.get(reader.original_position()..body.range().end)?;
        let results = self.function(i64::try_from(index).ok()?).map_or(0, |(_, results)| results);
        Some(size.saturating_add(self.copies(code, results).saturating_mul(COPY)))
    }

    /// Returns an upper bound on the values that a function's branches and calls copy, as if each branch went to the
    /// block that takes the most.
    fn copies(&self, bytes: &[u8], results: u64) -> u64 {
        let mut skim = Skim::new(bytes);
        let (mut branches, mut calls, mut widest) = (0u64, 0u64, results);
        while skim.left() > 0 {
            let left = skim.left();
            let Some(op) = skim.next() else { break };
            match op.code {
                code::BLOCK | code::LOOP | code::IF => {
                    let (params, results) = self.ty(op.first).unwrap_or_default();
                    widest = widest.max(params).max(results);
                    calls = calls.saturating_add(params);
                }
                code::BR | code::BR_IF | code::RETURN | code::END => branches = branches.saturating_add(1),
                // Each target takes at least one byte.
                code::BR_TABLE => {
                    let targets = left.saturating_sub(skim.left()) as u64;
                    branches = branches.saturating_add(targets);
                }
                code::CALL | code::RETURN_CALL => {
                    let (params, results) = self.function(op.first).unwrap_or_default();
                    calls = calls.saturating_add(params).saturating_add(results);
                }
                code::CALL_INDIRECT | code::RETURN_CALL_INDIRECT => {
                    let (params, results) = self.ty(op.first).unwrap_or_default();
                    calls = calls.saturating_add(params).saturating_add(results);
                }
                _ => {}
            }
        }
        let branches = if widest > WIDE { branches.saturating_mul(widest) } else { 0 };
        branches.saturating_add(calls)
    }
}
