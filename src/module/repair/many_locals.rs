//! A function with more than 30,000 locals.
//!
//! By the specification's implementation limits, a function may have 50,000. wasmi refuses more than 30,000, including
//! parameters, with a message about parameters (`LocalsRegistry::register`).
//!
//! The repair removes the locals that no instruction uses. A function that uses more than 30,000 is refused with a
//! message of our own.
//!
//! Remove with the first wasmi that accepts 50,000.

use wasm_encoder::Encode;
use wasmparser::{FunctionBody, ValType};

use super::types::encoded;
use crate::module::skim::{Op, Skim, code};

/// The maximum number of locals in a function that wasmi accepts.
pub(super) const MAX_LOCALS: u32 = 30_000;

/// Returns whether an instruction uses a local.
pub(super) fn is_local(op: Op) -> bool {
    matches!(op.code, code::LOCAL_GET | code::LOCAL_SET | code::LOCAL_TEE)
}

/// The locals of a function, and which of them are used.
struct Locals {
    /// Groups of locals of one type, without the parameters.
    groups: Vec<(u32, ValType)>,
    /// For each local, parameters first. A parameter is always used.
    used: Vec<bool>,
    /// The offset of the code in the body.
    code: usize,
}

impl Locals {
    fn of(bytes: &[u8], body: &FunctionBody<'_>, params: u32) -> Option<Self> {
        let mut reader = body.get_locals_reader().ok()?;
        let mut groups = Vec::new();
        let mut count = params;
        for _ in 0..reader.get_count() {
            let group = reader.read().ok()?;
            count = count.checked_add(group.0)?;
            groups.push(group);
        }
        let code = reader.original_position();
        let mut used = vec![false; usize::try_from(count).ok()?];
        used.get_mut(..usize::try_from(params).ok()?)?.fill(true);
        let mut skim = Skim::new(bytes.get(code..body.range().end)?);
        while skim.left() > 0 {
            let op = skim.next()?;
            if is_local(op) {
                *used.get_mut(usize::try_from(op.first).ok()?)? = true;
            }
        }
        Some(Self { groups, used, code })
    }
}

/// Returns how many locals a function uses, including parameters; `None` for a body that no valid module has.
pub(super) fn used(bytes: &[u8], body: &FunctionBody<'_>, params: u32) -> Option<usize> {
    Locals::of(bytes, body, params).map(|locals| locals.used.into_iter().filter(|used| *used).count())
}

/// Returns the content of a body with only the locals that it uses.
pub(super) fn compact(bytes: &[u8], body: &FunctionBody<'_>, params: u32) -> Option<Vec<u8>> {
    let Locals { groups, used, code } = Locals::of(bytes, body, params)?;
    let mut flags = used.iter().skip(usize::try_from(params).ok()?);
    let mut kept = Vec::new();
    for (count, ty) in groups {
        let count = flags.by_ref().take(usize::try_from(count).ok()?).filter(|used| **used).count();
        if count > 0 {
            kept.push((u32::try_from(count).ok()?, encoded(ty)?));
        }
    }
    let mut next = 0u32;
    let mut indices = Vec::with_capacity(used.len());
    for used in used {
        indices.push(next);
        next = next.checked_add(u32::from(used))?;
    }
    let mut out = Vec::with_capacity(body.range().len());
    kept.len().encode(&mut out);
    for (count, ty) in kept {
        count.encode(&mut out);
        ty.encode(&mut out);
    }
    let code = bytes.get(code..body.range().end)?;
    let mut skim = Skim::new(code);
    while skim.left() > 0 {
        let begin = code.len().checked_sub(skim.left())?;
        let op = skim.next()?;
        if is_local(op) {
            out.push(op.code);
            indices.get(usize::try_from(op.first).ok()?)?.encode(&mut out);
        } else {
            out.extend_from_slice(code.get(begin..code.len().checked_sub(skim.left())?)?);
        }
    }
    Some(out)
}
