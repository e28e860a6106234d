//! A memory that a module imports twice.
//!
//! wasmi caches the address and length of the first memory, and refreshes them when that memory grows. It does not know
//! that another index may be the same memory: after `memory.grow 1` it still reads and writes the first memory at its
//! old place, which is host memory by then.
//!
//! The repair grows the first memory by zero pages after each growth of another imported one. The zero comes from a
//! local that is never set, since wasmi compiles a growth by a constant zero as `memory.size`. The repair costs two
//! units of fuel. The two can be the same memory only if the module imports its first memory and another one.
//!
//! Remove with the first wasmi that refreshes the first memory after each `memory.grow`.

use wasm_encoder::InstructionSink;
use wasmparser::{MemoryType, ValType};

use super::lowering::Lowering;

/// The memories that a module imports.
#[derive(Default)]
pub(super) struct Memories {
    /// Their index types.
    imported: Vec<ValType>,
}

impl Memories {
    pub(super) fn import(&mut self, ty: &MemoryType) {
        self.imported.push(if ty.memory64 { ValType::I64 } else { ValType::I32 });
    }

    /// Returns whether the memory of this index may be the first memory under another index.
    pub(super) fn may_be_first(&self, index: i64) -> bool {
        index > 0 && usize::try_from(index).is_ok_and(|index| index < self.imported.len())
    }

    /// Writes the code that follows the growth of a memory that may be the first one.
    pub(super) fn refresh(&self, lowering: &mut Lowering, out: &mut Vec<u8>) -> Option<()> {
        let zero = lowering.locals.unset(*self.imported.first()?)?;
        InstructionSink::new(out).local_get(zero).memory_grow(0).drop();
        Some(())
    }
}
