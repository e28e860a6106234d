//! What a module imports and exports, found without running it.

use std::borrow::Cow;

use wasmparser::types::{EntityType, Types, TypesRef};
use wasmparser::{
    BinaryReaderError, CompositeInnerType, KnownCustom, Name, Payload, ProducersSectionReader, ValType, ValidPayload,
    Validator,
};

#[cfg(feature = "wat")]
use super::diagnose;
use super::diagnose::{check_header, supported_features};
use crate::error::{Error, ErrorKind};
use crate::frames::Told;
use crate::limits::Limits;
use crate::module::types;
use crate::module::{self, Binary, Compiled};
use crate::wording::shown;

/// A description of a module, with types written as scripts see and call them.
///
/// ```
/// let module = b"\0asm\x01\0\0\0\x01\x05\x01\x60\x01\x7f\0\x02\x0b\x01\x03env\x03log\0\0";
/// let description = wasmlark::inspect(module)?;
/// assert_eq!(description.imports[0].signature(), "env.log(i32)");
/// # Ok::<(), wasmlark::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspection {
    /// The module's name, from its name section.
    pub name: Option<String>,
    /// What it imports.
    pub imports: Vec<Item>,
    /// What it exports, in order.
    pub exports: Vec<Item>,
    /// Its own memories, without imported ones, as the script API writes them: `memory(1, maximum = 2)`.
    pub memories: Vec<String>,
    /// Its own tables, written like [`memories`](Self::memories).
    pub tables: Vec<String>,
    /// Its own globals, written like [`memories`](Self::memories).
    pub globals: Vec<String>,
    /// The number of its own functions.
    pub functions: u32,
    /// The function that runs on instantiation: its name from the name section, or `function` and its index.
    pub start: Option<String>,
    /// Its sections, in order.
    pub sections: Vec<Section>,
    /// The names and sizes in bytes of its custom sections.
    pub custom_sections: Vec<(String, usize)>,
    /// The tools that made it: field, name and version, from its producers section.
    pub producers: Vec<(String, String, String)>,
}

/// A section of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Section {
    /// The name of its kind, such as `"code"`, or a custom section's own name.
    pub name: String,
    /// Whether it is a custom section.
    pub is_custom: bool,
    /// The offset of its content in bytes from the start of the module, for a custom section after its name.
    pub offset: usize,
    /// The length of its content in bytes.
    pub size: usize,
    /// The number of its entries, such as functions or segments, if it has entries.
    pub entries: Option<u32>,
}

/// An import or export.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// The module that it is imported from; `None` for an export.
    pub module: Option<String>,
    /// Its name.
    pub name: String,
    /// `"func"`, `"memory"`, `"table"` or `"global"`.
    pub kind: &'static str,
    /// Its type, as the script API writes it.
    pub ty: String,
}

impl Item {
    /// Returns the number of a function's parameters; `None` for another kind.
    pub(crate) fn param_count(&self) -> Option<usize> {
        let params = self.ty.strip_prefix('(').filter(|_| self.kind == "func")?.split_once(')')?.0;
        Some(params.split(", ").filter(|param| !param.is_empty()).count())
    }

    /// Returns name and type together, as a script would call it: `env.log(i32)`. Characters in the name that would
    /// control a terminal are escaped; [`name`](Self::name) has them unchanged.
    pub fn signature(&self) -> String {
        let name = match &self.module {
            Some(module) => format!("{}.{}", shown(module), shown(&self.name)),
            None => shown(&self.name),
        };
        match self.kind {
            "func" => format!("{name}{}", self.ty),
            _ => format!("{name}: {}", self.ty),
        }
    }
}

/// Returns a module in the binary format. With the feature `wat`, the bytes may be in the text format.
pub(crate) fn binary_form(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    #[cfg(feature = "wat")]
    if let Ok(text) = std::str::from_utf8(bytes)
        && diagnose::looks_like_text(bytes)
    {
        let binary = super::wat::to_binary(text, None).map_err(|e| Error::new(ErrorKind::Module, e))?;
        return Ok(Cow::Owned(binary));
    }
    Ok(Cow::Borrowed(bytes))
}

