//! Rewrites a module so that the host is told where each function begins and ends.
//!
//! Each function goes behind those of the module, as it is, and a stub takes its place:
//!
//! ```wat
//! (func $f (param i64) (result i32)
//!   (if (table.size $told) (then (call_indirect $told (param i32) (i32.const 12) (i32.const 0))))
//!   (call $the_function (local.get 0))
//!   (if (table.size $told) (then (call_indirect $told (param i32) (i32.const 12) (i32.const 1)))))
//! ```
//!
//! The table `$told` is the host's. It is empty in an instance that failed while it was made: another may have its functions
//! all the same. What a stub costs is paid before the host is told, and the host gives it back: a guest spends the fuel that
//! it spends without. Calls nest twice as deep. A direct tail call goes to the function behind
//! the stub, so that a loop of tail calls stays one, and counts as part of the function that it left. A module with
//! indirect tail calls is left as it is.

use wasm_encoder::{BlockType, Encode, ExportKind, InstructionSink, RefType, SectionId, TableType};
use wasmparser::{ExternalKind, FunctionBody, Payload};

use super::binary::Binary;
use super::counts::Counts;
use super::frames::{counted, encode_export};
use super::skim::{Skim, code};
use crate::profile::{ENTER, LEAVE, START, TOLD};

/// A module that tells where functions begin and end.
pub(super) struct Telling {
    pub(super) bytes: Vec<u8>,
    /// The fuel of the stub of each function that the module defines.
    pub(super) costs: Vec<u64>,
}

/// The indices that stubs need.
struct Plan {
    ty: u32,
    table: u32,
    imported: u32,
    functions: u32,
}

/// Returns a module that does the same and tells of its functions; `None` for one that cannot. The module must be valid.
pub(super) fn telling(binary: &Binary<'_>) -> Option<Telling> {
    let counts = Counts::of(binary)?;
    let functions = u32::try_from(counts.functions.len()).ok().filter(|count| *count > 0)?;
    let plan = Plan {
        ty: u32::try_from(counts.params.len()).ok()?,
        table: counts.imported_tables.checked_add(counts.tables)?,
        imported: counts.imported_functions,
        functions,
    };
    let bytes = binary.bytes();
    let mut out = bytes.get(..8)?.to_vec();
    let mut bodies = Vec::new();
    let mut rest = functions;
    let mut appended = Appended { has_table: false, has_exports: false };
    for payload in binary.payloads() {
        if let Payload::CodeSectionEntry(entry) = payload {
            body(bytes, entry, &plan, &mut bodies)?;
            rest = rest.checked_sub(1)?;
            if rest == 0 {
                let mut section = Vec::new();
                functions.checked_mul(2)?.encode(&mut section);
                for (index, ty) in counts.functions.iter().enumerate() {
                    stub(
                        u32::try_from(index).ok()?,
                        *counts.params.get(usize::try_from(*ty).ok()?)?,
                        &plan,
                        &mut section,
                    )?;
                }
                section.append(&mut bodies);
                write(SectionId::Code.into(), &section, &mut out);
            }
            continue;
        }
        let Some((id, range)) = payload.as_section() else { continue };
        let contents = bytes.get(range)?;
        if id != u8::from(SectionId::Custom) {
            appended.before(id, &plan, &counts, &mut out);
        }
        let mut section;
        match payload {
            Payload::StartSection { .. } | Payload::CodeSectionStart { .. } => continue,
            Payload::TypeSection(_) => {
                section = counted(contents, 1)?;
                // A function of one i32, without results.
                section.extend_from_slice(&[0x60, 1, 0x7f, 0]);
            }
            Payload::FunctionSection(_) => {
                section = Vec::new();
                functions.checked_mul(2)?.encode(&mut section);
                counts.functions.iter().chain(&counts.functions).for_each(|ty| ty.encode(&mut section));
            }
            Payload::TableSection(_) => {
                section = counted(contents, 1)?;
                append_table(&mut section);
                appended.has_table = true;
            }
            Payload::ExportSection(exports) => {
                section = Vec::new();
                exports.count().checked_add(own_exports(&counts))?.encode(&mut section);
                for export in exports.clone() {
                    let export = export.ok()?;
                    let kind = match export.kind {
                        ExternalKind::Func => ExportKind::Func,
                        ExternalKind::Table => ExportKind::Table,
                        ExternalKind::Memory => ExportKind::Memory,
                        ExternalKind::Global => ExportKind::Global,
                        _ => return None,
                    };
                    encode_export(export.name, kind, export.index, &mut section);
                }
                append_exports(&counts, &plan, &mut section);
                appended.has_exports = true;
            }
            _ => section = contents.to_vec(),
        }
        write(id, &section, &mut out);
    }
    let cost =
        |ty: &u32| counts.params.get(usize::try_from(*ty).ok()?).map(|params| STUB.saturating_add(u64::from(*params)));
    let costs = counts.functions.iter().map(cost).collect::<Option<_>>()?;
    Some(Telling { bytes: out, costs })
}

