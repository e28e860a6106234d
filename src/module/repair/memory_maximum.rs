//! A 64-bit memory whose maximum is 2⁴⁸ pages.
//!
//! The specification allows it. wasmi accepts it, and panics when such a memory grows: 2⁴⁸ pages are 2⁶⁴ bytes, which
//! it counts in 64 bits (`Memory::max_size_in_bytes`). wasmi 1.1.0 does so too.
//!
//! The repair lowers the maximum by one page, which no memory reaches either. It applies to memories that scripts make,
//! too. Scripts see the maximum that was given.
//!
//! Remove with the first wasmi that counts a maximum in more than 64 bits.

use wasm_encoder::{Encode, MemoryType as Encoded};
use wasmparser::{BinaryReader, MemoryType};

/// The highest maximum, in pages of 64 KiB, that wasmi can count in bytes.
const GREATEST: u64 = (1 << 48) - 1;

/// Returns the maximum, or the highest one that wasmi can handle if that is lower.
pub(crate) fn clip(maximum: u64) -> u64 {
    maximum.min(GREATEST)
}

/// Returns the maximum that a memory was given, computed from the one that wasmi has. (A memory given 2⁴⁸ − 1 gains a
/// page that it cannot reach.)
pub(crate) fn given(maximum: u64) -> u64 {
    if maximum == GREATEST { GREATEST.saturating_add(1) } else { maximum }
}

/// Returns whether wasmi would panic when a memory of this type grows. One that begins with 2⁴⁸ pages is never made.
pub(super) fn is_too_great(ty: &MemoryType) -> bool {
    ty.page_size_log2.is_none() && ty.initial <= GREATEST && ty.maximum.is_some_and(|maximum| maximum > GREATEST)
}

/// Writes the type, with its maximum clipped if it is too high.
pub(super) fn encode(ty: &MemoryType, out: &mut Vec<u8>) {
    Encoded {
        minimum: ty.initial,
        maximum: ty.maximum.map(|maximum| if is_too_great(ty) { clip(maximum) } else { maximum }),
        memory64: ty.memory64,
        shared: ty.shared,
        page_size_log2: ty.page_size_log2,
    }
    .encode(out);
}

/// Writes a memory import, given as bytes, with its maximum clipped.
pub(super) fn encode_import(import: &[u8], ty: &MemoryType, out: &mut Vec<u8>) -> Option<()> {
    let mut reader = BinaryReader::new(import, 0);
    reader.read_string().ok()?;
    reader.read_string().ok()?;
    reader.read_u8().ok()?;
    out.extend_from_slice(import.get(..reader.original_position())?);
    encode(ty, out);
    Some(())
}
