//! One memory that a module imports twice.
//!
//! wasmi keeps the place and the length of the first memory at hand, and looks them up anew where that memory
//! grows. It does not know that another index may be the same memory: after `memory.grow 1` it reads and writes the
//! first one where it was, which is the host's memory by then.
//!
//! The repair is a growth of the first memory by nothing, after each growth of another imported one. It takes its
//! zero from a local that nobody sets, for wasmi compiles a growth by a constant zero as `memory.size`. It costs two
//! units of fuel. Only a module whose first memory is imported, and another one too, can have the two be one.
//!
//! Goes with the first wasmi that looks the first memory up after each `memory.grow`.

use wasm_encoder::InstructionSink;
use wasmparser::{MemoryType, ValType};

use super::lowering::Lowering;

/// The memories that a module imports.
#[derive(Default)]
pub(super) struct Memories {
    /// The index type of each.
    imported: Vec<ValType>,
}

impl Memories {
    pub(super) fn import(&mut self, ty: &MemoryType) {
        self.imported.push(if ty.memory64 { ValType::I64 } else { ValType::I32 });
    }

    /// Whether the memory of this index may be the first one under another index.
    pub(super) fn may_be_first(&self, index: i64) -> bool {
        index > 0 && usize::try_from(index).is_ok_and(|index| index < self.imported.len())
    }

    /// Writes what goes after a growth of a memory that may be the first one.
    pub(super) fn refresh(&self, lowering: &mut Lowering, out: &mut Vec<u8>) -> Option<()> {
        let zero = lowering.locals.unset(*self.imported.first()?)?;
        InstructionSink::new(out).local_get(zero).memory_grow(0).drop();
        Some(())
    }
}
