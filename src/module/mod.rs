//! Bytes to a compiled module, and its types as text.

mod diagnose;
pub(crate) mod inspect;
#[cfg(feature = "wat")]
pub(crate) mod wat;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use starlark::collections::SmallMap;
use wasmparser::{ElementItems, ExternalKind, Operator, Parser, Payload, TypeRef};

use self::diagnose::{check_header, diagnose};
use crate::budget::ModuleHash;
use crate::convert::type_name;
use crate::error::Error;
use crate::limits::Limits;

/// How wasmi is set up to compile and run modules.
pub(crate) fn config(limits: &Limits) -> wasmi::Config {
    let mut config = wasmi::Config::default();
    config
        .consume_fuel(limits.fuel.is_some())
        // Lazy translation charges its own fuel to whichever call comes first: costs would not repeat.
        .compilation_mode(wasmi::CompilationMode::Eager)
        .wasm_wide_arithmetic(true)
        .set_max_recursion_depth(limits.stack_depth);
    config.set_max_stack_height(limits.stack_depth.saturating_mul(1 << 10).max(1 << 20));
    config
}

/// What tells a module from others.
pub(crate) fn hash(bytes: &[u8]) -> ModuleHash {
    *blake3::hash(bytes).as_bytes()
}

/// A compiled module and what the script API wants to know of it.
pub(crate) struct Compiled {
    pub(crate) module: wasmi::Module,
    /// In the order in which wasmi wants them.
    pub(crate) imports: Vec<Import>,
    /// In the module's order, which wasmi does not keep.
    pub(crate) exports: SmallMap<String, wasmi::ExternType>,
    pub(crate) name: Option<String>,
    /// Pages of all memories that the module defines together, as an instance begins.
    pub(crate) pages: u64,
    pub(crate) tables: Tables,
    pub(crate) hash: ModuleHash,
    /// About how many bytes it takes as compiled; the same on every target.
    pub(crate) code: u64,
}

/// The tables that a module defines.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tables {
    /// Elements of all together, as an instance begins.
    pub(crate) elements: u64,
    /// The largest of their maxima.
    pub(crate) maximum: u64,
}

pub(crate) struct Import {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) ty: wasmi::ExternType,
    /// Its place among the module's imports, of which wasmi makes groups by kind.
    pub(crate) position: usize,
    /// A function that the module passes on, by an export, a table or a reference: it may be called
    /// by other instances than the one that imported it.
    pub(crate) escapes: bool,
}

impl Compiled {
    /// The imports in the module's order.
    pub(crate) fn imports_in_order(&self) -> Vec<&Import> {
        let mut imports: Vec<&Import> = self.imports.iter().collect();
        imports.sort_by_key(|import| import.position);
        imports
    }

    pub(crate) fn new(engine: &wasmi::Engine, bytes: &[u8], hash: ModuleHash) -> Result<Self, Error> {
        check_header(bytes)?;
        let module = wasmi::Module::new(engine, bytes).map_err(|error| diagnose(bytes, &error))?;
        let survey = Survey::of(bytes);
        let exports =
            survey.exports.into_iter().filter_map(|name| module.get_export(&name).map(|ty| (name, ty))).collect();
        let mut positions = survey.imports;
        let mut function = 0;
        let imports = module
            .imports()
            .map(|import| {
                let kind = kind(import.ty());
                let is_function = kind == "func";
                let escapes = is_function && survey.escaping.contains(&function);
                function += u32::from(is_function);
                // The next one of its kind in the binary.
                let position = positions.get_mut(kind).and_then(VecDeque::pop_front).unwrap_or(usize::MAX);
                Import {
                    module: import.module().to_owned(),
                    name: import.name().to_owned(),
                    ty: import.ty().clone(),
                    position,
                    escapes,
                }
            })
            .collect();
        let Survey { name, pages, tables, functions, .. } = survey;
        Ok(Self { module, imports, exports, name, pages, tables, hash, code: code(bytes, functions) })
    }

    /// The same `code` for a module that may be invalid.
    pub(crate) fn code_of(bytes: &[u8]) -> u64 {
        code(bytes, Survey::of(bytes).functions)
    }
}

/// More than was measured: large real modules take at most six times their bytes, and the least functions 170 bytes each.
fn code(bytes: &[u8], functions: u64) -> u64 {
    const MODULE: u64 = 4096;
    const FUNCTION: u64 = 256;
    const BYTE: u64 = 8;
    let bytes = (bytes.len() as u64).saturating_mul(BYTE);
    functions.saturating_mul(FUNCTION).saturating_add(bytes).saturating_add(MODULE)
}

/// What wasmi does not tell of a module that it has accepted.
#[derive(Default)]
struct Survey {
    /// Where the imports of each kind are among all.
    imports: BTreeMap<&'static str, VecDeque<usize>>,
    exports: Vec<String>,
    /// Indices of functions that are exported, in an element segment, or the value of a global: by
    /// the validation rules all that a reference can be made of.
    escaping: BTreeSet<u32>,
    name: Option<String>,
    pages: u64,
    tables: Tables,
    /// Functions that have a body.
    functions: u64,
}

