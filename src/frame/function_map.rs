//! The functions of a module, by the offsets of their code.

use std::ops::Range;
use std::sync::Arc;

use wasmparser::{ExternalKind, KnownCustom, Name, Parser, Payload, TypeRef};

use super::demangled;
#[cfg(feature = "dwarf")]
use super::lines::Lines;
use crate::wording::shown;

/// Maps offsets in a module to its functions and their names.
pub(crate) struct FunctionMap {
    bytes: Arc<[u8]>,
    functions: Vec<FunctionCode>,
    imported: u32,
    #[cfg(feature = "dwarf")]
    lines: Lines,
}

pub(super) struct FunctionCode {
    pub(super) index: u32,
    pub(super) name: Option<Box<str>>,
    range: Range<u32>,
}

impl FunctionMap {
    /// Reads a module, which must be valid.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let mut map = Self {
            bytes: bytes.into(),
            functions: Vec::new(),
            imported: 0,
            #[cfg(feature = "dwarf")]
            lines: Lines::default(),
        };
        let (mut names, mut exports) = (Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.ok()? {
                Payload::ImportSection(imports) => {
                    let functions =
                        imports.into_iter().flatten().filter(|import| matches!(import.ty, TypeRef::Func(_)));
                    map.imported = u32::try_from(functions.count()).ok()?;
                }
                Payload::ExportSection(section) => {
                    let functions = section.into_iter().flatten().filter(|export| export.kind == ExternalKind::Func);
                    exports.extend(functions.map(|export| (export.index, export.name)));
                }
                Payload::CodeSectionEntry(body) => {
                    let range = u32::try_from(body.range().start).ok()?..u32::try_from(body.range().end).ok()?;
                    let index = map.imported.checked_add(u32::try_from(map.functions.len()).ok()?)?;
                    map.functions.push(FunctionCode { index, name: None, range });
                }
                Payload::CustomSection(section) => {
                    let KnownCustom::Name(section) = section.as_known() else { continue };
                    for name in section.into_iter().map_while(Result::ok) {
                        if let Name::Function(functions) = name {
                            names.extend(
                                functions.into_iter().map_while(Result::ok).map(|name| (name.index, name.name)),
                            );
                        }
                    }
                }
                _ => {}
            }
        }
        // Names in the name section take precedence.
        for (index, name) in names.into_iter().chain(exports) {
            let place = index.checked_sub(map.imported).and_then(|place| usize::try_from(place).ok());
            if let Some(function) = place.and_then(|place| map.functions.get_mut(place)) {
                function.name.get_or_insert_with(|| name.into());
            }
        }
        Some(map)
    }

    /// Says all that is known where there is no module: what one frame tells of itself.
    #[cfg(feature = "wire")]
    pub(crate) fn of_place(index: u32, name: Option<String>, offset: u32) -> Self {
        let range = offset..offset.saturating_add(1);
        Self {
            bytes: Arc::default(),
            functions: vec![FunctionCode { index, name: name.map(Into::into), range }],
            imported: 0,
            #[cfg(feature = "dwarf")]
            lines: Lines::default(),
        }
    }

    pub(super) fn function(&self, offset: u32) -> Option<&FunctionCode> {
        let at = self.functions.partition_point(|function| function.range.end <= offset);
        self.functions.get(at).filter(|function| function.range.contains(&offset))
    }

    /// Returns the names of the functions that the module defines, as they appear in folded stacks.
    pub(crate) fn names(&self) -> Vec<String> {
        let name = |function: &FunctionCode| match &function.name {
            Some(name) => shown(&demangled(name)).replace(';', ","),
            None => format!("func[{}]", function.index),
        };
        self.functions.iter().map(name).collect()
    }

    /// Returns whether both offsets are in the same function.
    pub(crate) fn is_same_function(&self, one: u32, other: u32) -> bool {
        self.function(one).is_some_and(|function| function.range.contains(&other))
    }

    /// Returns whether an offset is in a function.
    pub(crate) fn has(&self, offset: u32) -> bool {
        self.function(offset).is_some()
    }

    /// Returns whether the instruction at an offset is a direct call of a function that this module defines.
    pub(crate) fn calls_own(&self, offset: u32) -> bool {
        self.callee(offset).is_some_and(|callee| callee >= self.imported)
    }

    /// Returns whether the instruction at an offset is a direct call.
    pub(crate) fn calls(&self, offset: u32) -> bool {
        self.callee(offset).is_some()
    }

    fn callee(&self, offset: u32) -> Option<u32> {
        const CALL: u8 = 0x10;
        let (&CALL, rest) = self.bytes.get(usize::try_from(offset).ok()?..)?.split_first()? else { return None };
        wasmparser::BinaryReader::new(rest, 0).read_var_u32().ok()
    }

    #[cfg(feature = "dwarf")]
    pub(super) fn line(&self, offset: u32) -> Option<(String, u32)> {
        self.lines.find(&self.bytes, offset)
    }

    #[cfg(not(feature = "dwarf"))]
    pub(super) fn line(&self, _offset: u32) -> Option<(String, u32)> {
        None
    }
}
