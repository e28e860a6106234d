//! Lets the host grow tables for code.
//!
//! In wasmi 2.0.0, each `table.grow` keeps native stack until the outermost call ends or pauses, and it cannot pause there. So a
//! loop of them overflows the host's stack. A call of a host's function does neither. It replaces the instruction:
//!
//! ```wat
//! (call $grow)  ;; in place of (table.grow $table)
//!
//! (func $grow (param funcref i32) (result i32)
//!   (call_indirect $growers (param funcref i32) (result i32) (local.get 0) (local.get 1) (i32.const PLACE)))
//! ```
//!
//! The call costs what the instruction costs. The host gives back what the function costs.
//!
//! Remove with the first wasmi whose `table.grow` is a jump to the next instruction, and can resume.

use std::collections::BTreeMap;

use wasm_encoder::{Encode, InstructionSink, RefType, TableType};
use wasmparser::{BinaryReader, FunctionBody, Payload, TypeRef};

use crate::module::Binary;
use crate::module::counts::Counts;
use crate::module::skim::{Skim, code};

/// The types of values in the binary format.
const I32: u8 = 0x7f;
const I64: u8 = 0x7e;
const FUNC_REF: u8 = 0x70;
const EXTERN_REF: u8 = 0x6f;

/// The type of a table: of its elements, and of its indices.
type Types = (u8, u8);

/// The tables that code grows.
pub(super) struct Grown {
    /// The index of the first type, of the first function, and of the table with the host's functions.
    first_type: u32,
    first_function: u32,
    growers: u32,
    /// By index.
    all: Vec<Types>,
    /// The place of each table that is grown.
    places: BTreeMap<u32, u32>,
    /// The tables in the order of their places.
    tables: Vec<u32>,
    /// The contents of the code section, if it had to be changed.
    code: Option<Vec<u8>>,
}

impl Grown {
    /// Returns those of a valid module; `None` for one that cannot be read.
    pub(super) fn of(binary: &Binary<'_>, counts: &Counts) -> Option<Self> {
        let mut grown = Self {
            first_type: u32::try_from(counts.params.len()).ok()?,
            first_function: counts.imported_functions.checked_add(u32::try_from(counts.functions.len()).ok()?)?,
            growers: counts.imported_tables.checked_add(counts.tables)?,
            all: types(binary)?,
            places: BTreeMap::new(),
            tables: Vec::new(),
            code: None,
        };
        let mut bodies = Vec::new();
        for payload in binary.payloads() {
            match payload {
                Payload::CodeSectionStart { count, .. } => count.encode(&mut bodies),
                Payload::CodeSectionEntry(entry) => grown.body(binary.bytes(), entry, &mut bodies)?,
                _ => {}
            }
        }
        grown.code = (!grown.tables.is_empty()).then_some(bodies);
        Some(grown)
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = u32> {
        self.tables.iter().copied()
    }

    pub(super) fn code(&self) -> Option<&[u8]> {
        self.code.as_deref()
    }

    /// Returns the type of the function for each table, in the binary format.
    pub(super) fn types(&self) -> impl Iterator<Item = [u8; 6]> {
        let types = self.tables.iter().filter_map(|table| self.all.get(usize::try_from(*table).ok()?));
        types.map(|(element, index)| [0x60, 2, *element, *index, 1, *index])
    }

    /// Returns the type of each function that calls the host's, and its body.
    pub(super) fn functions(&self) -> impl Iterator<Item = (u32, Vec<u8>)> {
        (0u32..).zip(&self.tables).map(|(place, _)| {
            let ty = self.first_type.saturating_add(place);
            let mut body = Vec::new();
            // No locals.
            0u32.encode(&mut body);
            let mut sink = InstructionSink::new(&mut body);
            sink.local_get(0).local_get(1).i32_const(place.cast_signed()).call_indirect(self.growers, ty).end();
            (ty, body)
        })
    }

    /// Returns the type of the table with the host's functions.
    pub(super) fn growers(&self) -> TableType {
        let count = self.tables.len() as u64;
        TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: count,
            maximum: Some(count),
            shared: false,
        }
    }

    /// Writes a function.
    fn body(&mut self, bytes: &[u8], entry: &FunctionBody<'_>, out: &mut Vec<u8>) -> Option<()> {
        let start = entry.get_operators_reader().ok()?.original_position();
        let body = bytes.get(start..entry.range().end)?;
        let mut new = bytes.get(entry.range().start..start)?.to_vec();
        let mut skim = Skim::new(body);
        // The length of the code that has been written.
        let mut written = 0;
        while skim.left() > 0 {
            if skim.pass() {
                continue;
            }
            let at = body.len().checked_sub(skim.left())?;
            let op = skim.next()?;
            if op.code == code::MISC && op.first == code::TABLE_GROW {
                let mut reader = BinaryReader::new(body.get(at.checked_add(1)?..)?, 0);
                reader.read_var_u32().ok()?;
                let place = self.place(reader.read_var_u32().ok()?)?;
                new.extend_from_slice(body.get(written..at)?);
                InstructionSink::new(&mut new).call(self.first_function.checked_add(place)?);
                written = body.len().checked_sub(skim.left())?;
            }
        }
        new.extend_from_slice(body.get(written..)?);
        new.encode(out);
        Some(())
    }

    fn place(&mut self, table: u32) -> Option<u32> {
        let next = u32::try_from(self.tables.len()).ok()?;
        let place = *self.places.entry(table).or_insert(next);
        if place == next {
            self.tables.push(table);
        }
        Some(place)
    }
}

/// Returns the types of all tables.
fn types(binary: &Binary<'_>) -> Option<Vec<Types>> {
    let of = |ty: wasmparser::TableType| {
        let element = if ty.element_type.is_func_ref() { FUNC_REF } else { EXTERN_REF };
        (element, if ty.table64 { I64 } else { I32 })
    };
    let mut types = Vec::new();
    for payload in binary.payloads() {
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.clone() {
                    if let TypeRef::Table(ty) = import.ok()?.ty {
                        types.push(of(ty));
                    }
                }
            }
            Payload::TableSection(tables) => {
                for table in tables.clone() {
                    types.push(of(table.ok()?.ty));
                }
            }
            _ => {}
        }
    }
    Some(types)
}
