//! What a module asks for and gives, without running it.

use std::borrow::Cow;

use wasmparser::{KnownCustom, Payload, ProducersSectionReader};

#[cfg(feature = "wat")]
use super::diagnose;
use crate::error::Error;
#[cfg(feature = "wat")]
use crate::error::ErrorKind;
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
    /// The module's name from its name section.
    pub name: Option<String>,
    /// What it imports.
    pub imports: Vec<Item>,
    /// What it exports, in its order.
    pub exports: Vec<Item>,
    /// Its own memories, imported ones left out, in the form of the script API: `memory(1, maximum = 2)`.
    pub memories: Vec<String>,
    /// Names and sizes in bytes of its custom sections.
    pub custom_sections: Vec<(String, usize)>,
    /// The tools that made it: field, name and version, from its producers section.
    pub producers: Vec<(String, String, String)>,
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
    /// Name and type together, as a script would call it: `env.log(i32)`. What would drive a terminal in
    /// a name is escaped; [`name`](Self::name) has it as it is.
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

/// Returns a module in the binary format; with the feature `wat`, of one in the text format too.
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

/// Describes a module, in the binary format or, with the feature `wat`, in the text format.
///
/// # Errors
///
/// If the bytes are no module that wasmlark can run; the message says what they are instead.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, Error> {
    let bytes = &*binary_form(bytes)?;
    // With an engine of its own: one that is shared would keep the code.
    let engine = wasmi::Engine::new(&module::config(&Limits::default(), false));
    let binary = Binary::parse(bytes);
    let compiled = Compiled::new(&engine, &binary, module::hash(bytes), module::code_size(&binary), false)?;
    let item = |module: Option<&str>, name: &str, ty: &wasmi::ExternType| Item {
        module: module.map(str::to_owned),
        name: name.to_owned(),
        kind: types::kind(ty),
        ty: types::describe(ty),
    };
    let mut inspection = Inspection {
        name: compiled.name.clone(),
        imports: compiled.imports_in_order().iter().map(|i| item(Some(&i.module), &i.name, &i.ty)).collect(),
        exports: compiled.exports.iter().map(|(name, ty)| item(None, name, ty)).collect(),
        ..Inspection::default()
    };
    for payload in binary.payloads() {
        match payload {
            Payload::MemorySection(memories) => {
                inspection.memories.extend(memories.clone().into_iter().flatten().map(|ty| memory(&ty)));
            }
            Payload::CustomSection(section) => {
                inspection.custom_sections.push((section.name().to_owned(), section.data().len()));
                if let KnownCustom::Producers(producers) = section.as_known() {
                    add_producers(producers, &mut inspection.producers);
                }
            }
            _ => {}
        }
    }
    Ok(inspection)
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
