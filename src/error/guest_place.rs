//! Where in WebAssembly an error arose.

use std::fmt;

/// The place in a guest where an error arose: see [`Error::guest_place`](crate::Error::guest_place).
///
/// [`Display`](fmt::Display) prints it as messages do: ``in wasm function `div(i32, i32) -> i32` ``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestPlace {
    call: GuestCall,
    offset: Option<u32>,
}

impl GuestPlace {
    pub(super) fn new(call: GuestCall, offset: Option<u32>) -> Self {
        Self { call, offset }
    }

    /// Returns the function whose call failed, with its type: `div(i32, i32) -> i32`. An error that an observer is told of has
    /// only its name. `None` if an instantiation or a [`WasiCommand`](crate::WasiCommand) failed.
    pub fn function(&self) -> Option<&str> {
        match &self.call {
            GuestCall::Export(function) => Some(function),
            GuestCall::Import(_) | GuestCall::Instantiation | GuestCall::Command => None,
        }
    }

    /// Returns the [offset](crate::Frame::offset) of the innermost of the error's [frames](crate::Error::frames): of the
    /// instruction that trapped, in bytes from the beginning of its module. `None` if the guest keeps no frames.
    pub fn offset(&self) -> Option<u32> {
        self.offset
    }
}

impl fmt::Display for GuestPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.call, f)
    }
}

/// A call that crosses the border of WebAssembly.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum GuestCall {
    /// Of a guest's function, by its name and type.
    Export(String),
    /// By a guest, of a function that it imports, by its full name. Only observers are told of these.
    Import(String),
    Instantiation,
    /// Of a command without a script.
    Command,
}

impl fmt::Display for GuestCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Export(function) => write!(f, "in wasm function `{function}`"),
            Self::Import(name) => write!(f, "in import `{name}`"),
            Self::Instantiation => f.write_str("while instantiating"),
            Self::Command => f.write_str("in the guest"),
        }
    }
}