impl Survey {
    fn of(bytes: &[u8]) -> Self {
        let mut survey = Self::default();
        for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
            match payload {
                Payload::ImportSection(imports) => {
                    for (position, import) in imports.into_iter().flatten().enumerate() {
                        let kind = match import.ty {
                            TypeRef::Func(_) => "func",
                            TypeRef::Memory(_) => "memory",
                            TypeRef::Table(_) => "table",
                            TypeRef::Global(_) => "global",
                            TypeRef::Tag(_) => continue,
                        };
                        survey.imports.entry(kind).or_default().push_back(position);
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports.into_iter().flatten() {
                        survey.exports.push(export.name.to_owned());
                        if export.kind == ExternalKind::Func {
                            survey.escaping.insert(export.index);
                        }
                    }
                }
                Payload::ElementSection(elements) => {
                    for element in elements.into_iter().flatten() {
                        match element.items {
                            ElementItems::Functions(items) => survey.escaping.extend(items.into_iter().flatten()),
                            ElementItems::Expressions(_, items) => {
                                items.into_iter().flatten().for_each(|e| survey.references(e));
                            }
                        }
                    }
                }
                Payload::GlobalSection(globals) => {
                    globals.into_iter().flatten().for_each(|g| survey.references(g.init_expr));
                }
                Payload::MemorySection(memories) => {
                    let pages = memories.into_iter().flatten().map(|memory| memory.initial);
                    survey.pages = pages.fold(survey.pages, u64::saturating_add);
                }
                Payload::TableSection(tables) => {
                    for table in tables.into_iter().flatten() {
                        let Tables { elements, maximum } = &mut survey.tables;
                        *elements = elements.saturating_add(table.ty.initial);
                        *maximum = table.ty.maximum.unwrap_or(0).max(*maximum);
                        if let wasmparser::TableInit::Expr(init) = table.init {
                            survey.references(init);
                        }
                    }
                }
                Payload::CodeSectionEntry(_) => survey.functions = survey.functions.saturating_add(1),
                Payload::CustomSection(section) => {
                    if let wasmparser::KnownCustom::Name(names) = section.as_known() {
                        for name in names.into_iter().flatten() {
                            if let wasmparser::Name::Module { name, .. } = name {
                                survey.name = Some(name.to_owned());
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        survey
    }

    fn references(&mut self, expression: wasmparser::ConstExpr<'_>) {
        for operator in expression.get_operators_reader().into_iter().map_while(Result::ok) {
            if let Operator::RefFunc { function_index } = operator {
                self.escaping.insert(function_index);
            }
        }
    }
}

/// The type of an import or export, as the script API writes it.
pub(crate) fn describe(ty: &wasmi::ExternType) -> String {
    let maximum = |m: Option<u64>| m.map(|m| format!(", maximum = {m}")).unwrap_or_default();
    let wide = |is_64: bool, how: &str| if is_64 { format!(", {how} = True") } else { String::new() };
    match ty {
        wasmi::ExternType::Func(ty) => signature(ty),
        wasmi::ExternType::Memory(ty) => {
            format!("memory({}{}{})", ty.minimum(), maximum(ty.maximum()), wide(ty.is_64(), "memory64"))
        }
        wasmi::ExternType::Table(ty) => {
            let element = match ty.element() {
                wasmi::RefType::Func => "funcref",
                wasmi::RefType::Extern => "externref",
            };
            format!(
                "table({}{}, type = \"{element}\"{})",
                ty.minimum(),
                maximum(ty.maximum()),
                wide(ty.is_64(), "table64")
            )
        }
        wasmi::ExternType::Global(ty) => {
            let mutable = if ty.mutability().is_mut() { ", mutable = True" } else { "" };
            format!("global(\"{}\"{mutable})", type_name(ty.content()))
        }
    }
}

/// The same in a sentence, where a signature alone would not say that it is one of a function.
pub(crate) fn named(ty: &wasmi::ExternType) -> String {
    match ty {
        wasmi::ExternType::Func(ty) => format!("func {}", signature(ty)),
        _ => describe(ty),
    }
}

/// `(i32, i64) -> f32`.
pub(crate) fn signature(ty: &wasmi::FuncType) -> String {
    let names = |types: &[wasmi::ValType]| types.iter().map(|t| type_name(*t)).collect::<Vec<_>>().join(", ");
    let params = names(ty.params());
    match ty.results() {
        [] => format!("({params})"),
        [one] => format!("({params}) -> {}", type_name(*one)),
        many => format!("({params}) -> ({})", names(many)),
    }
}

/// The kind of an import or export, as the text format names it.
pub(crate) fn kind(ty: &wasmi::ExternType) -> &'static str {
    match ty {
        wasmi::ExternType::Func(_) => "func",
        wasmi::ExternType::Memory(_) => "memory",
        wasmi::ExternType::Table(_) => "table",
        wasmi::ExternType::Global(_) => "global",
    }
}
