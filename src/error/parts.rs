//! The parts of an error, for messages that carry it.

use std::sync::{Arc, Mutex};

use super::{Error, ErrorKind, GuestCall, Inner, Location, Source};
use crate::frame::Frame;

/// All that an error consists of.
pub(crate) struct Parts {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) exit_code: Option<i32>,
    pub(crate) location: Option<Location>,
    /// The places of the calls around that, outermost first.
    pub(crate) call_sites: Vec<Location>,
    pub(crate) guest_call: Option<GuestCall>,
    /// The report with excerpt and frames, if there is one.
    pub(crate) report: Option<String>,
    /// The application's own error, if one is the reason.
    pub(crate) source: Option<Arc<Source>>,
    /// The frames of guests; `None` if they keep none.
    pub(crate) frames: Option<Vec<Frame>>,
}

impl Error {
    /// Puts together an error that came from another place.
    pub(crate) fn of_parts(parts: Parts) -> Self {
        let Parts { kind, message, exit_code, location, call_sites, guest_call, report, source, frames } = parts;
        let frames = Mutex::new(frames);
        Self(Box::new(Inner { kind, message, exit_code, location, call_sites, guest_call, report, source, frames }))
    }

    /// Takes a copy of the error apart.
    pub(crate) fn to_parts(&self) -> Parts {
        let Inner { kind, message, exit_code, location, call_sites, guest_call, report, source, .. } = *self.copy().0;
        let frames = self.frames_if_kept();
        Parts { kind, message, exit_code, location, call_sites, guest_call, report, source, frames }
    }
}
