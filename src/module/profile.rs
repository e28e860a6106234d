//! Rewrites a module so that it reports to the host where each function begins and ends.
//!
//! Each function moves behind those of the module, and a stub takes its place:
//!
//! ```wat
//! (func $f (param i64) (result i32)
//!   (if (table.size $told) (then (call_indirect $told (param i32) (i32.const 12) (i32.const 0))))
//!   (call $the_function (local.get 0))
//!   (if (table.size $told) (then (call_indirect $told (param i32) (i32.const 12) (i32.const 1)))))
//! ```
//!
//! The host fills the table `$told`. It stays empty in an instance that could not be made, whose functions another one may
//! have all the same. The stub pays for its instructions before the host is told, and the host gives that fuel back. So a
//! guest spends the same fuel as without stubs. Calls nest twice as deep. A direct tail call goes to the function behind the
//! stub, so that a loop of tail calls does not nest, and the callee counts as part of the function that it replaces. A module
//! with indirect tail calls is left unchanged.

use wasm_encoder::{BlockType, Encode, ExportKind, InstructionSink, RefType, SectionId, TableType};
use wasmparser::{FunctionBody, Payload};

use super::binary::Binary;
use super::counts::Counts;
use super::sections::{Appended, Sections};
use super::skim::{Skim, code};
use crate::profile::{ENTER, LEAVE, START, TOLD};

/// A module that reports where functions begin and end.
pub(super) struct Telling {
    pub(super) bytes: Vec<u8>,
    /// The fuel of the stub of each function that the module defines.
    pub(super) costs: Vec<u64>,
}

/// The indices that stubs need.
struct StubIndices {
    ty: u32,
    table: u32,
    imported: u32,
    functions: u32,
}

/// Returns a module that does the same and reports on its functions; `None` if that is not possible. The module must be valid.
pub(super) fn telling(binary: &Binary<'_>) -> Option<Telling> {
    let counts = Counts::of(binary)?;
    let functions = u32::try_from(counts.functions.len()).ok().filter(|count| *count > 0)?;
    let indices = StubIndices {
        ty: u32::try_from(counts.params.len()).ok()?,
        table: counts.imported_tables.checked_add(counts.tables)?,
        imported: counts.imported_functions,
        functions,
    };
    let bytes = binary.bytes();
    let mut sections = Sections::new(bytes, appended(&counts, &indices))?;
    let mut bodies = Vec::new();
    let mut rest = functions;
    for payload in binary.payloads() {
        if let Payload::CodeSectionEntry(entry) = payload {
            body(bytes, entry, &indices, &mut bodies)?;
            rest = rest.checked_sub(1)?;
            if rest == 0 {
                let mut section = Vec::new();
                functions.checked_mul(2)?.encode(&mut section);
                for (index, ty) in counts.functions.iter().enumerate() {
                    let params = *counts.params.get(usize::try_from(*ty).ok()?)?;
                    stub(u32::try_from(index).ok()?, params, &indices, &mut section)?;
                }
                section.append(&mut bodies);
                sections.write(SectionId::Code.into(), &section)?;
            }
            continue;
        }
        let Some((id, range)) = payload.as_section() else { continue };
        match payload {
            Payload::StartSection { .. } | Payload::CodeSectionStart { .. } => {}
            Payload::FunctionSection(_) => {
                let mut section = Vec::new();
                functions.checked_mul(2)?.encode(&mut section);
                counts.functions.iter().chain(&counts.functions).for_each(|ty| ty.encode(&mut section));
                sections.write(id, &section)?;
            }
            _ => sections.write(id, bytes.get(range)?)?,
        }
    }
    let cost =
        |ty: &u32| counts.params.get(usize::try_from(*ty).ok()?).map(|params| STUB.saturating_add(u64::from(*params)));
    let costs = counts.functions.iter().map(cost).collect::<Option<_>>()?;
    Some(Telling { bytes: sections.finish()?, costs })
}

/// Returns what is appended to the module.
fn appended(counts: &Counts, indices: &StubIndices) -> Vec<Appended> {
    let mut types = Appended::to(SectionId::Type);
    // A function with one parameter of type i32 and no results.
    types.entry().extend_from_slice(&[0x60, 1, 0x7f, 0]);
    let mut tables = Appended::to(SectionId::Table);
    TableType { element_type: RefType::FUNCREF, table64: false, minimum: 0, maximum: Some(2), shared: false }
        .encode(tables.entry());
    let mut exports = Appended::to(SectionId::Export);
    exports.export(TOLD, ExportKind::Table, indices.table);
    if let Some(start) = counts.start {
        exports.export(START, ExportKind::Func, start);
    }
    vec![types, tables, exports]
}

/// The fuel that a stub spends before the function behind it begins, without one unit for each parameter: one unit for the
/// function, those for the instructions outside of the `if`s, and those for the first `if`.
const STUB: u64 = 10;

fn stub(index: u32, params: u32, indices: &StubIndices, out: &mut Vec<u8>) -> Option<()> {
    let mut code = Vec::new();
    // No locals.
    0u32.encode(&mut code);
    let mut sink = InstructionSink::new(&mut code);
    tell(&mut sink, index, ENTER, indices);
    (0..params).for_each(|local| {
        sink.local_get(local);
    });
    sink.call(indices.imported.checked_add(indices.functions)?.checked_add(index)?);
    tell(&mut sink, index, LEAVE, indices);
    sink.end();
    code.encode(out);
    Some(())
}

fn tell(sink: &mut InstructionSink<'_>, index: u32, what: i32, indices: &StubIndices) {
    sink.table_size(indices.table).if_(BlockType::Empty);
    sink.i32_const(index.cast_signed()).i32_const(what).call_indirect(indices.table, indices.ty).end();
}

/// Writes a function, unchanged except for its tail calls.
fn body(bytes: &[u8], entry: &FunctionBody<'_>, indices: &StubIndices, out: &mut Vec<u8>) -> Option<()> {
    let start = entry.get_operators_reader().ok()?.original_position();
    let code = bytes.get(start..entry.range().end)?;
    let mut new = bytes.get(entry.range().start..start)?.to_vec();
    let mut skim = Skim::new(code);
    // The length of the code that has been written.
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
                if callee >= indices.imported {
                    new.extend_from_slice(code.get(written..at)?);
                    InstructionSink::new(&mut new).return_call(callee.checked_add(indices.functions)?);
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
