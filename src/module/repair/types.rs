//! The types of a module: its own, and those that rewritten blocks need.

use wasm_encoder::{Encode, TypeSection};
use wasmparser::{BlockType, FuncType, ValType};

/// The function types of a module, by index.
#[derive(Default)]
pub(super) struct Types {
    types: Vec<FuncType>,
    /// The number of types in the original module.
    original: usize,
}

impl Types {
    pub(super) fn push_original(&mut self, ty: FuncType) {
        self.types.push(ty);
        self.original = self.types.len();
    }

    pub(super) fn get(&self, index: u32) -> Option<&FuncType> {
        self.types.get(usize::try_from(index).ok()?)
    }

    /// Returns the parameters of a block.
    pub(super) fn params(&self, ty: BlockType) -> Option<&[ValType]> {
        match ty {
            BlockType::Empty | BlockType::Type(_) => Some(&[]),
            BlockType::FuncType(index) => self.get(index).map(FuncType::params),
        }
    }

    /// Returns the results of a block.
    pub(super) fn results(&self, ty: BlockType) -> Option<Vec<ValType>> {
        match ty {
            BlockType::Empty => Some(Vec::new()),
            BlockType::Type(ty) => Some(vec![ty]),
            BlockType::FuncType(index) => self.get(index).map(|ty| ty.results().to_vec()),
        }
    }

    /// Returns the block type with these results and no parameters, appending it to the module's types if necessary.
    pub(super) fn block(&mut self, results: &[ValType]) -> Option<wasm_encoder::BlockType> {
        Some(match results {
            [] => wasm_encoder::BlockType::Empty,
            [one] => wasm_encoder::BlockType::Result(encoded(*one)?),
            many => wasm_encoder::BlockType::FunctionType(self.without_params(many)?),
        })
    }

    /// Returns the index of the type with these results and no parameters, appending it if necessary.
    pub(super) fn without_params(&mut self, results: &[ValType]) -> Option<u32> {
        let same = |ty: &FuncType| ty.params().is_empty() && ty.results() == results;
        let index = self.types.iter().position(same).unwrap_or(self.types.len());
        if index == self.types.len() {
            self.types.push(FuncType::new([], results.iter().copied()));
        }
        u32::try_from(index).ok()
    }

    /// Returns the current number of types.
    pub(super) fn len(&self) -> usize {
        self.types.len()
    }

    /// Writes the appended types as a type section contains them.
    pub(super) fn encode_new(&self, out: &mut Vec<u8>) -> Option<()> {
        for ty in self.types.get(self.original..)? {
            let results = ty.results().iter().map(|ty| encoded(*ty)).collect::<Option<Vec<_>>>()?;
            let mut one = TypeSection::new();
            one.ty().function([], results);
            // After the section's size and count, which one entry of this kind keeps to one or two bytes.
            let mut section = Vec::new();
            one.encode(&mut section);
            let mut reader = wasmparser::BinaryReader::new(&section, 0);
            reader.read_var_u32().ok()?;
            reader.read_var_u32().ok()?;
            out.extend_from_slice(section.get(reader.original_position()..)?);
        }
        Some(())
    }
}

/// Returns a value type in the encoder's form; `None` for a reference type that wasmi does not run.
pub(in crate::module) fn encoded(ty: ValType) -> Option<wasm_encoder::ValType> {
    Some(match ty {
        ValType::I32 => wasm_encoder::ValType::I32,
        ValType::I64 => wasm_encoder::ValType::I64,
        ValType::F32 => wasm_encoder::ValType::F32,
        ValType::F64 => wasm_encoder::ValType::F64,
        ValType::V128 => wasm_encoder::ValType::V128,
        ty if ty == ValType::FUNCREF => wasm_encoder::ValType::FUNCREF,
        ty if ty == ValType::EXTERNREF => wasm_encoder::ValType::EXTERNREF,
        ValType::Ref(_) => return None,
    })
}