/// Describes a module in the binary format or, with the feature `wat`, in the text format. It is not compiled: the bodies of
/// its functions are not examined.
///
/// # Errors
///
/// If the bytes are not a module, or one that wasmlark cannot run, whatever its functions do. The
/// message says what they are instead.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, Error> {
    let bytes = &*binary_form(bytes)?;
    check_header(bytes)?;
    let binary = Binary::parse(bytes);
    match describe(&binary) {
        Ok(inspection) => Ok(inspection),
        Err(why) => {
            // Compiling it gives the best explanation of what is wrong.
            let limits = Limits::new().fuel(None);
            let engine = wasmi::Engine::new(&module::config(&limits, false, Told::Nothing));
            let (hash, code) = (module::hash(bytes), module::code_size(&binary));
            let refused = Compiled::new(&engine, &binary, hash, code, &limits, Told::Nothing).err();
            Err(refused.unwrap_or_else(|| Error::new(ErrorKind::Module, format!("this module is invalid: {why}"))))
        }
    }
}

fn describe(binary: &Binary<'_>) -> Result<Inspection, BinaryReaderError> {
    let mut inspection = Inspection::default();
    let types = types_of(binary)?;
    let types = types.as_ref();
    let mut start = None;
    for payload in binary.payloads() {
        if let Some(section) = section(payload) {
            inspection.sections.push(section);
        }
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.clone() {
                    let import = import?;
                    let Some((kind, ty)) = types.entity_type_from_import(&import).and_then(|ty| item_type(types, ty))
                    else {
                        continue;
                    };
                    let (module, name) = (Some(import.module.to_owned()), import.name.to_owned());
                    inspection.imports.push(Item { module, name, kind, ty });
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports.clone() {
                    let export = export?;
                    let Some((kind, ty)) = types.entity_type_from_export(&export).and_then(|ty| item_type(types, ty))
                    else {
                        continue;
                    };
                    inspection.exports.push(Item { module: None, name: export.name.to_owned(), kind, ty });
                }
            }
            Payload::FunctionSection(functions) => inspection.functions = functions.count(),
            Payload::MemorySection(memories) => {
                inspection.memories.extend(memories.clone().into_iter().flatten().map(|ty| memory(&ty)));
            }
            Payload::TableSection(tables) => {
                let tables = tables.clone().into_iter().flatten();
                inspection
                    .tables
                    .extend(tables.filter_map(|table| item_type(types, EntityType::Table(table.ty))).map(|(_, ty)| ty));
            }
            Payload::GlobalSection(globals) => {
                let globals = globals.clone().into_iter().flatten();
                let described = globals.filter_map(|global| item_type(types, EntityType::Global(global.ty)));
                inspection.globals.extend(described.map(|(_, ty)| ty));
            }
            Payload::StartSection { func, .. } => start = Some(*func),
            Payload::CustomSection(section) => {
                inspection.custom_sections.push((section.name().to_owned(), section.data().len()));
                match section.as_known() {
                    KnownCustom::Producers(producers) => add_producers(producers, &mut inspection.producers),
                    KnownCustom::Name(names) => {
                        for name in names.into_iter().flatten() {
                            match name {
                                Name::Module { name, .. } => inspection.name = Some(name.to_owned()),
                                Name::Function(names) if start.is_some() => {
                                    let name = names.into_iter().flatten().find(|name| Some(name.index) == start);
                                    inspection.start = name.map(|name| name.name.to_owned());
                                }
                                _ => {}
                            }
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    if inspection.start.is_none() {
        inspection.start = start.map(|index| format!("function {index}"));
    }
    Ok(inspection)
}

/// Returns the types that a module declares, which must be valid except for its bodies.
fn types_of(binary: &Binary<'_>) -> Result<Types, BinaryReaderError> {
    let mut validator = Validator::new_with_features(supported_features());
    for payload in binary.payloads() {
        if let ValidPayload::End(types) = validator.payload(payload)? {
            return Ok(types);
        }
    }
    // The module ended early, and then there is an error.
    match binary.error() {
        Some(error) => Err(error.clone()),
        None => Validator::new().validate_all(binary.bytes()),
    }
}

/// Returns the kind of an import or export, and its type as the script API writes it; `None` for
/// one that wasmlark does not run.
fn item_type(types: TypesRef<'_>, entity: EntityType) -> Option<(&'static str, String)> {
    let value = |ty: &ValType| {
        Some(match ty {
            ValType::I32 => wasmi::ValType::I32,
            ValType::I64 => wasmi::ValType::I64,
            ValType::F32 => wasmi::ValType::F32,
            ValType::F64 => wasmi::ValType::F64,
            ValType::V128 => wasmi::ValType::V128,
            ValType::Ref(ty) if ty.is_func_ref() => wasmi::ValType::FuncRef,
            ValType::Ref(ty) if ty.is_extern_ref() => wasmi::ValType::ExternRef,
            ValType::Ref(_) => return None,
        })
    };
    let ty = match entity {
        EntityType::Func(id) => {
            let CompositeInnerType::Func(function) = &types.get(id)?.composite_type.inner else { return None };
            let params = function.params().iter().map(value).collect::<Option<Vec<_>>>()?;
            let results = function.results().iter().map(value).collect::<Option<Vec<_>>>()?;
            wasmi::ExternType::Func(wasmi::FuncType::new(params, results))
        }
        EntityType::Memory(ty) => return Some(("memory", memory(&ty))),
        EntityType::Table(ty) => {
            let element = if ty.element_type.is_func_ref() { wasmi::RefType::Func } else { wasmi::RefType::Extern };
            let narrow = (ty.initial.try_into(), ty.maximum.map(u32::try_from).transpose());
            wasmi::ExternType::Table(match narrow {
                (Ok(initial), Ok(maximum)) if !ty.table64 => wasmi::TableType::new(element, initial, maximum),
                _ => wasmi::TableType::new64(element, ty.initial, ty.maximum),
            })
        }
        EntityType::Global(ty) => {
            let mutability = if ty.mutable { wasmi::Mutability::Var } else { wasmi::Mutability::Const };
            wasmi::ExternType::Global(wasmi::GlobalType::new(value(&ty.content_type)?, mutability))
        }
        EntityType::Tag(_) => return None,
    };
    Some((types::kind(&ty), types::describe(&ty)))
}

/// Returns the description of a section; `None` if the payload is not one.
fn section(payload: &Payload<'_>) -> Option<Section> {
    let (name, range, entries) = match payload {
        Payload::TypeSection(types) => ("type", types.range(), Some(types.count())),
        Payload::ImportSection(imports) => ("import", imports.range(), Some(imports.count())),
        Payload::FunctionSection(functions) => ("function", functions.range(), Some(functions.count())),
        Payload::TableSection(tables) => ("table", tables.range(), Some(tables.count())),
        Payload::MemorySection(memories) => ("memory", memories.range(), Some(memories.count())),
        Payload::TagSection(tags) => ("tag", tags.range(), Some(tags.count())),
        Payload::GlobalSection(globals) => ("global", globals.range(), Some(globals.count())),
        Payload::ExportSection(exports) => ("export", exports.range(), Some(exports.count())),
        Payload::StartSection { range, .. } => ("start", range.clone(), None),
        Payload::ElementSection(elements) => ("element", elements.range(), Some(elements.count())),
        Payload::DataCountSection { range, .. } => ("data count", range.clone(), None),
        Payload::CodeSectionStart { count, range, .. } => ("code", range.clone(), Some(*count)),
        Payload::DataSection(data) => ("data", data.range(), Some(data.count())),
        Payload::CustomSection(custom) => {
            let (name, offset, size) = (custom.name().to_owned(), custom.data_offset(), custom.data().len());
            return Some(Section { name, is_custom: true, offset, size, entries: None });
        }
        _ => return None,
    };
    Some(Section { name: name.to_owned(), is_custom: false, offset: range.start, size: range.len(), entries })
}

fn memory(ty: &wasmparser::MemoryType) -> String {
    let maximum = ty.maximum.map(|m| format!(", maximum = {m}")).unwrap_or_default();
    let wide = if ty.memory64 { ", memory64 = True" } else { "" };
    format!("memory({}{maximum}{wide})", ty.initial)
}

fn add_producers(section: ProducersSectionReader<'_>, producers: &mut Vec<(String, String, String)>) {
    for field in section.into_iter().flatten() {
        for value in field.values.into_iter().flatten() {
            producers.push((field.name.to_owned(), value.name.to_owned(), value.version.to_owned()));
        }
    }
}
