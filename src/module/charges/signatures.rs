//! What code takes from the stack and leaves there, according to the module's types.

use wasmparser::{FuncType, Payload, TypeRef};

use crate::module::binary::Binary;
use crate::module::repair::encoded;

/// The encoding of a block's type: an index, or a negative number for no result or one.
pub(super) type BlockType = i64;

pub(super) const NOTHING: BlockType = -0x40;

/// The types of a module's functions.
#[derive(Default)]
pub(super) struct Signatures {
    types: Vec<Signature>,
    /// The type index of each function, including imported ones, which come first.
    functions: Vec<u32>,
    imported: usize,
}

#[derive(Clone, Copy)]
pub(super) struct Signature {
    pub(super) params: usize,
    pub(super) results: usize,
    /// The type of a block with these results and no parameters, if the module has one.
    pub(super) block: Option<BlockType>,
}

impl Signatures {
    /// Reads the types of a module; `None` if it is not valid.
    pub(super) fn of(binary: &Binary<'_>) -> Option<Self> {
        let mut signatures = Self::default();
        for payload in binary.payloads() {
            match payload {
                Payload::TypeSection(types) => {
                    for ty in types.clone().into_iter_err_on_gc_types() {
                        let index = i64::try_from(signatures.types.len()).ok()?;
                        signatures.types.push(signature(&ty.ok()?, index));
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports.clone() {
                        if let TypeRef::Func(ty) = import.ok()?.ty {
                            signatures.functions.push(ty);
                        }
                    }
                    signatures.imported = signatures.functions.len();
                }
                Payload::FunctionSection(functions) => {
                    for ty in functions.clone() {
                        signatures.functions.push(ty.ok()?);
                    }
                }
                _ => {}
            }
        }
        Some(signatures)
    }

    /// Returns the type of a function.
    pub(super) fn function(&self, index: i64) -> Option<Signature> {
        self.indexed(i64::from(*self.functions.get(usize::try_from(index).ok()?)?))
    }

    /// Returns the type of the function with this body.
    pub(super) fn body(&self, index: usize) -> Option<Signature> {
        self.function(i64::try_from(self.imported.checked_add(index)?).ok()?)
    }

    /// Returns the type at an index.
    pub(super) fn indexed(&self, index: i64) -> Option<Signature> {
        self.types.get(usize::try_from(index).ok()?).copied()
    }

    pub(super) fn block(&self, ty: BlockType) -> Option<Signature> {
        match ty {
            NOTHING => Some(Signature { params: 0, results: 0, block: Some(ty) }),
            ..0 => Some(Signature { params: 0, results: 1, block: Some(ty) }),
            0.. => self.indexed(ty),
        }
    }
}

fn signature(ty: &FuncType, index: i64) -> Signature {
    let block = match (ty.params(), ty.results()) {
        (_, []) => Some(NOTHING),
        (_, [one]) => encoded(*one).map(negative),
        ([], _) => Some(index),
        _ => None,
    };
    Signature { params: ty.params().len(), results: ty.results().len(), block }
}

/// Returns the negative number that encodes a value type.
fn negative(ty: wasm_encoder::ValType) -> BlockType {
    let mut byte = Vec::new();
    wasm_encoder::Encode::encode(&ty, &mut byte);
    byte.first().map_or(NOTHING, |byte| i64::from(*byte) - 0x80)
}
