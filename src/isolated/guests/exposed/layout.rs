//! What a module exports for its host, and under which names.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The state of a module's instances, and the names of its private exports. Each thing is known by its index in the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Layout {
    /// What each private name begins with, and no other export.
    pub(super) prefix: String,
    pub(in super::super) memories: Space,
    pub(in super::super) tables: Space,
    pub(in super::super) globals: Space,
    /// In ascending order.
    pub(in super::super) mutable_globals: Vec<u32>,
    /// Each function that a reference can be made of, in ascending order.
    pub(in super::super) functions: Vec<u32>,
    /// Each segment that an instance may drop so that it can tell.
    pub(in super::super) segments: Vec<Segment>,
    /// The number of functions and exports of the module.
    pub(super) others: u64,
    /// The tables that code grows. Where they stand in this list, the function that does so stands in the table `growers`.
    pub(in super::super) grown: Vec<u32>,
    pub(super) has_start: bool,
}

impl Layout {
    /// Returns whether an export is for the host only.
    pub(in super::super) fn is_private(&self, name: &str) -> bool {
        name.starts_with(&self.prefix)
    }

    /// Returns how much an instance has: functions, exports, globals.
    pub(in super::super) fn parts(&self) -> u64 {
        let globals = self.globals.indices().len().saturating_add(self.functions.len());
        self.others.saturating_add(globals as u64)
    }

    pub(in super::super) fn memory(&self, index: u32) -> String {
        self.name("m", index)
    }

    pub(in super::super) fn table(&self, index: u32) -> String {
        self.name("t", index)
    }

    pub(in super::super) fn global(&self, index: u32) -> String {
        self.name("g", index)
    }

    pub(in super::super) fn function(&self, index: u32) -> String {
        self.name("f", index)
    }

    /// Returns the name of the table of functions that grow tables, if code does.
    pub(in super::super) fn growers(&self) -> Option<String> {
        (!self.grown.is_empty()).then(|| format!("{}w", self.prefix))
    }

    /// Returns the name of the start function, if there is one.
    pub(in super::super) fn start(&self) -> Option<String> {
        self.has_start.then(|| format!("{}s", self.prefix))
    }

    /// Returns the name of the function that traps if the segment was dropped, and changes nothing.
    pub(in super::super) fn probe(&self, segment: Segment) -> String {
        match segment {
            Segment::Data(index) => self.name("pd", index),
            Segment::Element(index) => self.name("pe", index),
        }
    }

    /// Returns the name of the function that drops the segment.
    pub(in super::super) fn drop(&self, segment: Segment) -> String {
        match segment {
            Segment::Data(index) => self.name("dd", index),
            Segment::Element(index) => self.name("de", index),
        }
    }

    fn name(&self, kind: &str, index: u32) -> String {
        format!("{}{kind}{index}", self.prefix)
    }
}

/// The memories, tables or globals of a module. Those that it imports come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Space {
    imported: u32,
    count: u32,
}

impl Space {
    pub(super) fn new(imported: u32, defined: u32) -> Option<Self> {
        Some(Self { imported, count: imported.checked_add(defined)? })
    }

    /// Returns the indices of all, including the imported ones.
    pub(in super::super) fn indices(self) -> Range<u32> {
        0..self.count
    }

    pub(in super::super) fn is_imported(self, index: u32) -> bool {
        index < self.imported
    }
}

/// A passive segment, by its index among the segments of its kind.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Segment {
    Data(u32),
    Element(u32),
}

/// Returns a prefix that no export begins with. It is short whatever names a module has, since names have a maximum length.
pub(super) fn unused_prefix(exports: &[String]) -> Option<String> {
    let exports: BTreeSet<&str> = exports.iter().map(String::as_str).collect();
    let is_used = |prefix: &str| exports.range(prefix..).next().is_some_and(|following| following.starts_with(prefix));
    // An export begins with at most one of these.
    (0..=exports.len()).map(|number| format!("\u{1}{number}:")).find(|prefix| !is_used(prefix))
}
