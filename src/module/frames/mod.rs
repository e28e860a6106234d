//! Rewrites a module so that it keeps frames: wasmi keeps none that can be read.
//!
//! A guest that keeps frames has a memory more than its module says, with a slot for each call that has not returned. A
//! function takes the next slot when it is entered, and writes there where it is: its beginning, and then the place of
//! each call that it makes. A caller sets the depth back when its callee has returned, so that nothing is to be done
//! where a function is left. An instruction that may trap notes its place in a global before it runs: that is cheaper
//! than a slot, and the function to which it belongs is known.
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
//! The depth is shared by all instances of a store, so that the slots of several instances make one stack. In which of
//! them a frame is, is known for a call of a function of the same module. Functions that may be called from elsewhere
//! write a serial number into their slot, and the highest at a depth is the one that counts.
//!
//! The memory, its maximum, and the global are appended; two imported globals, behind those of the module, move the
//! indices of the globals that it defines. Nothing else moves. A start function is no longer one: it is called from
//! outside when the instance is known, so that its frames are too.

mod body;

use wasm_encoder::{Encode, ExportKind, GlobalType, MemoryType, SectionId, ValType};
use wasmparser::{BinaryReader, ExternalKind, Payload};

use super::binary::Binary;
use super::counts::Counts;
use super::layout::ModuleLayout;
use crate::frames::{DEPTH, IMPORTED, PLACE, SERIAL, SLOTS, START};

/// The indices that the code of a module needs.
struct Plan {
    /// Where the two imported globals were put: those from here on have moved.
    depth: u32,
    serial: u32,
    place: u32,
    slots: u32,
    /// Whether each function may be called from outside of its module's own calls.
    are_all_entries: bool,
}

/// A module that keeps frames.
pub(super) struct Framed {
    pub(super) bytes: Vec<u8>,
    /// Whether it has tail calls, so that a function may be left for one of another module.
    pub(super) has_tail_calls: bool,
    /// How many memories it defines itself.
    pub(super) memories: u32,
}

/// Returns a module that does the same and keeps frames, in a memory of so many pages; `None` for one without code of its
/// own. The module must be valid: one that is not may become another.
pub(super) fn keeping(binary: &Binary<'_>, pages: u32) -> Option<Framed> {
    let counts = Counts::of(binary)?;
    if counts.functions.is_empty() {
        return None;
    }
    let has_tail_calls = has_tail_calls(binary)?;
    let layout = ModuleLayout::of(binary);
    let defined_globals = counts.globals;
    let plan = Plan {
        depth: counts.imported_globals,
        serial: counts.imported_globals.checked_add(1)?,
        place: counts.imported_globals.checked_add(2)?.checked_add(defined_globals)?,
        slots: counts.imported_memories.checked_add(counts.memories)?,
        are_all_entries: has_tail_calls,
    };
    let is_entry =
        |function: u32| plan.are_all_entries || layout.escaping.contains(&function) || counts.start == Some(function);
    let mut writer = Writer { counts: &counts, plan: &plan, pages, out: Vec::new(), next: 0 };
    let bytes = binary.bytes();
    writer.out.extend_from_slice(bytes.get(..8)?);
    let mut code = Vec::new();
    let mut index = 0usize;
    for payload in binary.payloads() {
        if let Payload::CodeSectionEntry(entry) = payload {
            let function = counts.imported_functions.checked_add(u32::try_from(index).ok()?)?;
            let params = *counts.params.get(usize::try_from(*counts.functions.get(index)?).ok()?)?;
            body::write(bytes, entry, params, &plan, is_entry(function), &mut code)?;
            index = index.checked_add(1)?;
            if index == counts.functions.len() {
                let mut section = Vec::new();
                index.encode(&mut section);
                section.append(&mut code);
                writer.section(SectionId::Code.into(), &section);
            }
            continue;
        }
        let Some((id, range)) = payload.as_section() else { continue };
        let contents = bytes.get(range)?;
        match payload {
            Payload::CustomSection(_) => writer.section(id, contents),
            Payload::StartSection { .. } => writer.before(id),
            Payload::CodeSectionStart { .. } => writer.before(id),
            Payload::ImportSection(_) => writer.imports(contents)?,
            Payload::MemorySection(_) => writer.memories(contents)?,
            Payload::GlobalSection(_) => writer.globals(contents)?,
            Payload::ExportSection(_) => writer.exports(binary)?,
            _ => {
                writer.before(id);
                writer.section(id, contents);
            }
        }
    }
    Some(Framed { bytes: writer.out, has_tail_calls, memories: counts.memories })
}

/// Tells whether any function has a tail call; `None` for code that cannot be read.
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

/// Writes sections in their order, and those that a module lacks where they belong.
struct Writer<'a> {
    counts: &'a Counts,
    plan: &'a Plan,
    pages: u32,
    out: Vec<u8>,
    /// How many of the sections that something is appended to are written.
    next: usize,
}

/// The sections that something is appended to, in their order.
const APPENDED: [SectionId; 4] = [SectionId::Import, SectionId::Memory, SectionId::Global, SectionId::Export];

