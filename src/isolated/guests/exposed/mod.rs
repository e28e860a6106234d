//! Rewrites a guest's module so that its host can read out and put back all state of an instance, as wasmi offers only what
//! a module exports.
//!
//! The rewritten module exports all its memories, tables and globals, and each function that a reference can be made of, under
//! names that its [`Layout`] gives. The start function becomes an ordinary one, which the host calls, or does not in an
//! instance that it restores. Two new functions for each passive segment tell whether it was dropped, and drop it:
//!
//! ```wat
//! (func (export "…")                (func (export "…")
//!   i32.const 0                       data.drop $segment)
//!   (i32.const LENGTH)
//!   i32.const 0
//!   memory.init $segment)
//! ```
//!
//! The first copies nothing, from the end of the segment. It traps if the segment was dropped, since its length is then 0.
//!
//! All indices stay the same, and so does all code of the module, but for one instruction: see [`grown`].

mod grown;
mod layout;
mod segments;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests;

use wasm_encoder::{Encode, ExportKind, SectionId};
use wasmparser::Payload;

use self::grown::Grown;
pub(super) use self::layout::{Layout, Segment, Space};
use self::segments::Passive;
use crate::error::{Error, ErrorKind};
use crate::module::Binary;
use crate::module::counts::Counts;
use crate::module::layout::ModuleLayout;
use crate::module::sections::{Appended, Sections};

/// A module that exports its state.
pub(super) struct Exposed {
    pub(super) bytes: Vec<u8>,
    pub(super) layout: Layout,
}

/// Returns a module that does the same and exports its state. The module must be valid. The new one is valid too, unless it
/// passes a limit on the number of exports or functions.
///
/// # Errors
///
/// If the module cannot be read.
pub(super) fn expose(bytes: &[u8]) -> Result<Exposed, Error> {
    exposed(bytes).ok_or_else(|| {
        Error::new(ErrorKind::Module, "this module cannot run in an isolated sandbox: its sections cannot be read")
    })
}

fn exposed(bytes: &[u8]) -> Option<Exposed> {
    let binary = Binary::parse(bytes);
    if binary.error().is_some() {
        return None;
    }
    let counts = Counts::of(&binary)?;
    let passive = Passive::of(&binary)?;
    let grown = Grown::of(&binary, &counts)?;
    let layout = layout(&binary, &counts, &passive, &grown)?;
    let mut sections = Sections::new(bytes, appended(&binary, &counts, &passive, &grown, &layout)?)?;
    for payload in binary.payloads() {
        let Some((id, range)) = payload.as_section() else { continue };
        match (payload, grown.code()) {
            (Payload::StartSection { .. }, _) => {}
            (Payload::CodeSectionStart { .. }, Some(code)) => sections.write(id, code)?,
            _ => sections.write(id, bytes.get(range)?)?,
        }
    }
    Some(Exposed { bytes: sections.finish()?, layout })
}

fn layout(binary: &Binary<'_>, counts: &Counts, passive: &Passive, grown: &Grown) -> Option<Layout> {
    let ModuleLayout { exports, escaping, .. } = ModuleLayout::of(binary);
    Some(Layout {
        prefix: layout::unused_prefix(&exports)?,
        memories: Space::new(counts.imported_memories, counts.memories)?,
        tables: Space::new(counts.imported_tables, counts.tables)?,
        globals: Space::new(counts.imported_globals, counts.globals)?,
        mutable_globals: mutable_globals(binary)?,
        functions: escaping.into_iter().collect(),
        segments: passive.segments().collect(),
        others: exports.len().saturating_add(counts.functions.len()) as u64,
        grown: grown.tables().collect(),
        has_start: counts.start.is_some(),
    })
}

/// Returns the indices of the mutable globals.
fn mutable_globals(binary: &Binary<'_>) -> Option<Vec<u32>> {
    let mut are_mutable = Vec::new();
    for payload in binary.payloads() {
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.clone() {
                    if let wasmparser::TypeRef::Global(ty) = import.ok()?.ty {
                        are_mutable.push(ty.mutable);
                    }
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals.clone() {
                    are_mutable.push(global.ok()?.ty.mutable);
                }
            }
            _ => {}
        }
    }
    Some((0..).zip(are_mutable).filter_map(|(index, is_mutable)| is_mutable.then_some(index)).collect())
}

/// Returns what is appended to the module, in the order of its sections.
fn appended(
    binary: &Binary<'_>,
    counts: &Counts,
    passive: &Passive,
    grown: &Grown,
    layout: &Layout,
) -> Option<Vec<Appended>> {
    let mut exports = Appended::to(SectionId::Export);
    layout.memories.indices().for_each(|index| exports.export(&layout.memory(index), ExportKind::Memory, index));
    layout.tables.indices().for_each(|index| exports.export(&layout.table(index), ExportKind::Table, index));
    layout.globals.indices().for_each(|index| exports.export(&layout.global(index), ExportKind::Global, index));
    layout.functions.iter().for_each(|index| exports.export(&layout.function(*index), ExportKind::Func, *index));
    if let (Some(name), Some(start)) = (layout.start(), counts.start) {
        exports.export(&name, ExportKind::Func, start);
    }
    let mut types = Appended::to(SectionId::Type);
    grown.types().for_each(|ty| types.entry().extend_from_slice(&ty));
    let mut tables = Appended::to(SectionId::Table);
    if let Some(growers) = layout.growers() {
        grown.growers().encode(tables.entry());
        exports.export(&growers, ExportKind::Table, counts.imported_tables.checked_add(counts.tables)?);
    }
    let mut functions = Appended::to(SectionId::Function);
    let mut code = Appended::to(SectionId::Code);
    for (ty, body) in grown.functions() {
        ty.encode(functions.entry());
        body.encode(code.entry());
    }
    if !passive.is_empty() {
        let ty = match plain_type(binary)? {
            Some(ty) => ty,
            None => {
                types.entry().extend_from_slice(&[0x60, 0, 0]);
                u32::try_from(counts.params.len().checked_add(layout.grown.len())?).ok()?
            }
        };
        let before = counts.functions.len().checked_add(layout.grown.len())?;
        let mut index = counts.imported_functions.checked_add(u32::try_from(before).ok()?)?;
        for (segment, [probe, drop]) in passive.segments().zip(passive.functions()) {
            for (name, body) in [(layout.probe(segment), probe), (layout.drop(segment), drop)] {
                ty.encode(functions.entry());
                body.encode(code.entry());
                exports.export(&name, ExportKind::Func, index);
                index = index.checked_add(1)?;
            }
        }
    }
    Some(vec![types, functions, tables, exports, code])
}

/// Returns the index of the type of a function without parameters and results, if the module has it.
fn plain_type(binary: &Binary<'_>) -> Option<Option<u32>> {
    for payload in binary.payloads() {
        if let Payload::TypeSection(types) = payload {
            for (index, ty) in (0..).zip(types.clone().into_iter_err_on_gc_types()) {
                let ty = ty.ok()?;
                if ty.params().is_empty() && ty.results().is_empty() {
                    return Some(Some(index));
                }
            }
        }
    }
    Some(None)
}
