//! How much a module has of each kind, and where the code that is added to it finds the rest.

use wasmparser::{Payload, TypeRef};

use super::binary::Binary;

/// What decides where something can be appended to a module. The indices of a kind begin with those that are imported.
#[derive(Default)]
pub(crate) struct Counts {
    /// The number of parameters of each type.
    pub(crate) params: Vec<u32>,
    /// The types of the functions that the module defines.
    pub(crate) functions: Vec<u32>,
    pub(crate) imported_functions: u32,
    pub(crate) tables: u32,
    pub(crate) imported_tables: u32,
    pub(crate) memories: u32,
    pub(crate) imported_memories: u32,
    pub(crate) globals: u32,
    pub(crate) imported_globals: u32,
    pub(crate) start: Option<u32>,
}

impl Counts {
    /// Returns the counts of a valid module; `None` for one whose sections cannot be read.
    pub(crate) fn of(binary: &Binary<'_>) -> Option<Self> {
        let mut counts = Self::default();
        for payload in binary.payloads() {
            match payload {
                Payload::TypeSection(types) => {
                    for ty in types.clone().into_iter_err_on_gc_types() {
                        counts.params.push(u32::try_from(ty.ok()?.params().len()).ok()?);
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports.clone() {
                        let count = match import.ok()?.ty {
                            TypeRef::Func(_) => &mut counts.imported_functions,
                            TypeRef::Table(_) => &mut counts.imported_tables,
                            TypeRef::Memory(_) => &mut counts.imported_memories,
                            TypeRef::Global(_) => &mut counts.imported_globals,
                            _ => continue,
                        };
                        *count = count.checked_add(1)?;
                    }
                }
                Payload::FunctionSection(functions) => {
                    counts.functions = functions.clone().into_iter().collect::<Result<_, _>>().ok()?;
                }
                Payload::TableSection(tables) => counts.tables = tables.count(),
                Payload::MemorySection(memories) => counts.memories = memories.count(),
                Payload::GlobalSection(globals) => counts.globals = globals.count(),
                Payload::StartSection { func, .. } => counts.start = Some(*func),
                _ => {}
            }
        }
        Some(counts)
    }
}
