//! Writes a module anew, with entries appended to some of its sections.

use std::iter::Peekable;
use std::vec;

use wasm_encoder::{Encode, ExportKind, SectionId};
use wasmparser::BinaryReader;

/// Entries that are appended to a section, which the module may lack.
pub(crate) struct Appended {
    id: SectionId,
    count: u32,
    entries: Vec<u8>,
}

impl Appended {
    pub(crate) fn to(id: SectionId) -> Self {
        Self { id, count: 0, entries: Vec::new() }
    }

    /// Adds an entry. Returns where it must be encoded.
    pub(crate) fn entry(&mut self) -> &mut Vec<u8> {
        self.count = self.count.saturating_add(1);
        &mut self.entries
    }

    /// Adds an entry to the export section.
    pub(crate) fn export(&mut self, name: &str, kind: ExportKind, index: u32) {
        let entry = self.entry();
        name.encode(entry);
        kind.encode(entry);
        index.encode(entry);
    }
}

/// The sections of a module, written in their order.
pub(crate) struct Sections {
    out: Vec<u8>,
    /// What is still to be appended.
    appended: Peekable<vec::IntoIter<Appended>>,
}

impl Sections {
    /// Begins the module that is to replace the one of these bytes. `appended` has the order of the sections.
    pub(crate) fn new(bytes: &[u8], mut appended: Vec<Appended>) -> Option<Self> {
        const HEADER: usize = 8;
        appended.retain(|appended| appended.count > 0);
        let mut out = Vec::with_capacity(bytes.len());
        out.extend_from_slice(bytes.get(..HEADER)?);
        Some(Self { out, appended: appended.into_iter().peekable() })
    }

    /// Writes a section with what is appended to it, after those that the module lacks and that come before it.
    pub(crate) fn write(&mut self, id: u8, contents: &[u8]) -> Option<()> {
        if id == u8::from(SectionId::Custom) {
            self.section(id, contents);
            return Some(());
        }
        while let Some(lacking) = self.appended.next_if(|appended| rank(appended.id.into()) < rank(id)) {
            self.append(&lacking, &[0])?;
        }
        match self.appended.next_if(|appended| u8::from(appended.id) == id) {
            Some(appended) => self.append(&appended, contents)?,
            None => self.section(id, contents),
        }
        Some(())
    }

    /// Writes a section with more entries than in `contents`.
    fn append(&mut self, appended: &Appended, contents: &[u8]) -> Option<()> {
        let mut reader = BinaryReader::new(contents, 0);
        let count = reader.read_var_u32().ok()?;
        let mut section = Vec::with_capacity(contents.len().checked_add(appended.entries.len())?);
        count.checked_add(appended.count)?.encode(&mut section);
        section.extend_from_slice(contents.get(reader.original_position()..)?);
        section.extend_from_slice(&appended.entries);
        self.section(appended.id.into(), &section);
        Some(())
    }

    fn section(&mut self, id: u8, contents: &[u8]) {
        self.out.push(id);
        contents.encode(&mut self.out);
    }

    /// Returns the module, with the sections at its end that it lacked.
    pub(crate) fn finish(mut self) -> Option<Vec<u8>> {
        while let Some(lacking) = self.appended.next() {
            self.append(&lacking, &[0])?;
        }
        Some(self.out)
    }
}

/// Orders the sections that can be appended to as they stand in a module: by their numbers, except that tags come between
/// memories and globals, and the number of data segments between elements and code.
fn rank(id: u8) -> u16 {
    let after = |id: SectionId| u16::from(u8::from(id)).saturating_mul(2).saturating_add(1);
    if id == u8::from(SectionId::Tag) {
        after(SectionId::Memory)
    } else if id == u8::from(SectionId::DataCount) {
        after(SectionId::Element)
    } else {
        u16::from(id).saturating_mul(2)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const HEADER: [u8; 8] = [0, b'a', b's', b'm', 1, 0, 0, 0];

    fn sections(appended: &[SectionId], given: &[SectionId]) -> Vec<(u8, Vec<u8>)> {
        let appended = appended.iter().map(|id| {
            let mut appended = Appended::to(*id);
            appended.entry().push(0xee);
            appended
        });
        let mut sections = Sections::new(&HEADER, appended.collect()).unwrap();
        for id in given {
            sections.write((*id).into(), &[1, 0xaa]).unwrap();
        }
        let out = sections.finish().unwrap();
        let mut rest = &out[HEADER.len()..];
        let mut found = Vec::new();
        while let [id, size, tail @ ..] = rest {
            let (contents, tail) = tail.split_at(usize::from(*size));
            found.push((*id, contents.to_vec()));
            rest = tail;
        }
        found
    }

    #[test]
    fn entries_are_appended_and_counted() {
        let (same, more) = (vec![1, 0xaa], vec![2, 0xaa, 0xee]);
        let found = sections(&[SectionId::Memory], &[SectionId::Type, SectionId::Memory, SectionId::Code]);
        assert_eq!(found, [(1, same.clone()), (5, more), (10, same)]);
    }

    #[test]
    fn lacking_sections_are_written_where_they_belong() {
        use SectionId::{Code, Custom, Data, DataCount, Export, Function, Global, Import, Memory, Tag, Type};
        let ids = |appended: &[SectionId], given: &[SectionId]| {
            sections(appended, given).into_iter().map(|(id, _)| id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&[Import, Memory, Global, Export], &[Type, Code]), [1, 2, 5, 6, 7, 10]);
        assert_eq!(ids(&[Memory, Global], &[Tag, Code]), [5, 13, 6, 10]);
        assert_eq!(ids(&[Export], &[Custom, DataCount, Code]), [0, 7, 12, 10]);
        assert_eq!(ids(&[Function, Code], &[Function, DataCount, Code, Data]), [3, 12, 10, 11]);
        assert_eq!(ids(&[Function, Export, Code], &[Type, DataCount, Data]), [1, 3, 7, 12, 10, 11]);
        assert_eq!(ids(&[Type, Export, Code], &[Memory, Custom]), [1, 5, 0, 7, 10]);
        let lacking = sections(&[Memory], &[Code]);
        assert_eq!(lacking[0], (5, vec![1, 0xee]));
    }
}
