//! A session as bytes: its guests, and what its core's memory is where it differs from the memory that every core begins
//! with.
//!
//! In order: the magic bytes, the version, the header and the pages as postcard encodes them, and the BLAKE3 hash of all
//! that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::guests::{Frozen, SavedGuests};
use super::image::{Core, Image, PAGE, is_zero};
use super::message::{ImportGrant, Setup};
use crate::error::{Error, ErrorKind};
use crate::host::function::Description;
use crate::session::Stats;

const MAGIC: &[u8] = b"wasmlark session\n";

/// Changes when the format does.
const VERSION: u8 = 2;

const HASH: usize = 32;

/// What a session needs of the sandbox that restores it.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    functions: Vec<Description>,
    imports: Vec<ImportGrant>,
}

impl Needs {
    pub(super) fn of(setup: &Setup) -> Self {
        Self { functions: setup.functions.clone(), imports: setup.imports.clone() }
    }

    /// Checks that a sandbox gives the same under the same numbers.
    fn check(&self, given: &Self) -> Result<(), Error> {
        let names = |needs: &Self| {
            let imports = needs.imports.iter().map(|import| format!("import `{}.{}`", import.module, import.name));
            let functions = needs.functions.iter().map(|function| format!("function `{}`", function.name));
            functions.chain(imports).collect::<Vec<_>>()
        };
        let (needed, given_names) = (names(self), names(given));
        let refuse = |why: String| Err(Error::value(format!("cannot restore the session: {why}")));
        if let Some(missing) = needed.iter().find(|name| !given_names.contains(name)) {
            return refuse(format!("it was saved in a sandbox that gives {missing}, which this one does not"));
        }
        if let Some(extra) = given_names.iter().find(|name| !needed.contains(name)) {
            return refuse(format!("this sandbox gives {extra}, which the one that it was saved in did not"));
        }
        match self == given {
            true => Ok(()),
            false => {
                refuse("a function or import of this sandbox has other parameters than where it was saved".to_owned())
            }
        }
    }
}

/// A saved session.
#[derive(Serialize, Deserialize)]
pub(super) struct Saved {
    /// The hash of the core.
    core: [u8; 32],
    pub(super) needs: Needs,
    pub(super) stats: Stats,
    /// What was spent of the limit `cost`.
    pub(super) spent: u64,
    /// The length of the memory in bytes.
    length: u64,
    /// The pages that differ, by their number; one without bytes is zero.
    pages: Vec<(u32, ByteBuf)>,
    guests: SavedGuests,
}

impl Saved {
    pub(super) fn new(core: &Core, image: &Image, needs: Needs, stats: Stats, spent: u64) -> Self {
        let mut pages: Vec<(u32, ByteBuf)> = Vec::new();
        let mut before = core.image.pages.iter().peekable();
        for (number, page) in &image.pages {
            while let Some((gone, _)) = before.next_if(|(other, _)| other < number) {
                pages.push((*gone, ByteBuf::new()));
            }
            let same = before.next_if(|(other, _)| other == number);
            if same.is_none_or(|(_, old)| old != page) {
                pages.push((*number, ByteBuf::from(page.to_vec())));
            }
        }
        pages.extend(before.map(|(gone, _)| (*gone, ByteBuf::new())));
        let (length, guests) = (image.length as u64, image.guests.to_saved());
        Self { core: core.hash, needs, stats, spent, length, pages, guests }
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = [MAGIC, &[VERSION]].concat();
        bytes.extend(super::message::encode(self)?);
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        Ok(bytes)
    }

    /// Reads what was saved.
    ///
    /// # Errors
    ///
    /// If the bytes are not a saved session, were damaged, or come from another version or from another build of the core.
    pub(super) fn parse(bytes: &[u8], core: &Core, given: &Needs) -> Result<Self, Error> {
        let refuse = |why: &str| Error::value(format!("cannot restore the session: {why}"));
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| refuse("these bytes are not a saved session"))?;
        match rest.first() {
            Some(&VERSION) => {}
            Some(other) => {
                return Err(refuse(&format!("it has version {other} of the format, and this build reads {VERSION}")));
            }
            None => return Err(refuse("it ends too early")),
        }
        let whole = bytes.split_last_chunk::<HASH>().filter(|(all, hash)| blake3::hash(all).as_bytes() == *hash);
        let (all, _) = whole.ok_or_else(|| refuse("its bytes were damaged, or it ends too early"))?;
        let body = all.get(MAGIC.len().saturating_add(1)..).unwrap_or_default();
        let saved: Self = postcard::from_bytes(body).map_err(|_| refuse("its bytes do not make sense"))?;
        if saved.core != core.hash {
            return Err(refuse("it was saved by another version of wasmlark, whose evaluator is not this one"));
        }
        saved.needs.check(given)?;
        Ok(saved)
    }

    /// Returns what the core was.
    pub(super) fn image(&self, core: &Core) -> Result<Image, Error> {
        let refuse = || Error::new(ErrorKind::Value, "cannot restore the session: its memory does not make sense");
        let length = usize::try_from(self.length).map_err(|_| refuse())?;
        if length % (1 << 16) != 0 || length < core.image.length || u32::try_from(length - 1).is_err() {
            return Err(refuse());
        }
        // Whoever made the bytes may have chosen any order.
        let mut pages: BTreeMap<u32, &[u8]> =
            core.image.pages.iter().map(|(number, page)| (*number, &**page)).collect();
        for (number, bytes) in &self.pages {
            let is_inside = usize::try_from(*number).is_ok_and(|number| number < length / PAGE);
            if !is_inside || !(bytes.is_empty() || bytes.len() == PAGE) {
                return Err(refuse());
            }
            match is_zero(bytes) {
                true => pages.remove(number),
                false => pages.insert(*number, bytes),
            };
        }
        let pages = pages.into_iter().map(|(number, page)| (number, page.into())).collect();
        Ok(Image { length, pages, guests: Frozen::of_saved(&self.guests)? })
    }
}
