//! Rewrites a function body.

use wasm_encoder::{BlockType, Encode, InstructionSink};
use wasmparser::{FunctionBody, ValType};

use super::lowering::Lowering;
use super::many_locals::is_local;
use super::recent::Window;
use super::scan::{Scan, Shapes};
use super::types::encoded;
use super::{select, store_to_itself};
use crate::module::skim::{self, Skim};

/// Writes a body as a code section contains it, with its size. `None` for a body that no valid module has, or for code
/// that grows too large.
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
    let ty = scan.function_type(index)?;
    let results = ty.results().to_vec();
    let mut count = u32::try_from(ty.params().len()).ok()?;
    for _ in 0..groups {
        count = count.checked_add(locals.read().ok()?.0)?;
    }
    let groups_end = locals.original_position();

    let mut lowering = Lowering::new(results, count);
    let mut code = Vec::with_capacity(body.range().len());
    let mut operators = body.get_operators_reader().ok()?;
    let original = bytes.get(groups_end..body.range().end)?;
    let mut window = Window::default();
    while !operators.eof() {
        let (operator, start) = operators.read_with_offset().ok()?;
        let raw = bytes.get(start..operators.original_position())?;
        let op = Skim::new(raw).next()?;
        if is_local(op) && op.first >= i64::from(count) {
            // The function is not valid, and new locals could make it so.
            return None;
        }
        if (select::is_select(op) && !window.recent(original).is_safe_condition())
            || (store_to_itself::is_long(op) && !window.recent(original).is_safe_store())
        {
            // See `select` and `store_to_itself`.
            InstructionSink::new(&mut code).block(BlockType::Empty).end();
        }
        if !(shapes.has_branches() && lowering.lower(&operator, &mut scan.types, &mut code)?) {
            code.extend_from_slice(raw);
        }
        if op.code == skim::code::MEMORY_GROW && scan.memories.may_be_first(op.first) {
            scan.memories.refresh(&mut lowering, &mut code)?;
        }
        window.push(original.len().checked_sub(start.checked_sub(groups_end)?)?);
    }

    let mut added = lowering.locals.types().to_vec();
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
