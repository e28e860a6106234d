//! Facts in a module's binary that wasmi does not expose.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wasmparser::{ElementItems, ExternalKind, Operator, Payload, TypeRef};

use super::binary::Binary;

/// The tables that a module defines.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tables {
    /// The number of elements of all of them together in a new instance.
    pub(crate) elements: u64,
    /// The highest of their maximum sizes.
    pub(crate) maximum: u64,
}

/// Facts that wasmi does not expose about a module that it has accepted.
#[derive(Default)]
pub(crate) struct ModuleLayout {
    /// The positions of the imports of each kind among all imports.
    pub(super) imports: BTreeMap<&'static str, VecDeque<usize>>,
    pub(crate) exports: Vec<String>,
    /// Indices of the functions that are exported, in an element segment, or the value of a global. By the validation
    /// rules, references can be made only of these.
    pub(crate) escaping: BTreeSet<u32>,
    pub(super) name: Option<String>,
    pub(super) pages: u64,
    pub(super) tables: Tables,
}

impl ModuleLayout {
    pub(crate) fn of(binary: &Binary<'_>) -> Self {
        let mut layout = Self::default();
        for payload in binary.payloads() {
            match payload {
                Payload::ImportSection(imports) => {
                    for (position, import) in imports.clone().into_iter().flatten().enumerate() {
                        let kind = match import.ty {
                            TypeRef::Func(_) => "func",
                            TypeRef::Memory(_) => "memory",
                            TypeRef::Table(_) => "table",
                            TypeRef::Global(_) => "global",
                            TypeRef::Tag(_) => continue,
                        };
                        layout.imports.entry(kind).or_default().push_back(position);
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports.clone().into_iter().flatten() {
                        layout.exports.push(export.name.to_owned());
                        if export.kind == ExternalKind::Func {
                            layout.escaping.insert(export.index);
                        }
                    }
                }
                Payload::ElementSection(elements) => {
                    for element in elements.clone().into_iter().flatten() {
                        match element.items {
                            ElementItems::Functions(items) => layout.escaping.extend(items.into_iter().flatten()),
                            ElementItems::Expressions(_, items) => {
                                items.into_iter().flatten().for_each(|e| layout.references(e));
                            }
                        }
                    }
                }
                Payload::GlobalSection(globals) => {
                    globals.clone().into_iter().flatten().for_each(|g| layout.references(g.init_expr));
                }
                Payload::MemorySection(memories) => {
                    let pages = memories.clone().into_iter().flatten().map(|memory| memory.initial);
                    layout.pages = pages.fold(layout.pages, u64::saturating_add);
                }
                Payload::TableSection(tables) => {
                    for table in tables.clone().into_iter().flatten() {
                        let Tables { elements, maximum } = &mut layout.tables;
                        *elements = elements.saturating_add(table.ty.initial);
                        *maximum = table.ty.maximum.unwrap_or(0).max(*maximum);
                        if let wasmparser::TableInit::Expr(init) = table.init {
                            layout.references(init);
                        }
                    }
                }
                Payload::CustomSection(section) => {
                    if let wasmparser::KnownCustom::Name(names) = section.as_known() {
                        for name in names.into_iter().flatten() {
                            if let wasmparser::Name::Module { name, .. } = name {
                                layout.name = Some(name.to_owned());
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        layout
    }

    fn references(&mut self, expression: wasmparser::ConstExpr<'_>) {
        for operator in expression.get_operators_reader().into_iter().map_while(Result::ok) {
            if let Operator::RefFunc { function_index } = operator {
                self.escaping.insert(function_index);
            }
        }
    }
}
