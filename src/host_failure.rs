//! The error of a Starlark function that wasm called, on its way through wasm.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, ErrorKind};

/// The error, until it is taken. In a mutex, since it must be taken even where wasmi only lends it.
#[derive(Debug)]
pub(crate) struct HostFailure(Mutex<Option<starlark::Error>>);

impl HostFailure {
    pub(crate) fn new(error: starlark::Error) -> Self {
        Self(Mutex::new(Some(error)))
    }

    /// Takes the failure out. Nobody looks at what is left.
    pub(crate) fn take(&self) -> Self {
        Self(Mutex::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).take()))
    }

    /// Returns a copy of the failure, without its place.
    pub(crate) fn look(&self) -> Error {
        let failure = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match failure.as_ref() {
            Some(error) => Error::of_starlark(error),
            None => Error::new(ErrorKind::Script, "a host function failed"),
        }
    }

    pub(crate) fn into_starlark(self) -> starlark::Error {
        let error = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        error.unwrap_or_else(|| Error::new(ErrorKind::Script, "a host function failed").into())
    }

    pub(crate) fn into_wasmi(self) -> wasmi::Error {
        wasmi::Error::host(self)
    }
}

impl fmt::Display for HostFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => write!(f, "{error}"),
            None => f.write_str("a host function failed"),
        }
    }
}

impl wasmi::errors::HostError for HostFailure {}
