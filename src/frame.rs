//! A frame of a guest: a function, and the place in it.

mod function_map;
#[cfg(feature = "dwarf")]
mod lines;

use std::fmt;
use std::sync::Arc;

pub(crate) use self::function_map::FunctionMap;
use crate::wording::shown;

/// A function of a guest that was running when an error ended the call: see [`Error::frames`](crate::Error::frames).
#[derive(Clone)]
pub struct Frame {
    map: Arc<FunctionMap>,
    offset: u32,
    is_entry: bool,
}

impl Frame {
    /// Makes a frame of the module that `map` describes. `is_entry` says whether the host called the function.
    pub(crate) fn new(map: Arc<FunctionMap>, offset: u32, is_entry: bool) -> Self {
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
            let left_out: usize = entries.iter().take(outer).skip(SHOWN).map(FoldedFrames::frames).sum();
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
struct FoldedFrames<'a> {
    shown: &'a [Frame],
    count: usize,
}

impl FoldedFrames<'_> {
    fn frames(&self) -> usize {
        self.shown.len().saturating_mul(self.count)
    }
}

impl fmt::Display for FoldedFrames<'_> {
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
fn fold(mut frames: &[Frame]) -> Vec<FoldedFrames<'_>> {
    let mut entries = Vec::new();
    while !frames.is_empty() {
        let repeats = |len: usize| {
            let first = frames.get(..len);
            frames.chunks_exact(len).take_while(|chunk| Some(*chunk) == first).count()
        };
        let cycle = (1..=MAX_CYCLE).map(|len| (len, repeats(len))).find(|(_, count)| *count > MAX_REPEATS);
        let (len, count) = cycle.unwrap_or((1, 1));
        entries.push(FoldedFrames { shown: frames.get(..len).unwrap_or_default(), count });
        frames = frames.get(len.saturating_mul(count)..).unwrap_or_default();
    }
    entries
}
