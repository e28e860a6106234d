//! The targets of a `br_table`.

use wasmparser::BinaryReader;

/// Returns the depths that a `br_table` at the beginning of these bytes may branch to, the default last.
pub(super) fn depths(raw: &[u8]) -> Option<Vec<u32>> {
    let mut reader = BinaryReader::new(raw.get(1..)?, 0);
    let count = reader.read_var_u32().ok()?;
    let mut depths = Vec::new();
    for _ in 0..count {
        depths.push(reader.read_var_u32().ok()?);
    }
    depths.push(reader.read_var_u32().ok()?);
    Some(depths)
}
