//! Bytes to a compiled module, and what is wrong with those that are none.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use starlark::collections::SmallMap;
use wasmparser::{ElementItems, ExternalKind, Operator, Parser, Payload, TypeRef, Validator, WasmFeatures};

use crate::convert::type_name;
use crate::error::{Error, ErrorKind};

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

    pub(crate) fn new(engine: &wasmi::Engine, bytes: &[u8]) -> Result<Self, Error> {
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
        Ok(Self { module, imports, exports, name: survey.name, pages: survey.pages })
    }
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
                        if let wasmparser::TableInit::Expr(init) = table.init {
                            survey.references(init);
                        }
                    }
                }
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

fn check_header(bytes: &[u8]) -> Result<(), Error> {
    let refuse = |why: String| Err(Error::new(ErrorKind::Module, why));
    match (bytes.get(..4), bytes.get(4..8)) {
        (Some(b"\0asm"), Some([1, 0, 0, 0])) => Ok(()),
        (Some(b"\0asm"), Some([_, _, 1, 0])) => refuse(
            "this is a WebAssembly component, not a module; wasmlark runs core modules: \
             take the core module out of it, or build for a target such as wasm32-wasip1"
                .to_owned(),
        ),
        (Some(b"\0asm"), Some(version)) => refuse(format!(
            "this is WebAssembly of an unknown version ({}); version 1 is the one there is",
            version.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
        )),
        (Some(b"\0asm"), None) => refuse("this module ends within its header".to_owned()),
        _ if bytes.is_empty() => refuse("this is no WebAssembly module: it is empty".to_owned()),
        _ if looks_like_text(bytes) => refuse(
            "this is WebAssembly in text format, not a module; wasm.wat(text) makes one of it, and a file of it is \
             named .wat"
                .to_owned(),
        ),
        _ if let Some(format) = other_format(bytes) => refuse(format!("this is no WebAssembly module: it is {format}")),
        _ => refuse(format!(
            "this is no WebAssembly module: it begins with {}, where a module has the bytes 00 61 73 6d (\"\\0asm\")",
            bytes.iter().take(4).map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
        )),
    }
}

/// What people take for a module by mistake.
fn other_format(bytes: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 8] = [
        (b"\x1f\x8b", "compressed with gzip; unpack it first"),
        (b"\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first"),
        (b"PK\x03\x04", "a zip archive; unpack it first"),
        (b"\x7fELF", "a native program or library (ELF); build for a wasm target"),
        (b"!<arch>", "a static library; link it to a module first"),
        (b"<!", "a page of HTML, perhaps an error of a download"),
        (b"<html", "a page of HTML, perhaps an error of a download"),
        (b"version https://git-lfs", "a pointer of Git LFS; fetch the file itself"),
    ];
    known.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, name)| *name)
}

pub(crate) fn looks_like_text(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    start.starts_with(b"(module") || start.starts_with(b";;") || start.starts_with(b"(;")
}

/// The proposals that wasmparser knows and wasmi does not run.
const UNSUPPORTED: &[(WasmFeatures, &str)] = &[
    (WasmFeatures::EXCEPTIONS, "exception handling"),
    (WasmFeatures::LEGACY_EXCEPTIONS, "legacy exception handling"),
    (WasmFeatures::GC, "garbage collection (gc)"),
    (WasmFeatures::FUNCTION_REFERENCES, "typed function references"),
    (WasmFeatures::THREADS, "threads"),
    (WasmFeatures::SHARED_EVERYTHING_THREADS, "shared-everything threads"),
    (WasmFeatures::STACK_SWITCHING, "stack switching"),
    (WasmFeatures::MEMORY_CONTROL, "memory control"),
    (WasmFeatures::CUSTOM_PAGE_SIZES, "custom page sizes"),
];

/// Why wasmi refused a module: the proposal that it needs, or the validator's own words.
fn diagnose(bytes: &[u8], error: &wasmi::Error) -> Error {
    let accepts = |features| Validator::new_with_features(features).validate_all(bytes).is_ok();
    let all = WasmFeatures::all();
    if accepts(all) {
        // What can be left out stays out: of two proposals that would each do, one is needed.
        let mut features = all;
        let mut needed = Vec::new();
        for (feature, name) in UNSUPPORTED {
            match features.difference(*feature) {
                fewer if accepts(fewer) => features = fewer,
                _ => needed.push(*name),
            }
        }
        if !needed.is_empty() {
            return Error::new(
                ErrorKind::Module,
                format!(
                    "this module needs the WebAssembly {} proposal{}, which wasmlark does not support; build it without",
                    needed.join(" and "),
                    if needed.len() > 1 { "s" } else { "" }
                ),
            );
        }
    }
    match Validator::new_with_features(all).validate_all(bytes) {
        Err(invalid)
            if invalid.message().contains("unexpected end") || invalid.message().contains("unexpected-eof") =>
        {
            Error::new(
                ErrorKind::Module,
                format!(
                    "this module is cut short: {} at byte {} of {}",
                    invalid.message(),
                    invalid.offset(),
                    bytes.len()
                ),
            )
        }
        Err(invalid) => Error::new(
            ErrorKind::Module,
            format!("this module is invalid: {} (at byte {:#x})", invalid.message(), invalid.offset()),
        ),
        Ok(_) => Error::new(ErrorKind::Module, format!("this module cannot be compiled: {error}")),
    }
}
