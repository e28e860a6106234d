//! Errors in the form in which messages carry them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, GuestCall, Location, Parts};
use crate::frame::{Frame, FunctionMap};

/// An error.
#[derive(Serialize, Deserialize, Debug)]
pub(crate) struct Fault {
    kind: ErrorKind,
    message: String,
    exit_code: Option<i32>,
    location: Option<Place>,
    call_sites: Vec<Place>,
    guest_call: Option<GuestCall>,
    report: Option<String>,
    source: Option<SourceTexts>,
    frames: Option<Vec<FramePlace>>,
}

/// File, line and column.
type Place = (String, u64, u64);

/// What is known of a frame without its module.
#[derive(Serialize, Deserialize, Debug)]
struct FramePlace {
    index: u32,
    name: Option<String>,
    offset: u32,
    is_entry: bool,
}

/// An error that a function of the application returned.
#[derive(Serialize, Deserialize, Debug)]
struct SourceTexts {
    /// Under which the host keeps it.
    number: u32,
    /// What it says, and what each error behind it does.
    texts: Vec<String>,
}

/// What stands for it in the core.
#[derive(Debug)]
struct Foreign {
    number: u32,
    text: String,
    behind: Option<Box<Foreign>>,
}

impl Foreign {
    #[cfg(feature = "core")]
    fn new(number: u32, texts: &[String]) -> Option<Self> {
        let (text, behind) = texts.split_first()?;
        Some(Self { number, text: text.clone(), behind: Self::new(number, behind).map(Box::new) })
    }
}

impl std::fmt::Display for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Foreign {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.behind.as_deref().map(|behind| behind as &(dyn std::error::Error + 'static))
    }
}

/// The most errors behind one that are told of.
const MAX_BEHIND: usize = 16;

impl SourceTexts {
    fn new(source: &Source, keep: impl FnOnce(Source) -> u32) -> Self {
        if let Some(foreign) = source.downcast_ref::<Foreign>() {
            return Self { number: foreign.number, texts: Vec::new() };
        }
        let mut texts = vec![source.to_string()];
        let mut next = source.source();
        while let Some(error) = next.filter(|_| texts.len() < MAX_BEHIND) {
            texts.push(error.to_string());
            next = error.source();
        }
        Self { number: keep(source.clone()), texts }
    }

    /// Returns what stands for the error in the core.
    #[cfg(feature = "core")]
    fn into_foreign(self) -> Option<Source> {
        Some(Arc::new(Foreign::new(self.number, &self.texts)?))
    }
}

/// An error of the application.
pub(crate) type Source = Arc<dyn std::error::Error + Send + Sync>;

impl Fault {
    /// Takes an error apart. `keep` gets the application's own error, if there is one, and returns its number.
    pub(crate) fn new(error: &Error, keep: impl FnOnce(Source) -> u32) -> Self {
        let Parts { kind, message, exit_code, location, call_sites, guest_call, report, source, frames } =
            error.to_parts();
        let place = |place: Location| (place.file, place.line as u64, place.column as u64);
        let frame = |frame: Frame| FramePlace {
            index: frame.index(),
            name: frame.name().map(str::to_owned),
            offset: frame.offset(),
            is_entry: frame.is_entry(),
        };
        Self {
            kind,
            message,
            exit_code,
            location: location.map(place),
            call_sites: call_sites.into_iter().map(place).collect(),
            guest_call,
            report,
            source: source.map(|source| SourceTexts::new(&source, keep)),
            frames: frames.map(|frames| frames.into_iter().map(frame).collect()),
        }
    }

    /// Puts the error of the core together. `find` gets a number of `keep`.
    #[cfg(feature = "isolated")]
    pub(crate) fn into_error(mut self, find: impl FnOnce(u32) -> Option<Source>) -> Error {
        let source = self.source.take().and_then(|source| find(source.number));
        self.with_source(source)
    }

    /// Puts the error of the host together, with what stands for the application's own.
    #[cfg(feature = "core")]
    pub(crate) fn into_core_error(mut self) -> Error {
        let source = self.source.take().and_then(SourceTexts::into_foreign);
        self.with_source(source)
    }

    fn with_source(self, source: Option<Source>) -> Error {
        let Self { kind, message, exit_code, location, call_sites, guest_call, report, frames, .. } = self;
        let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let place = |(file, line, column)| Location { file, line: number(line), column: number(column) };
        let location = location.map(place);
        let call_sites = call_sites.into_iter().map(place).collect();
        let frame = |place: FramePlace| {
            let FramePlace { index, name, offset, is_entry } = place;
            Frame::new(Arc::new(FunctionMap::of_place(index, name, offset)), offset, is_entry)
        };
        let frames = frames.map(|frames| frames.into_iter().map(frame).collect());
        Error::of_parts(Parts { kind, message, exit_code, location, call_sites, guest_call, report, source, frames })
    }
}