impl Writer<'_> {
    fn section(&mut self, id: u8, contents: &[u8]) {
        self.out.push(id);
        contents.encode(&mut self.out);
    }

    /// Writes what the module lacks before a section of this kind.
    fn before(&mut self, id: u8) {
        // Tags come between memories and globals. The numbers of the others are in order.
        const TAG: u8 = 13;
        let rank = |id: u8| if id == TAG { u8::from(SectionId::Memory) } else { id };
        while let Some(lacking) = APPENDED.get(self.next).copied() {
            if u8::from(lacking) >= rank(id) {
                return;
            }
            self.next = self.next.saturating_add(1);
            let mut section = Vec::new();
            match lacking {
                SectionId::Import => {
                    2u32.encode(&mut section);
                    append_imports(&mut section);
                }
                SectionId::Memory => {
                    1u32.encode(&mut section);
                    self.append_memory(&mut section);
                }
                SectionId::Global => {
                    1u32.encode(&mut section);
                    append_global(&mut section);
                }
                _ => {
                    self.own_exports().encode(&mut section);
                    self.append_exports(&mut section);
                }
            }
            self.section(lacking.into(), &section);
        }
    }

    fn begin(&mut self, id: SectionId) {
        self.before(id.into());
        self.next = self.next.saturating_add(1);
    }

    fn imports(&mut self, contents: &[u8]) -> Option<()> {
        self.begin(SectionId::Import);
        let mut section = counted(contents, 2)?;
        append_imports(&mut section);
        self.section(SectionId::Import.into(), &section);
        Some(())
    }

    fn memories(&mut self, contents: &[u8]) -> Option<()> {
        self.begin(SectionId::Memory);
        let mut section = counted(contents, 1)?;
        self.append_memory(&mut section);
        self.section(SectionId::Memory.into(), &section);
        Some(())
    }

    fn globals(&mut self, contents: &[u8]) -> Option<()> {
        self.begin(SectionId::Global);
        // Initial values refer to imported globals alone, which have not moved.
        let mut section = counted(contents, 1)?;
        append_global(&mut section);
        self.section(SectionId::Global.into(), &section);
        Some(())
    }

    fn exports(&mut self, binary: &Binary<'_>) -> Option<()> {
        self.begin(SectionId::Export);
        let mut section = Vec::new();
        self.counts.exports.checked_add(self.own_exports())?.encode(&mut section);
        for payload in binary.payloads() {
            let Payload::ExportSection(exports) = payload else { continue };
            for export in exports.clone() {
                let export = export.ok()?;
                let (kind, index) = match export.kind {
                    ExternalKind::Func => (ExportKind::Func, export.index),
                    ExternalKind::Table => (ExportKind::Table, export.index),
                    ExternalKind::Memory => (ExportKind::Memory, export.index),
                    ExternalKind::Global => (ExportKind::Global, self.plan.global(export.index)?),
                    _ => return None,
                };
                encode_export(export.name, kind, index, &mut section);
            }
        }
        self.append_exports(&mut section);
        self.section(SectionId::Export.into(), &section);
        Some(())
    }

    fn append_memory(&self, section: &mut Vec<u8>) {
        let pages = u64::from(self.pages);
        let ty =
            MemoryType { minimum: pages, maximum: Some(pages), memory64: false, shared: false, page_size_log2: None };
        ty.encode(section);
    }

    fn own_exports(&self) -> u32 {
        2u32.saturating_add(u32::from(self.counts.start.is_some()))
    }

    fn append_exports(&self, section: &mut Vec<u8>) {
        encode_export(SLOTS, ExportKind::Memory, self.plan.slots, section);
        encode_export(PLACE, ExportKind::Global, self.plan.place, section);
        if let Some(start) = self.counts.start {
            encode_export(START, ExportKind::Func, start, section);
        }
    }
}

impl Plan {
    /// Returns the new index of a global of the module.
    fn global(&self, index: u32) -> Option<u32> {
        if index < self.depth { Some(index) } else { index.checked_add(2) }
    }
}

/// The contents of a section, with the count of its entries changed.
pub(super) fn counted(contents: &[u8], more: u32) -> Option<Vec<u8>> {
    let mut reader = BinaryReader::new(contents, 0);
    let count = reader.read_var_u32().ok()?;
    let mut section = Vec::with_capacity(contents.len());
    count.checked_add(more)?.encode(&mut section);
    section.extend_from_slice(contents.get(reader.original_position()..)?);
    Some(section)
}

fn append_imports(section: &mut Vec<u8>) {
    for (name, val_type) in [(DEPTH, ValType::I32), (SERIAL, ValType::I64)] {
        IMPORTED.encode(section);
        name.encode(section);
        let ty = GlobalType { val_type, mutable: true, shared: false };
        wasm_encoder::EntityType::Global(ty).encode(section);
    }
}

fn append_global(section: &mut Vec<u8>) {
    GlobalType { val_type: ValType::I32, mutable: true, shared: false }.encode(section);
    wasm_encoder::ConstExpr::i32_const(0).encode(section);
}

pub(super) fn encode_export(name: &str, kind: ExportKind, index: u32, section: &mut Vec<u8>) {
    name.encode(section);
    kind.encode(section);
    index.encode(section);
}
