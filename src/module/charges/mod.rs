//! Begins a new charge of fuel after each place from which a branch may skip code.
//!
//! wasmi 2.0.0 charges fuel where a function, a loop or an arm of an `if` begins, for all its
//! instructions outside nested loops and `if`s. It thus charges for what a branch skips: a
//! `br_table` in a loop pays for all its arms in each round.
//!
//! A `loop` that no branch targets computes nothing, but wasmi begins a charge with it. So the code after a place where
//! control may have left is wrapped in such a loop, up to the next such place or the end of the enclosing block:
//!
//! ```wat
//! block $b                        block $b
//!   br_if $b                        br_if $b
//!   …                     →         loop … end
//! end                             end
//! ```
//!
//! Only functions with a `br_table` are rewritten. Others pay for a few arms that they do not run: at most for the
//! whole function once per call or round. Those with a `br_table` pay for hundreds.
//!
//! | file | |
//! | --- | --- |
//! | `places` | where charges may begin, and which of these places get one |
//! | `signatures`, `effect` | the height of the stack, which `places` tracks |
//! | `table` | the targets of a `br_table` |
//! | `body` | writes a function with its new loops |
//!
//! Remove with the first wasmi that charges a block where it is entered.

mod body;
mod effect;
mod places;
mod signatures;
mod table;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests;

use std::collections::BTreeSet;

use wasm_encoder::{Encode, SectionId};
use wasmparser::{BinaryReader, FunctionBody, Payload};

use self::signatures::Signatures;
#[cfg(all(test, feature = "isolated"))]
pub(crate) use self::tests::random;
use super::binary::Binary;

/// How many instructions that do not run a charge may include. A smaller number makes more charges, and each takes
/// about the time of one or two instructions.
pub(crate) const SHORT: u32 = 32;

/// Bodies of at most this many bytes are too small for a place.
const SMALL: usize = 64;

const HEADER: usize = 8;

/// Returns the module with new charges in the function bodies of these indices, where a charge would include more than
/// `short` instructions that do not run; `None` for a module that needs none or is not valid. An invalid module may
/// become a different invalid one.
pub(crate) fn split(binary: &Binary<'_>, bodies: &BTreeSet<usize>, short: u32) -> Option<Vec<u8>> {
    if bodies.is_empty() {
        return None;
    }
    let bytes = binary.bytes();
    let signatures = Signatures::of(binary)?;
    let mut out = Vec::new();
    // The number of the module's bytes already in `out`.
    let mut written = 0usize;
    // Where the last section or function ends.
    let mut end = HEADER;
    let mut section = 0..0;
    let mut size_at = 0usize;
    let mut index = 0usize;
    for payload in binary.payloads() {
        match payload {
            Payload::CodeSectionStart { range, .. } => {
                let mut reader = BinaryReader::new(bytes.get(range.clone())?, 0);
                reader.read_var_u32().ok()?;
                section = end..range.end;
                size_at = range.start;
                end = range.start.checked_add(reader.original_position())?;
                continue;
            }
            Payload::CodeSectionEntry(entry) => {
                let is_wanted = bodies.contains(&index) && (entry.range().len() > SMALL || short == 0);
                let split = if is_wanted { function(bytes, index, entry, &signatures, short)? } else { None };
                if let Some(split) = split {
                    if out.is_empty() {
                        out.reserve(bytes.len().checked_add(section.len() / 16)?);
                        out.extend_from_slice(bytes.get(..section.start)?);
                        out.push(SectionId::Code.into());
                        out.extend_from_slice(&[0; SIZE]);
                        written = size_at;
                        size_at = out.len();
                    }
                    out.extend_from_slice(bytes.get(written..end)?);
                    split.encode(&mut out);
                    written = entry.range().end;
                }
                end = entry.range().end;
                index = index.checked_add(1)?;
            }
            payload => end = payload.as_section().map_or(end, |(_, range)| range.end),
        }
    }
    if out.is_empty() {
        return None;
    }
    out.extend_from_slice(bytes.get(written..section.end)?);
    let size = u32::try_from(out.len().checked_sub(size_at)?).ok()?;
    out.get_mut(size_at.checked_sub(SIZE)?..size_at)?.copy_from_slice(&padded(size));
    out.extend_from_slice(bytes.get(section.end..)?);
    Some(out)
}

/// The number of bytes written for a section's size, whatever its value.
const SIZE: usize = 5;

/// Encodes a number in LEB128 with the maximum length.
fn padded(number: u32) -> [u8; SIZE] {
    let part = |shift: u32| (number >> shift) as u8 | 0x80;
    [part(0), part(7), part(14), part(21), (number >> 28) as u8]
}

/// Returns a function body with new charges; `Some(None)` if it needs none.
fn function(
    bytes: &[u8],
    index: usize,
    entry: &FunctionBody<'_>,
    signatures: &Signatures,
    short: u32,
) -> Option<Option<Vec<u8>>> {
    let start = entry.get_operators_reader().ok()?.original_position();
    let code = bytes.get(start..entry.range().end)?;
    let places = places::places(code, signatures.body(index)?, signatures, short)?;
    if places.is_empty() {
        return Some(None);
    }
    let mut out = Vec::with_capacity(entry.range().len().checked_mul(2)?);
    out.extend_from_slice(bytes.get(entry.range().start..start)?);
    body::write(code, &places, &mut out)?;
    Some(Some(out))
}
