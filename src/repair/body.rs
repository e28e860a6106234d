//! A function body, rewritten.

use wasm_encoder::Encode;
use wasmparser::{FunctionBody, ValType};

use super::block_params::Lowering;
use super::scan::{Scan, Shapes};
use super::select;
use super::types::encoded;

/// Writes a body as it stands in a code section, with its size. `None` for what no valid module has.
pub(super) fn rewrite(
    bytes: &[u8],
    index: usize,
    body: &FunctionBody<'_>,
    shapes: Shapes,
    scan: &mut Scan,
    out: &mut Vec<u8>,
) -> Option<()> {
    let mut locals = body.get_locals_reader().ok()?;
    let groups = locals.get_count();
    let groups_start = locals.original_position();
    let mut count = u32::try_from(scan.param_count(index)).ok()?;
    for _ in 0..groups {
        count = count.checked_add(locals.read().ok()?.0)?;
    }
    let groups_end = locals.original_position();

    let mut lowering = Lowering::new(scan.results(index)?, count);
    let mut code = Vec::with_capacity(body.range().len());
    let mut operators = body.get_operators_reader().ok()?;
    let mut condition_is_safe = false;
    while !operators.eof() {
        let (operator, start) = operators.read_with_offset().ok()?;
        if select::is_select(&operator) && !condition_is_safe {
            select::guard(&mut code);
        }
        if !(shapes.has_block_params && lowering.lower(&operator, &mut scan.types, &mut code)?) {
            code.extend_from_slice(bytes.get(start..operators.original_position())?);
        }
        condition_is_safe = select::is_safe_condition(&operator);
    }

    let mut added = lowering.new_locals().to_vec();
    if added.is_empty() && scan.needs_local(&shapes) {
        added.push(ValType::I32);
    }
    let mut new = Vec::with_capacity(code.len());
    groups.checked_add(u32::try_from(added.len()).ok()?)?.encode(&mut new);
    new.extend_from_slice(bytes.get(groups_start..groups_end)?);
    for ty in added {
        1u32.encode(&mut new);
        encoded(ty)?.encode(&mut new);
    }
    new.extend_from_slice(&code);
    new.encode(out);
    Some(())
}