/// The fuel of a stub until the function behind it begins, but for one unit for each parameter: one for the function, the
/// instructions outside of its `if`s, and the first `if` with its own.
const STUB: u64 = 10;

fn stub(index: u32, params: u32, plan: &Plan, out: &mut Vec<u8>) -> Option<()> {
    let mut code = Vec::new();
    // No locals.
    0u32.encode(&mut code);
    let mut sink = InstructionSink::new(&mut code);
    tell(&mut sink, index, ENTER, plan);
    (0..params).for_each(|local| {
        sink.local_get(local);
    });
    sink.call(plan.imported.checked_add(plan.functions)?.checked_add(index)?);
    tell(&mut sink, index, LEAVE, plan);
    sink.end();
    code.encode(out);
    Some(())
}

fn tell(sink: &mut InstructionSink<'_>, index: u32, what: i32, plan: &Plan) {
    sink.table_size(plan.table).if_(BlockType::Empty);
    sink.i32_const(index.cast_signed()).i32_const(what).call_indirect(plan.table, plan.ty).end();
}

/// Writes a function as it is, but for its tail calls.
fn body(bytes: &[u8], entry: &FunctionBody<'_>, plan: &Plan, out: &mut Vec<u8>) -> Option<()> {
    let start = entry.get_operators_reader().ok()?.original_position();
    let code = bytes.get(start..entry.range().end)?;
    let mut new = bytes.get(entry.range().start..start)?.to_vec();
    let mut skim = Skim::new(code);
    // What of the code is written.
    let mut written = 0;
    while skim.left() > 0 {
        if skim.pass() {
            continue;
        }
        let at = code.len().checked_sub(skim.left())?;
        let op = skim.next()?;
        match op.code {
            code::RETURN_CALL_INDIRECT => return None,
            code::RETURN_CALL => {
                let callee = u32::try_from(op.first).ok()?;
                if callee >= plan.imported {
                    new.extend_from_slice(code.get(written..at)?);
                    InstructionSink::new(&mut new).return_call(callee.checked_add(plan.functions)?);
                    written = code.len().checked_sub(skim.left())?;
                }
            }
            _ => {}
        }
    }
    new.extend_from_slice(code.get(written..)?);
    new.encode(out);
    Some(())
}

/// Returns how many exports are appended.
fn own_exports(counts: &Counts) -> u32 {
    1u32.saturating_add(u32::from(counts.start.is_some()))
}

fn append_exports(counts: &Counts, plan: &Plan, section: &mut Vec<u8>) {
    encode_export(TOLD, ExportKind::Table, plan.table, section);
    if let Some(start) = counts.start {
        encode_export(START, ExportKind::Func, start, section);
    }
}

/// The sections that something is appended to and that a module may lack.
struct Appended {
    has_table: bool,
    has_exports: bool,
}

impl Appended {
    /// Writes what the module lacks before a section of this kind.
    fn before(&mut self, id: u8, plan: &Plan, counts: &Counts, out: &mut Vec<u8>) {
        // Tags come before globals.
        const TAG: u8 = 13;
        let id = if id == TAG { u8::from(SectionId::Memory) } else { id };
        if id > u8::from(SectionId::Table) && !std::mem::replace(&mut self.has_table, true) {
            let mut section = Vec::new();
            1u32.encode(&mut section);
            append_table(&mut section);
            write(SectionId::Table.into(), &section, out);
        }
        if id > u8::from(SectionId::Export) && !std::mem::replace(&mut self.has_exports, true) {
            let mut section = Vec::new();
            own_exports(counts).encode(&mut section);
            append_exports(counts, plan, &mut section);
            write(SectionId::Export.into(), &section, out);
        }
    }
}

fn append_table(section: &mut Vec<u8>) {
    let ty = TableType { element_type: RefType::FUNCREF, table64: false, minimum: 0, maximum: Some(2), shared: false };
    ty.encode(section);
}

fn write(id: u8, contents: &[u8], out: &mut Vec<u8>) {
    out.push(id);
    contents.encode(out);
}
