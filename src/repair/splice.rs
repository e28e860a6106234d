//! A module, put together from sections that stay and sections that are rewritten.

use wasm_encoder::Encode;
use wasmparser::{FunctionBody, ImportSectionReader, MemorySectionReader, Parser, Payload, TypeRef};

use super::scan::Scan;
use super::{body, memory_maximum};

/// A rewritten module is at most this many times as large as it was, and [`ALLOWANCE`] bytes. What is beyond is made
/// to be large: hundreds of parameters, taken along by every branch.
const GROWTH: usize = 8;
const ALLOWANCE: usize = 1 << 20;

const HEADER: usize = 8;

/// Rewrites what the scan found; `None` where that cannot be done.
pub(super) fn module(bytes: &[u8], mut scan: Scan) -> Option<Vec<u8>> {
    let most = bytes.len().checked_mul(GROWTH)?.checked_add(ALLOWANCE)?;
    let code = code_section(bytes, &mut scan, most)?;
    let mut out = Vec::with_capacity(bytes.len().checked_add(code.len())?);
    out.extend_from_slice(bytes.get(..HEADER)?);
    let mut has_types = false;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.ok()?;
        let mut section = Vec::new();
        match &payload {
            Payload::TypeSection(types) => {
                has_types = true;
                u32::try_from(scan.types.len()).ok()?.encode(&mut section);
                let entries = skip_count(types.range().start, bytes)?;
                section.extend_from_slice(bytes.get(entries..types.range().end)?);
                scan.types.encode_new(&mut section)?;
            }
            Payload::ImportSection(imports) => import_section(bytes, imports.clone(), &mut section)?,
            Payload::MemorySection(memories) => memory_section(memories.clone(), &mut section)?,
            Payload::CodeSectionStart { .. } => section.extend_from_slice(&code),
            other => {
                if let Some((id, range)) = other.as_section() {
                    out.push(id);
                    bytes.get(range)?.encode(&mut out);
                }
                continue;
            }
        }
        out.push(payload.as_section()?.0);
        section.encode(&mut out);
    }
    // A new type is one of a block whose parameters had a type in the module.
    (has_types || !scan.types.has_new()).then_some(out)
}

fn code_section(bytes: &[u8], scan: &mut Scan, most: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut index = 0usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::CodeSectionStart { count, .. } => count.encode(&mut out),
            Payload::CodeSectionEntry(entry) => {
                function(bytes, index, &entry, scan, &mut out)?;
                index = index.checked_add(1)?;
                if out.len() > most {
                    return None;
                }
            }
            _ => {}
        }
    }
    Some(out)
}

fn function(bytes: &[u8], index: usize, entry: &FunctionBody<'_>, scan: &mut Scan, out: &mut Vec<u8>) -> Option<()> {
    match scan.found_in(index) {
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

/// Where a section's entries begin, behind their count.
fn skip_count(section: usize, bytes: &[u8]) -> Option<usize> {
    let mut reader = wasmparser::BinaryReader::new(bytes.get(section..)?, section);
    reader.read_var_u32().ok()?;
    Some(reader.original_position())
}
