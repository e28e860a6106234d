//! Finds the shapes that have to be rewritten.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{BinaryReaderError, DataKind, ElementKind, FuncType, FunctionBody, MemoryType, Payload, TypeRef};

use super::aliased_memory::Memories;
use super::empty_frame::Callees;
use super::partial_instance::Segments;
use super::recent::Window;
use super::types::Types;
use super::{br_table, many_locals, memory_maximum, store_to_itself};
use crate::module::binary::Binary;
use crate::module::skim::{Skim, code};

/// The maximum number of locals that the validator allows in a function.
const MAX_VALID_LOCALS: u32 = 50_000;

/// The shapes that were found in a module.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) types: Types,
    /// The type index of each function, including imported ones, which come first.
    functions: Vec<u32>,
    imported: usize,
    bodies: usize,
    /// The shapes found, by the index of the body in the code section.
    found: BTreeMap<usize, Shapes>,
    /// The indices of the function bodies that have a `br_table`.
    pub(super) tables: BTreeSet<usize>,
    has_tail_calls: bool,
    has_great_maximum: bool,
    /// Whether an instruction grows a table.
    pub(super) grows_tables: bool,
    /// The highest number of locals that a function uses, if wasmi does not accept that many.
    pub(super) too_many_locals: Option<usize>,
    pub(super) memories: Memories,
    pub(super) segments: Segments,
}

/// The shapes that were found in a function body.
#[derive(Clone, Copy, Default)]
pub(super) struct Shapes {
    /// A block with parameters.
    has_block_params: bool,
    /// A `br_table`, and a block to which branches carry values in slots.
    has_value_table: bool,
    has_unsafe_select: bool,
    has_unsafe_store: bool,
    /// A `memory.grow` of a memory that may also be the first one.
    has_aliased_grow: bool,
    has_many_locals: bool,
    callees: Callees,
    /// An instruction that could not be read.
    is_unknown: bool,
}

