//! The parts of an error, for messages that carry it.

use std::sync::{Arc, Mutex};

use super::{Error, ErrorKind, GuestCall, Inner, Location, Source};
use crate::frame::Frame;

impl Error {
    /// Puts together an error that came from another place.
    pub(crate) fn of_parts(
        kind: ErrorKind,
        message: String,
        exit_code: Option<i32>,
        location: Option<Location>,
        guest_call: Option<GuestCall>,
        report: Option<String>,
        source: Option<Arc<Source>>,
        frames: Option<Vec<Frame>>,
    ) -> Self {
        Self(Box::new(Inner {
            kind,
            message,
            exit_code,
            location,
            guest_call,
            report,
            source,
            frames: Mutex::new(frames),
        }))
    }

    /// Returns the report with excerpt and frames, if there is one.
    pub(crate) fn report(&self) -> Option<&str> {
        self.0.report.as_deref()
    }

    /// Returns the application's own error, if one is the reason.
    pub(crate) fn shared_source(&self) -> Option<Arc<Source>> {
        self.0.source.clone()
    }

    /// Returns the call of WebAssembly that the error ended, if one was running.
    pub(crate) fn guest_call(&self) -> Option<&GuestCall> {
        self.0.guest_call.as_ref()
    }
}
