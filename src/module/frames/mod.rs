//! Rewrites a module so that it keeps frames, since wasmi keeps none that can be read.
//!
//! A guest that keeps frames has one memory more than its module says, with a slot for each call that has not returned. A
//! function takes the next slot when it is entered, and writes its place there: its beginning, and later each call that it
//! makes. When a callee has returned, its caller sets the depth back, so that a function has nothing to do when it is left.
//! An instruction that may trap notes its place in a global before it runs. That is cheaper than writing to the slot, and
//! the place itself tells which function it is in.
//!
//! ```wat
//! (func $f                          (func $f (local $slot i32)
//!                                     (global.set $depth (local.tee $slot (i32.add (global.get $depth) (i32.const 16))))
//!                                     (i32.store $slots (local.get $slot) (i32.const 0x40))
//!   (call $g)                         (i32.store $slots (local.get $slot) (i32.const 0x44))
//!                          →          (call $g)
//!                                     (global.set $depth (local.get $slot))
//!                                     (global.set $place (i32.const 0x48))
//!   (i32.load (i32.const 8))          (i32.load (i32.const 8))
//!   drop)                             drop)
//! ```
//!
//! All instances of a store share the depth, so that their slots make one stack. The instance of a frame is known if the
//! caller calls a function of its own module. Functions that may be called from elsewhere write a serial number into their
//! slots, and the highest number at a depth is the current one.
//!
//! The memory, the global and their exports are appended. Two imported globals come after those of the module, which changes
//! the indices of the globals that it defines. Other indices stay the same. The start function becomes an ordinary one: it is
//! called from outside once the instance is known, so that its frames are known too.

mod body;

use wasm_encoder::{Encode, ExportKind, GlobalType, MemoryType, SectionId, ValType};
use wasmparser::{ExportSectionReader, ExternalKind, Payload};

use super::binary::Binary;
use super::counts::Counts;
use super::layout::ModuleLayout;
use super::sections::{Appended, Sections};
use crate::frames::{DEPTH, IMPORTED, PLACE, SERIAL, SLOTS, START};

/// The indices that the code of a module needs.
struct FrameIndices {
    /// The first of the two imported globals. The globals from this index on have moved.
    depth: u32,
    serial: u32,
    place: u32,
    slots: u32,
    /// Whether every function may be entered from outside its module.
    are_all_entries: bool,
}

/// A module that keeps frames.
pub(super) struct WithFrames {
    pub(super) bytes: Vec<u8>,
    /// Whether it has tail calls, so that a function may be replaced by one of another module.
    pub(super) has_tail_calls: bool,
    /// The number of memories that it defines itself.
    pub(super) memories: u32,
}

/// Returns a module that does the same and keeps frames, in a memory of `pages` pages; `None` for a module without code. The
/// module must be valid, since an invalid one may become valid.
pub(super) fn keeping(binary: &Binary<'_>, pages: u32) -> Option<WithFrames> {
    let counts = Counts::of(binary)?;
    if counts.functions.is_empty() {
        return None;
    }
    let has_tail_calls = has_tail_calls(binary)?;
    let layout = ModuleLayout::of(binary);
    let indices = FrameIndices {
        depth: counts.imported_globals,
        serial: counts.imported_globals.checked_add(1)?,
        place: counts.imported_globals.checked_add(2)?.checked_add(counts.globals)?,
        slots: counts.imported_memories.checked_add(counts.memories)?,
        are_all_entries: has_tail_calls,
    };
    let is_entry = |function: u32| {
        indices.are_all_entries || layout.escaping.contains(&function) || counts.start == Some(function)
    };
    let bytes = binary.bytes();
    let mut sections = Sections::new(bytes, appended(&counts, &indices, pages))?;
    let mut code = Vec::new();
    let mut index = 0usize;
    for payload in binary.payloads() {
        if let Payload::CodeSectionEntry(entry) = payload {
            let function = counts.imported_functions.checked_add(u32::try_from(index).ok()?)?;
            let params = *counts.params.get(usize::try_from(*counts.functions.get(index)?).ok()?)?;
            body::write(bytes, entry, params, &indices, is_entry(function), &mut code)?;
            index = index.checked_add(1)?;
            if index == counts.functions.len() {
                let mut section = Vec::new();
                index.encode(&mut section);
                section.append(&mut code);
                sections.write(SectionId::Code.into(), &section)?;
            }
            continue;
        }
        let Some((id, range)) = payload.as_section() else { continue };
        match payload {
            Payload::StartSection { .. } | Payload::CodeSectionStart { .. } => {}
            Payload::ExportSection(exports) => sections.write(id, &indices.exports(exports)?)?,
            // Initial values of globals refer only to imported globals, which have not moved.
            _ => sections.write(id, bytes.get(range)?)?,
        }
    }
    Some(WithFrames { bytes: sections.finish()?, has_tail_calls, memories: counts.memories })
}

/// Returns whether any function has a tail call; `None` for code that cannot be read.
fn has_tail_calls(binary: &Binary<'_>) -> Option<bool> {
    for payload in binary.payloads() {
        if let Payload::CodeSectionEntry(entry) = payload
            && body::has_tail_call(binary.bytes(), entry)?
        {
            return Some(true);
        }
    }
    Some(false)
}

/// Returns what is appended to the module.
fn appended(counts: &Counts, indices: &FrameIndices, pages: u32) -> Vec<Appended> {
    let global = |val_type| GlobalType { val_type, mutable: true, shared: false };
    let mut imports = Appended::to(SectionId::Import);
    for (name, val_type) in [(DEPTH, ValType::I32), (SERIAL, ValType::I64)] {
        let import = imports.entry();
        IMPORTED.encode(import);
        name.encode(import);
        wasm_encoder::EntityType::Global(global(val_type)).encode(import);
    }
    let mut memories = Appended::to(SectionId::Memory);
    let (minimum, maximum) = (u64::from(pages), Some(u64::from(pages)));
    MemoryType { minimum, maximum, memory64: false, shared: false, page_size_log2: None }.encode(memories.entry());
    let mut globals = Appended::to(SectionId::Global);
    let place = globals.entry();
    global(ValType::I32).encode(place);
    wasm_encoder::ConstExpr::i32_const(0).encode(place);
    let mut exports = Appended::to(SectionId::Export);
    exports.export(SLOTS, ExportKind::Memory, indices.slots);
    exports.export(PLACE, ExportKind::Global, indices.place);
    if let Some(start) = counts.start {
        exports.export(START, ExportKind::Func, start);
    }
    vec![imports, memories, globals, exports]
}

impl FrameIndices {
    /// Returns the new index of a global of the module.
    fn global(&self, index: u32) -> Option<u32> {
        if index < self.depth { Some(index) } else { index.checked_add(2) }
    }

    /// Returns the contents of the export section with the new indices of globals.
    fn exports(&self, exports: &ExportSectionReader<'_>) -> Option<Vec<u8>> {
        let mut section = Vec::new();
        exports.count().encode(&mut section);
        for export in exports.clone() {
            let export = export.ok()?;
            let (kind, index) = match export.kind {
                ExternalKind::Func => (ExportKind::Func, export.index),
                ExternalKind::Table => (ExportKind::Table, export.index),
                ExternalKind::Memory => (ExportKind::Memory, export.index),
                ExternalKind::Global => (ExportKind::Global, self.global(export.index)?),
                _ => return None,
            };
            export.name.encode(&mut section);
            kind.encode(&mut section);
            index.encode(&mut section);
        }
        Some(section)
    }
}