impl Scan {
    /// Reads a module. Fails only for bytes that are not a module, or use features that wasmi does not know.
    pub(super) fn of(binary: &Binary<'_>) -> Result<Self, BinaryReaderError> {
        let mut scan = Self::default();
        let bytes = binary.bytes();
        for payload in binary.payloads() {
            match payload {
                Payload::TypeSection(types) => {
                    for ty in types.clone().into_iter_err_on_gc_types() {
                        scan.types.push_original(ty?);
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports.clone() {
                        match import?.ty {
                            TypeRef::Func(ty) => scan.functions.push(ty),
                            TypeRef::Memory(ty) => {
                                scan.memories.import(&ty);
                                scan.memory(&ty);
                            }
                            TypeRef::Table(_) => scan.segments.import_table(),
                            _ => {}
                        }
                    }
                    scan.imported = scan.functions.len();
                }
                Payload::FunctionSection(functions) => {
                    for ty in functions.clone() {
                        scan.functions.push(ty?);
                    }
                }
                Payload::MemorySection(memories) => {
                    for ty in memories.clone() {
                        scan.memory(&ty?);
                    }
                }
                Payload::StartSection { func, .. } => scan.segments.start(*func),
                Payload::ElementSection(elements) => {
                    for element in elements.clone() {
                        if let ElementKind::Active { table_index, .. } = element?.kind {
                            scan.segments.active_element(table_index.unwrap_or(0));
                        }
                    }
                }
                Payload::DataCountSection { .. } => scan.segments.data_count(),
                Payload::DataSection(data) => {
                    for segment in data.clone() {
                        if let DataKind::Active { .. } = segment?.kind {
                            scan.segments.active_data();
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let index = scan.bodies;
                    scan.bodies = index.saturating_add(1);
                    let shapes = scan.body(bytes, index, body)?;
                    if shapes.any() {
                        scan.found.insert(index, shapes);
                    }
                }
                _ => {}
            }
        }
        match binary.error() {
            Some(error) => Err(error.clone()),
            None => Ok(scan),
        }
    }

    fn memory(&mut self, ty: &MemoryType) {
        self.has_great_maximum |= memory_maximum::is_too_great(ty);
    }

    fn body(&mut self, bytes: &[u8], index: usize, body: &FunctionBody<'_>) -> Result<Shapes, BinaryReaderError> {
        let mut frame_is_empty = self.function_type(index).is_some_and(|ty| ty.params().is_empty());
        let params = self.function_type(index).map_or(0, |ty| u32::try_from(ty.params().len()).unwrap_or(u32::MAX));
        let mut count = params;
        let mut locals = body.get_locals_reader()?;
        for _ in 0..locals.get_count() {
            count = count.saturating_add(locals.read()?.0);
        }
        frame_is_empty &= count == 0;
        let code = bytes.get(locals.original_position()..body.range().end).unwrap_or_default();
        let mut shapes = Shapes { has_many_locals: count > many_locals::MAX_LOCALS, ..Shapes::default() };
        // A number beyond the validator's limit is left to wasmi, which validates before it compiles.
        if shapes.has_many_locals && count <= MAX_VALID_LOCALS {
            let used = many_locals::used(bytes, body, params).filter(|used| *used > many_locals::MAX_LOCALS as usize);
            self.too_many_locals = self.too_many_locals.max(used);
        } else {
            shapes.has_many_locals = false;
        }
        shapes.is_unknown = self.code(code, index, frame_is_empty, &mut shapes).is_none();
        Ok(shapes)
    }

    /// Looks for shapes in the code of a body; `None` at an unknown instruction.
    fn code(&mut self, bytes: &[u8], index: usize, frame_is_empty: bool, shapes: &mut Shapes) -> Option<()> {
        let mut skim = Skim::new(bytes);
        let mut window = Window::default();
        // Whether a branch to any block carries values in slots.
        let mut has_value_label = br_table::needs_slots(self.function_type(index)?.results());
        let mut has_table = false;
        while skim.left() > 0 {
            let begin = skim.left();
            if skim.pass() {
                window.push(begin);
                continue;
            }
            let op = skim.next()?;
            match op.code {
                code::SELECT | code::TYPED_SELECT => {
                    shapes.has_unsafe_select |= !window.recent(bytes).is_safe_condition();
                }
                // A type index is not negative; the encodings of a single result are.
                code::BLOCK | code::IF | code::LOOP if op.first < 0 => has_value_label |= op.first == V128,
                code::BLOCK | code::IF | code::LOOP => {
                    let ty = u32::try_from(op.first).ok().and_then(|ty| self.types.get(ty))?;
                    shapes.has_block_params |= !ty.params().is_empty();
                    has_value_label |= br_table::needs_slots(ty.results());
                }
                code::BR_TABLE => has_table = true,
                code::RETURN_CALL | code::RETURN_CALL_INDIRECT => self.has_tail_calls = true,
                code::CALL if frame_is_empty => {
                    let index = usize::try_from(op.first).ok()?;
                    let ty = self.functions.get(index).and_then(|ty| self.types.get(*ty));
                    let callees = ty.map(|ty| Callees::of(ty, index >= self.imported)).unwrap_or_default();
                    shapes.callees = shapes.callees.max(callees);
                }
                code::CALL_INDIRECT if frame_is_empty => {
                    let ty = u32::try_from(op.first).ok().and_then(|ty| self.types.get(ty));
                    shapes.callees = shapes.callees.max(ty.map(|ty| Callees::of(ty, false)).unwrap_or_default());
                }
                code::MISC if op.first == code::TABLE_GROW => self.grows_tables = true,
                code::MEMORY_GROW => shapes.has_aliased_grow |= self.memories.may_be_first(op.first),
                _ if store_to_itself::is_long(op) => shapes.has_unsafe_store |= !window.recent(bytes).is_safe_store(),
                _ => {}
            }
            window.push(begin);
        }
        // A loop's parameters are the parameters of a block.
        if has_table {
            self.tables.insert(index);
        }
        shapes.has_value_table = has_table && has_value_label;
        Some(())
    }

    /// Returns whether anything has to be rewritten.
    pub(super) fn found_any(&self) -> bool {
        self.has_great_maximum || self.stops_half_way() || self.found.values().any(|shapes| self.must_rewrite(shapes))
    }

    /// Returns whether rewriting could make an invalid module valid, so that it has to be validated first.
    pub(super) fn needs_validation(&self) -> bool {
        self.stops_half_way()
            || self.too_many_locals.is_some()
            || self.found.values().any(|shapes| shapes.is_unknown || shapes.has_branches() || shapes.has_many_locals)
    }

    /// Returns whether instantiation may stop halfway and leave functions of the module in a table.
    pub(super) fn stops_half_way(&self) -> bool {
        self.bodies > 0 && self.segments.may_stop_half_way()
    }

    /// Returns whether the module has code that could not be read.
    pub(super) fn has_unknown(&self) -> bool {
        self.found.values().any(|shapes| shapes.is_unknown)
    }

    /// Returns what to rewrite in a body; `None` for a body that stays unchanged.
    pub(super) fn found_in(&self, body: usize) -> Option<Shapes> {
        self.found.get(&body).copied().filter(|shapes| self.must_rewrite(shapes))
    }

    /// Returns the type of the function with this body.
    pub(super) fn function_type(&self, body: usize) -> Option<&FuncType> {
        self.functions.get(self.imported.checked_add(body)?).and_then(|ty| self.types.get(*ty))
    }

    /// Returns the number of functions in the module, including imported ones.
    pub(super) fn function_count(&self) -> usize {
        self.functions.len()
    }

    pub(super) fn needs_local(&self, shapes: &Shapes) -> bool {
        shapes.callees.need_local(self.has_tail_calls)
    }

    fn must_rewrite(&self, shapes: &Shapes) -> bool {
        shapes.has_code() || self.needs_local(shapes)
    }
}

/// The encoding of a block type of one v128, as a signed number.
const V128: i64 = 0x7b - 0x80;

impl Shapes {
    /// Returns whether the function has more locals than wasmi accepts.
    pub(super) fn has_many_locals(&self) -> bool {
        self.has_many_locals
    }

    /// Returns whether blocks or branches have to be rewritten.
    pub(super) fn has_branches(&self) -> bool {
        self.has_block_params || self.has_value_table
    }

    fn has_code(&self) -> bool {
        self.has_branches()
            || self.has_many_locals
            || self.has_unsafe_select
            || self.has_unsafe_store
            || self.has_aliased_grow
    }

    fn any(&self) -> bool {
        self.has_code() || self.is_unknown || self.callees != Callees::None
    }
}
