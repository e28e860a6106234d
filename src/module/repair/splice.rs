//! Assembles a module from unchanged sections and rewritten ones.

use std::ops::Range;

use wasm_encoder::{Encode, SectionId};
use wasmparser::{BinaryReader, FunctionBody, ImportSectionReader, MemorySectionReader, Payload, TypeRef};

use super::partial_instance::Start;
use super::scan::Scan;
use super::{body, many_locals, memory_maximum};
use crate::module::binary::Binary;

/// A rewritten module is at most this many times as large as the original, plus [`ALLOWANCE`] bytes. A larger one was
/// built to be large: hundreds of parameters that every branch carries.
const GROWTH: usize = 8;
const ALLOWANCE: usize = 1 << 20;

const HEADER: usize = 8;

/// Rewrites what the scan found; `None` if that is not possible.
pub(super) fn module(binary: &Binary<'_>, mut scan: Scan) -> Option<Vec<u8>> {
    let bytes = binary.bytes();
    let most = bytes.len().checked_mul(GROWTH)?.checked_add(ALLOWANCE)?;
    let new_start = if scan.stops_half_way() { Some(NewStart::of(binary, &mut scan)?) } else { None };
    // Done before the type section is written, which includes the types that the code needs.
    let code = code_section(binary, &mut scan, most, new_start.as_ref())?;
    let mut out = Vec::with_capacity(bytes.len().checked_add(code.len())?);
    out.extend_from_slice(bytes.get(..HEADER)?);
    for payload in binary.payloads() {
        let Some((id, range)) = payload.as_section() else { continue };
        let mut section = Vec::new();
        match (payload, &new_start) {
            (Payload::TypeSection(types), _) => type_section(bytes, types.range(), &scan, &mut section)?,
            (Payload::ImportSection(imports), _) => import_section(bytes, imports.clone(), &mut section)?,
            (Payload::MemorySection(memories), _) => memory_section(memories.clone(), &mut section)?,
            (Payload::CodeSectionStart { .. }, _) => section.extend_from_slice(&code),
            (Payload::FunctionSection(functions), Some(new)) => {
                functions.count().checked_add(1)?.encode(&mut section);
                section.extend_from_slice(bytes.get(skip_count(range.start, bytes)?..range.end)?);
                new.ty.encode(&mut section);
            }
            // Written with the element section, which exists.
            (Payload::StartSection { .. } | Payload::DataCountSection { .. }, Some(_)) => continue,
            (Payload::ElementSection(_), Some(new)) => {
                let mut start = Vec::new();
                new.index.encode(&mut start);
                out.push(SectionId::Start.into());
                start.encode(&mut out);
                out.push(id);
                new.elements.encode(&mut out);
                if let Some((count, _)) = &new.data {
                    let mut data_count = Vec::new();
                    count.encode(&mut data_count);
                    out.push(SectionId::DataCount.into());
                    data_count.encode(&mut out);
                }
                continue;
            }
            (Payload::DataSection(_), Some(new)) => section.extend_from_slice(&new.data.as_ref()?.1),
            _ => section.extend_from_slice(bytes.get(range)?),
        }
        out.push(id);
        section.encode(&mut out);
    }
    Some(out)
}

/// The start function that copies the segments of a module, and the segments.
struct NewStart {
    ty: u32,
    index: u32,
    body: Vec<u8>,
    elements: Vec<u8>,
    /// The number of data segments, and their section.
    data: Option<(u32, Vec<u8>)>,
}

impl NewStart {
    fn of(binary: &Binary<'_>, scan: &mut Scan) -> Option<Self> {
        let bytes = binary.bytes();
        let mut start = Start::default();
        let mut elements = Vec::new();
        let mut data = None;
        for payload in binary.payloads() {
            match payload {
                Payload::ElementSection(segments) => start.elements(bytes, segments.clone(), &mut elements)?,
                Payload::DataSection(segments) => {
                    let count = segments.count();
                    let mut section = Vec::new();
                    start.data(bytes, segments.clone(), &mut section)?;
                    data = Some((count, section));
                }
                _ => {}
            }
        }
        let mut body = Vec::new();
        start.encode(scan.segments.start, &mut body);
        let index = u32::try_from(scan.function_count()).ok()?;
        Some(Self { ty: scan.types.without_params(&[])?, index, body, elements, data })
    }
}

fn type_section(bytes: &[u8], range: Range<usize>, scan: &Scan, out: &mut Vec<u8>) -> Option<()> {
    u32::try_from(scan.types.len()).ok()?.encode(out);
    out.extend_from_slice(bytes.get(skip_count(range.start, bytes)?..range.end)?);
    scan.types.encode_new(out)
}

fn code_section(binary: &Binary<'_>, scan: &mut Scan, most: usize, new_start: Option<&NewStart>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut index = 0usize;
    for payload in binary.payloads() {
        match payload {
            Payload::CodeSectionStart { count, .. } => {
                count.checked_add(u32::from(new_start.is_some()))?.encode(&mut out);
            }
            Payload::CodeSectionEntry(entry) => {
                function(binary.bytes(), index, entry, scan, &mut out)?;
                index = index.checked_add(1)?;
                if out.len() > most {
                    return None;
                }
            }
            _ => {}
        }
    }
    if let Some(new) = new_start {
        out.extend_from_slice(&new.body);
    }
    Some(out)
}

fn function(bytes: &[u8], index: usize, entry: &FunctionBody<'_>, scan: &mut Scan, out: &mut Vec<u8>) -> Option<()> {
    match scan.found_in(index) {
        Some(shapes) if shapes.has_many_locals() => {
            let params = u32::try_from(scan.function_type(index)?.params().len()).ok()?;
            let compact = many_locals::compact(bytes, entry, params)?;
            let entry = FunctionBody::new(BinaryReader::new(&compact, 0));
            body::rewrite(&compact, index, &entry, shapes, scan, out)
        }
        Some(shapes) => body::rewrite(bytes, index, entry, shapes, scan, out),
        None => {
            bytes.get(entry.range())?.encode(out);
            Some(())
        }
    }
}

fn import_section(bytes: &[u8], imports: ImportSectionReader<'_>, out: &mut Vec<u8>) -> Option<()> {
    imports.count().encode(out);
    let end = imports.range().end;
    let entries = imports.into_iter_with_offsets().collect::<Result<Vec<_>, _>>().ok()?;
    let ends = entries.iter().skip(1).map(|(start, _)| *start).chain([end]);
    for ((start, import), end) in entries.iter().zip(ends) {
        let raw = bytes.get(*start..end)?;
        match &import.ty {
            TypeRef::Memory(ty) if memory_maximum::is_too_great(ty) => memory_maximum::encode_import(raw, ty, out)?,
            _ => out.extend_from_slice(raw),
        }
    }
    Some(())
}

fn memory_section(memories: MemorySectionReader<'_>, out: &mut Vec<u8>) -> Option<()> {
    memories.count().encode(out);
    for ty in memories {
        memory_maximum::encode(&ty.ok()?, out);
    }
    Some(())
}

/// Returns where a section's entries begin, after their count.
fn skip_count(section: usize, bytes: &[u8]) -> Option<usize> {
    let mut reader = wasmparser::BinaryReader::new(bytes.get(section..)?, section);
    reader.read_var_u32().ok()?;
    Some(reader.original_position())
}
