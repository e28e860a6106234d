//! A frame of a guest: a function, and the place in it.

#[cfg(feature = "dwarf")]
mod lines;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use wasmparser::{ExternalKind, KnownCustom, Name, Parser, Payload, TypeRef};

use crate::wording::shown;

/// A function of a guest that was running when an error ended the call: see [`Error::frames`](crate::Error::frames).
#[derive(Clone)]
pub struct Frame {
    map: Arc<CodeMap>,
    offset: u32,
    is_entry: bool,
}

impl Frame {
    /// Makes a frame of the module that `map` describes. `is_entry` says whether the host called the function.
    pub(crate) fn new(map: Arc<CodeMap>, offset: u32, is_entry: bool) -> Self {
        Self { map, offset, is_entry }
    }

    /// Returns the function's index in its module, in which imported functions come first.
    pub fn index(&self) -> u32 {
        self.map.function(self.offset).map_or(0, |function| function.index)
    }

    /// Returns the function's name in the name section, otherwise a name under which it is exported.
    pub fn name(&self) -> Option<&str> {
        self.map.function(self.offset).and_then(|function| function.name.as_deref())
    }

    /// Returns the place in the function, in bytes from the beginning of the module: the instruction that trapped, or the
    /// call of the next frame. If the guest ran out of fuel, it is the function's last call, otherwise its beginning.
    pub fn offset(&self) -> u32 {
        self.offset
    }

    /// Returns whether the host called the function. The frames after such a frame belong to another call.
    pub fn is_entry(&self) -> bool {
        self.is_entry
    }

    /// Returns the file and the line of the source, if the module's DWARF tells them. `None` without the feature `dwarf`.
    pub fn line(&self) -> Option<(String, u32)> {
        self.map.line(self.offset)
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.map, &other.map) && self.offset == other.offset && self.is_entry == other.is_entry
    }
}

impl Eq for Frame {}

/// `div (0x4f)`, `parse (0x1a2, src/parse.rs:12)`, `exported run (0x203)`.
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_entry {
            f.write_str("exported ")?;
        }
        match self.name() {
            Some(name) => f.write_str(&shown(&demangled(name)))?,
            None => write!(f, "func[{}]", self.index())?,
        }
        write!(f, " ({:#x}", self.offset)?;
        if let Some((file, line)) = self.line() {
            write!(f, ", {}:{line}", shown(&file))?;
        }
        f.write_str(")")
    }
}

/// Demangles the name of a Rust function. Returns other names as they are.
fn demangled(name: &str) -> String {
    #[cfg(feature = "dwarf")]
    if let Ok(name) = rustc_demangle::try_demangle(name) {
        // `#` leaves out the hash at its end.
        return format!("{name:#}");
    }
    name.to_owned()
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The length of the longest cycle of frames that is recognised as a repetition.
const MAX_CYCLE: usize = 8;

/// The number of times that a cycle may be repeated before it is shown once, with its count.
const MAX_REPEATS: usize = 3;

/// The number of entries of a longer list that are shown at each end.
const SHOWN: usize = 9;

/// The width of a line, after which a list continues on the next one.
const WIDTH: usize = 120;

/// Renders frames, innermost first: `guest: div (0x4f) < parse (0x1a2) < exported run (0x203)`.
pub(crate) fn render(frames: &[Frame]) -> String {
    let entries = fold(frames);
    let outer = entries.len().saturating_sub(SHOWN);
    let is_long = outer > SHOWN.saturating_add(1);
    let mut texts = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        if is_long && index == SHOWN {
            let left_out: usize = entries.iter().take(outer).skip(SHOWN).map(Entry::frames).sum();
            texts.push(format!("[{left_out} frames left out]"));
        }
        if !is_long || index < SHOWN || index >= outer {
            texts.push(entry.to_string());
        }
    }
    let mut text = "guest:".to_owned();
    let mut column = text.len();
    for (index, entry) in texts.iter().enumerate() {
        let width = entry.chars().count().saturating_add(3);
        if index > 0 {
            if column.saturating_add(width) > WIDTH {
                text.push_str("\n      ");
                column = 6;
            }
            text.push_str(" <");
        }
        text.push(' ');
        text.push_str(entry);
        column = column.saturating_add(width);
    }
    text
}

/// Frames that are shown together, and how many times they are repeated.
struct Entry<'a> {
    shown: &'a [Frame],
    count: usize,
}

impl Entry<'_> {
    fn frames(&self) -> usize {
        self.shown.len().saturating_mul(self.count)
    }
}

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<String> = self.shown.iter().map(ToString::to_string).collect();
        match (self.shown, self.count) {
            (_, 1) => f.write_str(&shown.concat()),
            ([_], count) => write!(f, "{} × {count}", shown.concat()),
            (_, count) => write!(f, "({}) × {count}", shown.join(" < ")),
        }
    }
}

/// Folds repeated cycles of frames, which recursion makes, into entries.
fn fold(mut frames: &[Frame]) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    while !frames.is_empty() {
        let repeats = |len: usize| {
            let first = frames.get(..len);
            frames.chunks_exact(len).take_while(|chunk| Some(*chunk) == first).count()
        };
        let cycle = (1..=MAX_CYCLE).map(|len| (len, repeats(len))).find(|(_, count)| *count > MAX_REPEATS);
        let (len, count) = cycle.unwrap_or((1, 1));
        entries.push(Entry { shown: frames.get(..len).unwrap_or_default(), count });
        frames = frames.get(len.saturating_mul(count)..).unwrap_or_default();
    }
    entries
}

/// Maps offsets in a module to its functions and their names.
pub(crate) struct CodeMap {
    bytes: Arc<[u8]>,
    functions: Vec<Function>,
    imported: u32,
    #[cfg(feature = "dwarf")]
    lines: lines::Lines,
}

struct Function {
    index: u32,
    name: Option<Box<str>>,
    range: Range<u32>,
}

impl CodeMap {
    /// Reads a module, which must be valid.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let mut map = Self {
            bytes: bytes.into(),
            functions: Vec::new(),
            imported: 0,
            #[cfg(feature = "dwarf")]
            lines: lines::Lines::default(),
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
                    map.functions.push(Function { index, name: None, range });
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
            functions: vec![Function { index, name: name.map(Into::into), range }],
            imported: 0,
            #[cfg(feature = "dwarf")]
            lines: lines::Lines::default(),
        }
    }

    fn function(&self, offset: u32) -> Option<&Function> {
        let at = self.functions.partition_point(|function| function.range.end <= offset);
        self.functions.get(at).filter(|function| function.range.contains(&offset))
    }

    /// Returns the names of the functions that the module defines, as they appear in folded stacks.
    pub(crate) fn names(&self) -> Vec<String> {
        let name = |function: &Function| match &function.name {
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
    fn line(&self, offset: u32) -> Option<(String, u32)> {
        self.lines.find(&self.bytes, offset)
    }

    #[cfg(not(feature = "dwarf"))]
    fn line(&self, _offset: u32) -> Option<(String, u32)> {
        None
    }
}
