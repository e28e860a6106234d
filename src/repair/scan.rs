//! Finds the shapes that have to be rewritten.

use std::collections::BTreeMap;

use wasmparser::{FunctionBody, Operator, Parser, Payload, TypeRef};

use super::empty_frame::Callees;
use super::types::Types;
use super::{memory_maximum, select};

/// What a module has of the shapes.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) types: Types,
    /// The type index of each function, imported ones first.
    functions: Vec<u32>,
    imported: usize,
    bodies: usize,
    /// What was found, by the index of the body in the code section.
    found: BTreeMap<usize, Shapes>,
    has_tail_calls: bool,
    has_great_maximum: bool,
}

/// What a function body has of the shapes.
#[derive(Clone, Copy, Default)]
pub(super) struct Shapes {
    pub(super) has_block_params: bool,
    has_unsafe_select: bool,
    callees: Callees,
}

impl Scan {
    /// Reads a module through. An error only for bytes that no validator accepts, or a proposal that wasmi lacks.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, wasmparser::BinaryReaderError> {
        let mut scan = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(types) => {
                    for ty in types.into_iter_err_on_gc_types() {
                        scan.types.push_original(ty?);
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports {
                        match import?.ty {
                            TypeRef::Func(ty) => scan.functions.push(ty),
                            TypeRef::Memory(ty) => scan.has_great_maximum |= memory_maximum::is_too_great(&ty),
                            _ => {}
                        }
                    }
                    scan.imported = scan.functions.len();
                }
                Payload::FunctionSection(functions) => {
                    for ty in functions {
                        scan.functions.push(ty?);
                    }
                }
                Payload::MemorySection(memories) => {
                    for ty in memories {
                        scan.has_great_maximum |= memory_maximum::is_too_great(&ty?);
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let index = scan.bodies;
                    scan.bodies = index.saturating_add(1);
                    let shapes = scan.body(index, &body)?;
                    if shapes.any() {
                        scan.found.insert(index, shapes);
                    }
                }
                _ => {}
            }
        }
        Ok(scan)
    }

    fn body(&mut self, index: usize, body: &FunctionBody<'_>) -> Result<Shapes, wasmparser::BinaryReaderError> {
        let mut shapes = Shapes::default();
        let mut frame_is_empty = self.param_count(index) == 0;
        for locals in body.get_locals_reader()? {
            frame_is_empty &= locals?.0 == 0;
        }
        let mut operators = body.get_operators_reader()?;
        let mut condition_is_safe = false;
        while !operators.eof() {
            let operator = operators.read()?;
            match &operator {
                Operator::Select | Operator::TypedSelect { .. } => shapes.has_unsafe_select |= !condition_is_safe,
                Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
                    shapes.has_block_params |= self.types.params(*blockty).is_some_and(|params| !params.is_empty());
                }
                Operator::ReturnCall { .. } | Operator::ReturnCallIndirect { .. } => self.has_tail_calls = true,
                Operator::Call { function_index } if frame_is_empty => {
                    let index = usize::try_from(*function_index).unwrap_or(usize::MAX);
                    let ty = self.functions.get(index).and_then(|ty| self.types.get(*ty));
                    let callees = ty.map(|ty| Callees::of(ty, index >= self.imported)).unwrap_or_default();
                    shapes.callees = shapes.callees.max(callees);
                }
                Operator::CallIndirect { type_index, .. } if frame_is_empty => {
                    let callees = self.types.get(*type_index).map(|ty| Callees::of(ty, false)).unwrap_or_default();
                    shapes.callees = shapes.callees.max(callees);
                }
                _ => {}
            }
            condition_is_safe = select::is_safe_condition(&operator);
        }
        Ok(shapes)
    }

    /// Whether anything has to be rewritten.
    pub(super) fn found_any(&self) -> bool {
        self.has_great_maximum || self.found.values().any(|shapes| self.must_rewrite(shapes))
    }

    /// What to rewrite of a body; `None` for one that stays as it is.
    pub(super) fn found_in(&self, body: usize) -> Option<Shapes> {
        self.found.get(&body).copied().filter(|shapes| self.must_rewrite(shapes))
    }

    /// How many parameters the function has whose body this is.
    pub(super) fn param_count(&self, body: usize) -> usize {
        let ty = self.imported.checked_add(body).and_then(|index| self.functions.get(index));
        ty.and_then(|ty| self.types.get(*ty)).map_or(0, |ty| ty.params().len())
    }

    /// The results of the function whose body this is.
    pub(super) fn results(&self, body: usize) -> Option<Vec<wasmparser::ValType>> {
        let ty = self.functions.get(self.imported.checked_add(body)?)?;
        self.types.get(*ty).map(|ty| ty.results().to_vec())
    }

    pub(super) fn needs_local(&self, shapes: &Shapes) -> bool {
        shapes.callees.need_local(self.has_tail_calls)
    }

    fn must_rewrite(&self, shapes: &Shapes) -> bool {
        shapes.has_block_params || shapes.has_unsafe_select || self.needs_local(shapes)
    }
}

impl Shapes {
    fn any(&self) -> bool {
        self.has_block_params || self.has_unsafe_select || self.callees != Callees::None
    }
}
