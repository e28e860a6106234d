//! Lines of the source, from a module's DWARF.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, LittleEndian, SectionId};
use wasmparser::{Parser, Payload};

/// The lines that were asked for: to read DWARF costs much more than to remember a line.
#[derive(Default)]
pub(super) struct Lines(Mutex<BTreeMap<u32, Option<(String, u32)>>>);

impl Lines {
    /// Returns the file and the line of the instruction at an offset in a module.
    pub(super) fn find(&self, bytes: &[u8], offset: u32) -> Option<(String, u32)> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(offset).or_insert_with(|| find(bytes, offset)).clone()
    }
}

fn find(bytes: &[u8], offset: u32) -> Option<(String, u32)> {
    let mut sections = BTreeMap::new();
    let mut code = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::CustomSection(section) if section.name().starts_with(".debug_") => {
                sections.insert(section.name().to_owned(), Cow::Borrowed(section.data()));
            }
            Payload::CodeSectionStart { range, .. } => code = range.start,
            _ => {}
        }
    }
    if sections.is_empty() {
        return None;
    }
    let section = |id: SectionId| -> Result<_, addr2line::gimli::Error> {
        Ok(EndianSlice::new(sections.get(id.name()).map_or(&[], Cow::as_ref), LittleEndian))
    };
    let context = Context::from_dwarf(Dwarf::load(section).ok()?).ok()?;
    // DWARF counts from where the contents of the code section begin.
    let address = u64::from(offset).checked_sub(u64::try_from(code).ok()?)?;
    let place = context.find_location(address).ok()??;
    Some((place.file?.to_owned(), place.line?))
}
