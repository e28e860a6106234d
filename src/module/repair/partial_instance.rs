//! An instance that is only partly initialised.
//!
//! If an active segment does not fit, instantiation fails, and what earlier segments wrote remains. wasmi then leaves
//! the instance without its memories, tables, globals and functions (`Module::instantiate` returns before
//! `initialize_instance`). But an imported table may by now contain functions of the instance, and calling one of them
//! reads past the end of those lists.
//!
//! The repair follows the specification's definition of instantiation: the segments become passive, and a new start
//! function copies them one by one before it calls the old one. wasmi runs a start function in a complete instance.
//! Only a module that has functions, imports a table, writes to it, and has an active segment after that is rewritten.
//! The start function costs a few units of fuel per segment.
//!
//! Remove with the first wasmi that initialises the instance before it copies segments.

use wasm_encoder::{Encode, InstructionSink};
use wasmparser::{ConstExpr, Data, DataKind, DataSectionReader, Element, ElementKind, ElementSectionReader};

/// The active segments of a module.
#[derive(Default)]
pub(super) struct Segments {
    imported_tables: u32,
    /// Whether an imported table is written to.
    writes_imported: bool,
    /// Whether an active segment follows one that writes to an imported table.
    may_stop_half_way: bool,
    pub(super) start: Option<u32>,
    pub(super) has_data_count: bool,
}

impl Segments {
    pub(super) fn import_table(&mut self) {
        self.imported_tables = self.imported_tables.saturating_add(1);
    }

    pub(super) fn start(&mut self, function: u32) {
        self.start = Some(function);
    }

    pub(super) fn data_count(&mut self) {
        self.has_data_count = true;
    }

    pub(super) fn active_element(&mut self, table: u32) {
        self.may_stop_half_way |= self.writes_imported;
        self.writes_imported |= table < self.imported_tables;
    }

    pub(super) fn active_data(&mut self) {
        self.may_stop_half_way |= self.writes_imported;
    }

    pub(super) fn may_stop_half_way(&self) -> bool {
        self.may_stop_half_way
    }
}

/// The code of the new start function, which grows with the segments.
#[derive(Default)]
pub(super) struct Start(Vec<u8>);

impl Start {
    /// Writes an element section whose segments are all passive.
    pub(super) fn elements(
        &mut self,
        bytes: &[u8],
        elements: ElementSectionReader<'_>,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        elements.count().encode(out);
        let end = elements.range().end;
        let entries = elements.into_iter_with_offsets().collect::<Result<Vec<_>, _>>().ok()?;
        let ends = entries.iter().skip(1).map(|(start, _)| *start).chain([end]);
        for (index, ((start, element), end)) in (0u32..).zip(entries.iter().zip(ends)) {
            let raw = bytes.get(*start..end)?;
            match &element.kind {
                ElementKind::Active { table_index, offset_expr } => {
                    let items = bytes.get(offset_expr.get_binary_reader().range().end..end)?;
                    passive_element(*raw.first()?, items, out)?;
                    self.element(index, table_index.unwrap_or(0), element, bytes, offset_expr)?;
                }
                _ => out.extend_from_slice(raw),
            }
        }
        Some(())
    }

    /// Writes a data section whose segments are all passive.
    pub(super) fn data(&mut self, bytes: &[u8], segments: DataSectionReader<'_>, out: &mut Vec<u8>) -> Option<()> {
        segments.count().encode(out);
        for (index, segment) in (0u32..).zip(segments) {
            let Data { kind, data, .. } = segment.ok()?;
            out.push(PASSIVE);
            data.encode(out);
            if let DataKind::Active { memory_index, offset_expr } = kind {
                self.offset(bytes, &offset_expr)?;
                let length = u32::try_from(data.len()).ok()?;
                let mut sink = InstructionSink::new(&mut self.0);
                sink.i32_const(0).i32_const(length.cast_signed()).memory_init(memory_index, index).data_drop(index);
            }
        }
        Some(())
    }

    /// Writes the function as a code section contains it, with a call of the old start function.
    pub(super) fn encode(mut self, old: Option<u32>, out: &mut Vec<u8>) {
        let mut sink = InstructionSink::new(&mut self.0);
        if let Some(old) = old {
            sink.call(old);
        }
        sink.end();
        // It has a local: see `empty_frame`.
        let mut body = Vec::new();
        1u32.encode(&mut body);
        1u32.encode(&mut body);
        wasm_encoder::ValType::I32.encode(&mut body);
        body.extend_from_slice(&self.0);
        body.encode(out);
    }

    fn element(
        &mut self,
        index: u32,
        table: u32,
        element: &Element<'_>,
        bytes: &[u8],
        offset: &ConstExpr<'_>,
    ) -> Option<()> {
        let count = match &element.items {
            wasmparser::ElementItems::Functions(items) => items.count(),
            wasmparser::ElementItems::Expressions(_, items) => items.count(),
        };
        self.offset(bytes, offset)?;
        let mut sink = InstructionSink::new(&mut self.0);
        sink.i32_const(0).i32_const(count.cast_signed()).table_init(table, index).elem_drop(index);
        Some(())
    }

    /// Returns the code of an offset, without its `end`.
    fn offset(&mut self, bytes: &[u8], offset: &ConstExpr<'_>) -> Option<()> {
        let range = offset.get_binary_reader().range();
        let code = bytes.get(range)?;
        self.0.extend_from_slice(code.strip_suffix(&[crate::module::skim::code::END])?);
        Some(())
    }
}

/// The flag of a passive data segment, and of a passive element segment of function indices.
const PASSIVE: u8 = 1;

/// Writes an element segment as a passive one, given its flags and the bytes after its offset.
fn passive_element(flags: u8, items: &[u8], out: &mut Vec<u8>) -> Option<()> {
    const PASSIVE_EXPRESSIONS: u8 = 5;
    const FUNCTIONS: u8 = 0;
    const FUNCREF: u8 = 0x70;
    match flags {
        0 => out.extend_from_slice(&[PASSIVE, FUNCTIONS]),
        2 => out.push(PASSIVE),
        4 => out.extend_from_slice(&[PASSIVE_EXPRESSIONS, FUNCREF]),
        6 => out.push(PASSIVE_EXPRESSIONS),
        _ => return None,
    }
    out.extend_from_slice(items);
    Some(())
}
