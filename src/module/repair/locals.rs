//! The locals added to a rewritten function.

use std::collections::BTreeMap;

use wasmparser::ValType;

use super::types::encoded;

/// New locals, allocated by type: asking twice for the same types returns the same locals.
pub(super) struct Locals {
    first: u32,
    types: Vec<ValType>,
    /// The set locals of each type, in order.
    known: BTreeMap<u32, Vec<u32>>,
    /// The locals that are never set.
    unset: Vec<(ValType, u32)>,
}

impl Locals {
    /// Starts without any, for a function whose next local is `first`.
    pub(super) fn new(first: u32) -> Self {
        Self { first, types: Vec::new(), known: BTreeMap::new(), unset: Vec::new() }
    }

    /// Returns the types of the added locals.
    pub(super) fn types(&self) -> &[ValType] {
        &self.types
    }

    /// Returns locals for operands of these types: the same ones for the same types.
    pub(super) fn of(&mut self, types: &[ValType]) -> Option<Vec<u32>> {
        let mut used = BTreeMap::<u32, usize>::new();
        let mut locals = Vec::with_capacity(types.len());
        for ty in types {
            let nth = used.entry(key(*ty)?).or_default();
            locals.push(self.nth(*ty, *nth)?);
            *nth = nth.checked_add(1)?;
        }
        Some(locals)
    }

    /// Returns a local for an i32 that is on the stack above operands of these types.
    pub(super) fn behind(&mut self, types: &[ValType]) -> Option<u32> {
        self.nth(ValType::I32, types.iter().filter(|ty| **ty == ValType::I32).count())
    }

    /// Returns a local that is never set.
    pub(super) fn unset(&mut self, ty: ValType) -> Option<u32> {
        if let Some((_, local)) = self.unset.iter().find(|(known, _)| *known == ty) {
            return Some(*local);
        }
        let local = self.push(ty)?;
        self.unset.push((ty, local));
        Some(local)
    }

    /// Returns the `nth` local of this type among those that are set.
    pub(super) fn nth(&mut self, ty: ValType, nth: usize) -> Option<u32> {
        let key = key(ty)?;
        if let Some(local) = self.known.get(&key).and_then(|known| known.get(nth)) {
            return Some(*local);
        }
        let local = self.push(ty)?;
        self.known.entry(key).or_default().push(local);
        Some(local)
    }

    fn push(&mut self, ty: ValType) -> Option<u32> {
        let local = self.first.checked_add(u32::try_from(self.types.len()).ok()?)?;
        self.types.push(ty);
        Some(local)
    }
}

/// Returns a key that distinguishes value types in a map.
fn key(ty: ValType) -> Option<u32> {
    let mut bytes = Vec::new();
    wasm_encoder::Encode::encode(&encoded(ty)?, &mut bytes);
    bytes.first().map(|byte| u32::from(*byte))
}
