//! What a module imports and exports, read once for all engines.

use anyhow::{Context, Result, bail};
use wasmparser::{ExternalKind, Parser, Payload, RefType, TypeRef, ValType};

use crate::value::Type;

/// The imports and exports of a module.
#[derive(Debug, Default, Clone)]
pub struct Interface {
    pub imports: Vec<Import>,
    pub exports: Vec<Export>,
}

#[derive(Debug, Clone)]
pub struct Import {
    pub module: String,
    pub name: String,
    pub kind: Kind,
}

#[derive(Debug, Clone)]
pub struct Export {
    pub name: String,
    pub kind: Kind,
    /// Its position among the module's items of its kind.
    pub index: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Func(Signature),
    Memory(Limits),
    Table(Type, Limits),
    Global { ty: Type, mutable: bool },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub params: Vec<Type>,
    pub results: Vec<Type>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub is_64: bool,
    pub minimum: u64,
    pub maximum: Option<u64>,
}

impl Interface {
    /// Reads the interface of a valid module.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        let mut interface = Self::default();
        let mut types = Vec::new();
        let (mut funcs, mut memories, mut tables, mut globals) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(section) => {
                    for ty in section.into_iter_err_on_gc_types() {
                        let ty = ty?;
                        let all = |of: &[ValType]| of.iter().map(|ty| value_type(*ty)).collect::<Result<_>>();
                        types.push(Signature { params: all(ty.params())?, results: all(ty.results())? });
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        let kind = match import.ty {
                            TypeRef::Func(index) => {
                                let ty: &Signature = types.get(index as usize).context("no such type")?;
                                funcs.push(ty.clone());
                                Kind::Func(ty.clone())
                            }
                            TypeRef::Memory(ty) => {
                                memories.push(memory(ty));
                                Kind::Memory(memory(ty))
                            }
                            TypeRef::Table(ty) => {
                                tables.push(table(ty)?);
                                let (element, limits) = table(ty)?;
                                Kind::Table(element, limits)
                            }
                            TypeRef::Global(ty) => {
                                let global = (value_type(ty.content_type)?, ty.mutable);
                                globals.push(global);
                                Kind::Global { ty: global.0, mutable: global.1 }
                            }
                            other => bail!("an import of a kind that is not compared: {other:?}"),
                        };
                        interface.imports.push(Import {
                            module: import.module.to_owned(),
                            name: import.name.to_owned(),
                            kind,
                        });
                    }
                }
                Payload::FunctionSection(section) => {
                    for index in section {
                        funcs.push(types.get(index? as usize).context("no such type")?.clone());
                    }
                }
                Payload::MemorySection(section) => {
                    for ty in section {
                        memories.push(memory(ty?));
                    }
                }
                Payload::TableSection(section) => {
                    for ty in section {
                        tables.push(table(ty?.ty)?);
                    }
                }
                Payload::GlobalSection(section) => {
                    for global in section {
                        let ty = global?.ty;
                        globals.push((value_type(ty.content_type)?, ty.mutable));
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        let index = export.index as usize;
                        let kind = match export.kind {
                            ExternalKind::Func => Kind::Func(funcs.get(index).context("no such function")?.clone()),
                            ExternalKind::Memory => {
                                Kind::Memory(memories.get(index).context("no such memory")?.clone())
                            }
                            ExternalKind::Table => {
                                let (element, limits) = tables.get(index).context("no such table")?.clone();
                                Kind::Table(element, limits)
                            }
                            ExternalKind::Global => {
                                let (ty, mutable) = *globals.get(index).context("no such global")?;
                                Kind::Global { ty, mutable }
                            }
                            other => bail!("an export of a kind that is not compared: {other:?}"),
                        };
                        interface.exports.push(Export { name: export.name.to_owned(), kind, index });
                    }
                }
                _ => {}
            }
        }
        Ok(interface)
    }

    /// Returns the exported functions with their names, in order.
    pub fn funcs(&self) -> impl Iterator<Item = (&str, &Signature)> {
        self.exports.iter().filter_map(|export| match &export.kind {
            Kind::Func(signature) => Some((export.name.as_str(), signature)),
            _ => None,
        })
    }
}

fn value_type(ty: ValType) -> Result<Type> {
    Ok(match ty {
        ValType::I32 => Type::I32,
        ValType::I64 => Type::I64,
        ValType::F32 => Type::F32,
        ValType::F64 => Type::F64,
        ValType::V128 => Type::V128,
        ValType::Ref(ty) if ty == RefType::FUNCREF => Type::Func,
        ValType::Ref(ty) if ty == RefType::EXTERNREF => Type::Extern,
        ValType::Ref(ty) => bail!("a type that is not compared: {ty}"),
    })
}

fn memory(ty: wasmparser::MemoryType) -> Limits {
    Limits { is_64: ty.memory64, minimum: ty.initial, maximum: ty.maximum }
}

fn table(ty: wasmparser::TableType) -> Result<(Type, Limits)> {
    let limits = Limits { is_64: ty.table64, minimum: ty.initial, maximum: ty.maximum };
    Ok((value_type(ValType::Ref(ty.element_type))?, limits))
}
