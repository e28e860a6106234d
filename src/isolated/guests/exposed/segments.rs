//! The passive segments of a module, and the functions that tell about them.

use wasm_encoder::InstructionSink;
use wasmparser::{DataKind, ElementItems, ElementKind, MemoryType, Payload, RefType, TableType, TypeRef};

use super::layout::Segment;
use crate::module::Binary;

/// The passive segments whose state an instance can observe: those that are not empty and that can be copied somewhere.
/// Active and declared segments are dropped when an instance is made.
#[derive(Default)]
pub(super) struct Passive(Vec<Found>);

struct Found {
    segment: Segment,
    length: u32,
    /// The index of a memory or table that the segment can be copied to, and whether its addresses have 64 bits.
    target: u32,
    is_64: bool,
}

impl Passive {
    /// Returns the segments of a valid module; `None` for one whose sections cannot be read.
    pub(super) fn of(binary: &Binary<'_>) -> Option<Self> {
        let mut found = Vec::new();
        let mut memories: Vec<MemoryType> = Vec::new();
        let mut tables: Vec<TableType> = Vec::new();
        let mut has_data_count = false;
        // In the order of the sections, each of which refers only to what comes before it.
        for payload in binary.payloads() {
            match payload {
                Payload::ImportSection(imports) => {
                    for import in imports.clone() {
                        match import.ok()?.ty {
                            TypeRef::Memory(ty) => memories.push(ty),
                            TypeRef::Table(ty) => tables.push(ty),
                            _ => {}
                        }
                    }
                }
                Payload::TableSection(section) => {
                    for table in section.clone() {
                        tables.push(table.ok()?.ty);
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section.clone() {
                        memories.push(memory.ok()?);
                    }
                }
                Payload::ElementSection(section) => {
                    for (index, element) in (0..).zip(section.clone()) {
                        let element = element.ok()?;
                        let (ty, length) = match element.items {
                            ElementItems::Functions(items) => (RefType::FUNCREF, items.count()),
                            ElementItems::Expressions(ty, items) => (ty, items.count()),
                        };
                        let target = (0..).zip(&tables).find(|(_, table)| table.element_type == ty);
                        if let (ElementKind::Passive, Some((target, table)), 1..) = (element.kind, target, length) {
                            let segment = Segment::Element(index);
                            found.push(Found { segment, length, target, is_64: table.table64 });
                        }
                    }
                }
                Payload::DataCountSection { .. } => has_data_count = true,
                // Without the count, no code refers to data segments.
                Payload::DataSection(section) if has_data_count => {
                    for (index, data) in (0..).zip(section.clone()) {
                        let data = data.ok()?;
                        let length = u32::try_from(data.data.len()).ok()?;
                        if let (DataKind::Passive, Some(memory), 1..) = (data.kind, memories.first(), length) {
                            let segment = Segment::Data(index);
                            found.push(Found { segment, length, target: 0, is_64: memory.memory64 });
                        }
                    }
                }
                _ => {}
            }
        }
        Some(Self(found))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn segments(&self) -> impl Iterator<Item = Segment> {
        self.0.iter().map(|found| found.segment)
    }

    /// Returns the bodies of the two functions of each segment: one that traps if it was dropped, and one that drops it.
    pub(super) fn functions(&self) -> impl Iterator<Item = [Vec<u8>; 2]> {
        self.0.iter().map(|found| [found.probe(), found.drop()])
    }
}

impl Found {
    fn probe(&self) -> Vec<u8> {
        body(|sink| {
            if self.is_64 {
                sink.i64_const(0)
            } else {
                sink.i32_const(0)
            };
            sink.i32_const(self.length.cast_signed()).i32_const(0);
            match self.segment {
                Segment::Data(index) => sink.memory_init(self.target, index),
                Segment::Element(index) => sink.table_init(self.target, index),
            };
        })
    }

    fn drop(&self) -> Vec<u8> {
        body(|sink| {
            match self.segment {
                Segment::Data(index) => sink.data_drop(index),
                Segment::Element(index) => sink.elem_drop(index),
            };
        })
    }
}

/// Returns the body of a function without locals.
fn body(write: impl FnOnce(&mut InstructionSink<'_>)) -> Vec<u8> {
    let mut code = vec![0];
    let mut sink = InstructionSink::new(&mut code);
    write(&mut sink);
    sink.end();
    code
}
