//! The error type of this crate.

mod carried;
mod guest_place;
mod kind;
#[cfg(feature = "wire")]
mod parts;
mod trap_code;

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use self::guest_place::GuestCall;
pub use self::guest_place::GuestPlace;
pub use self::kind::ErrorKind;
#[cfg(feature = "wire")]
pub(crate) use self::parts::Parts;
pub use self::trap_code::TrapCode;
use crate::frame::{self, Frame};
pub use crate::limits::table::Limit;
use crate::wording::visible;

/// An error of this crate. It is boxed, so a `Result` with it stays small.
///
/// [`Display`](fmt::Display) prints the text for people. If the error came out of a script, that is a report: the message,
/// an excerpt of the source, and the frames of both languages. [`kind`](Error::kind) is for programs.
///
/// ```
/// use wasmlark::{ErrorKind, Sandbox, TrapCode};
///
/// let script = r#"
/// module = wasm.wat("(module (func (export \"f\") unreachable))")
/// wasm.instantiate(module).exports.f()
/// "#;
/// let error = Sandbox::new().run("main.star", script).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Trap(TrapCode::Unreachable));
/// assert!(error.to_string().contains("--> main.star:3:1"));
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    exit_code: Option<i32>,
    location: Option<Location>,
    /// The places of the calls around that, outermost first.
    call_sites: Vec<Location>,
    /// The call of WebAssembly that it ended.
    guest_call: Option<GuestCall>,
    report: Option<String>,
    source: Option<Arc<Source>>,
    /// The frames of guests; `None` if they keep none. In a mutex, since frames are added while starlark carries the error
    /// outwards, and starlark only lends it.
    frames: Mutex<Option<Vec<Frame>>>,
}

/// The application's own error.
pub(crate) type Source = dyn std::error::Error + Send + Sync;

/// A place in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Location {
    /// The name under which the script was run or loaded.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// What a report has instead of frames, if guests keep none.
const ASK: &str = "note: to see where in the guest, use `--backtrace`, or `Sandbox::backtrace` in an application";

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            // Parts of it may come from a script or a module.
            message: visible(message.into()),
            exit_code: None,
            location: None,
            call_sites: Vec::new(),
            guest_call: None,
            report: None,
            source: None,
            frames: Mutex::default(),
        }))
    }

    /// Makes an error for a function of the application to return, from a message or from an error of any type. The latter
    /// becomes the [`source`](std::error::Error::source), unless it is an `Error`: that is returned as it is.
    pub fn host(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        match error.into().downcast::<Self>() {
            Ok(ours) => *ours,
            Err(error) => {
                let mut ours = Self::new(ErrorKind::Host, error.to_string());
                ours.0.source = Some(error.into());
                ours
            }
        }
    }

    /// Makes the error for a panic. `word` makes the message from the text of the panic, which begins with a colon.
    #[cold]
    pub(crate) fn panicked(kind: ErrorKind, panic: Box<dyn Any + Send>, word: impl FnOnce(&str) -> String) -> Self {
        let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let why = text.map_or_else(String::new, |text| format!(": {text}"));
        Self::new(kind, word(&why))
    }

    pub(crate) fn value(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Value, message)
    }

    pub(crate) fn load(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Load, message)
    }

    pub(crate) fn limit(limit: Limit, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit(limit), message)
    }

    pub(crate) fn exit(code: i32, message: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::Trap(TrapCode::Exit), message);
        error.0.exit_code = Some(code);
        error
    }

    pub(crate) fn trap(code: TrapCode) -> Self {
        Self::new(ErrorKind::Trap(code), format!("wasm trap: {}", code.message()))
    }

    /// Makes the error with which `exit` ends a script. Code 0 means success, and is not an error outside of the script.
    pub(crate) fn script_exit(code: u8) -> Self {
        let mut error = Self::new(ErrorKind::Exit, format!("the script exited with code {code}"));
        error.0.exit_code = Some(code.into());
        error
    }

    /// Adds the place in the script and the report for people.
    pub(crate) fn with_report(mut self, location: Option<Location>, report: String) -> Self {
        self.0.location = location;
        self.0.report = Some(report);
        self
    }

    /// Adds the places of the calls that led to the place in the script, outermost first.
    pub(crate) fn with_call_sites(mut self, call_sites: Vec<Location>) -> Self {
        self.0.call_sites = call_sites;
        self
    }

    /// Returns the kind of error, for programs.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the message alone, without the excerpt and the frames.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the text for people, which [`Display`](fmt::Display) prints.
    pub fn text(&self) -> &str {
        self.0.report.as_deref().unwrap_or(&self.0.message)
    }

    /// Returns the exit code, if the guest or the script ended itself.
    pub fn exit_code(&self) -> Option<i32> {
        self.0.exit_code
    }

    /// Returns the frames of the guests, innermost first: those of the call that failed, then those of each call around it.
    /// Empty unless [`Sandbox::backtrace`](crate::Sandbox::backtrace) asked for them.
    pub fn frames(&self) -> Vec<Frame> {
        self.frames_if_kept().unwrap_or_default()
    }

    /// Returns the lines of the report that say where a guest was: its frames, or how to get them. `None` for an error
    /// that did not come out of a guest.
    pub fn guest_note(&self) -> Option<String> {
        match (self.frames_if_kept(), self.kind()) {
            (Some(frames), _) if !frames.is_empty() => Some(frame::render(&frames)),
            (None, ErrorKind::Trap(code)) if code != TrapCode::Exit => Some(ASK.to_owned()),
            _ => None,
        }
    }

    /// Returns the place in the script, if there is one.
    pub fn location(&self) -> Option<&Location> {
        self.0.location.as_ref()
    }

    /// Returns the places in scripts of the calls that led to the error, outermost first: those that the report lists above
    /// the message. A call that a guest makes is not one of them.
    ///
    /// ```
    /// use wasmlark::Sandbox;
    ///
    /// let mut sandbox = Sandbox::new();
    /// sandbox.file("lib.star", "def f():\n    fail('no')");
    /// let error = sandbox.run("main.star", "load('lib.star', 'f')\n\nf()").unwrap_err();
    /// assert_eq!(error.location().map(|place| (place.file.as_str(), place.line)), Some(("lib.star", 2)));
    /// let calls: Vec<_> = error.call_sites().iter().map(|place| (place.file.as_str(), place.line)).collect();
    /// assert_eq!(calls, [("main.star", 3), ("lib.star", 2)]);
    /// ```
    pub fn call_sites(&self) -> &[Location] {
        &self.0.call_sites
    }

    /// Returns the place in the guest where the error arose: a trap, the end of the fuel, an exit, or the failure of a
    /// function of the application that the guest called. `None` for other errors.
    ///
    /// ```
    /// use wasmlark::Sandbox;
    ///
    /// let script = r#"
    /// module = wasm.wat("(module (func (export \"div\") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1))))")
    /// wasm.instantiate(module).exports.div(1, 0)
    /// "#;
    /// let sandbox = Sandbox::new().backtrace(true);
    /// let place = sandbox.run("main.star", script).unwrap_err().guest_place().unwrap();
    /// assert_eq!(place.function(), Some("div(i32, i32) -> i32"));
    /// // Of the instruction `i32.div_s`.
    /// assert_eq!(place.offset(), Some(0x27));
    /// ```
    pub fn guest_place(&self) -> Option<GuestPlace> {
        let call = self.0.guest_call.clone()?;
        let innermost = self.frames_if_kept().and_then(|frames| frames.first().map(Frame::offset));
        Some(GuestPlace::new(call, innermost))
    }

    /// Notes the call of WebAssembly that the error ended, and names it at the end of the message. The place of the error is in
    /// the first call that it ended.
    pub(crate) fn ending(mut self, call: GuestCall) -> Self {
        self.0.message = visible(format!("{}, {call}", self.0.message));
        self.0.guest_call.get_or_insert(call);
        self
    }

    /// Adds text to the end of the message.
    pub(crate) fn followed_by(mut self, more: &str) -> Self {
        self.0.message.push_str(more);
        self
    }

    /// Adds context to the beginning of the message.
    pub(crate) fn within(mut self, what: &str) -> Self {
        self.0.message = format!("{what}: {}", self.0.message);
        self
    }

    /// The same error at the same place, with the kind and the message of another.
    #[cfg(feature = "isolated")]
    pub(crate) fn retold(mut self, other: &Self) -> Self {
        let report = self.0.report.take();
        self.0.report = report.map(|report| report.replacen(&self.0.message, other.message(), 1));
        self.0.message = other.message().to_owned();
        self.0.kind = other.kind();
        self
    }

    /// Copies the error. Not `Clone`, so that no application copies errors by accident.
    pub(crate) fn copy(&self) -> Self {
        Self(Box::new(Inner {
            kind: self.0.kind,
            message: self.0.message.clone(),
            exit_code: self.0.exit_code,
            location: self.0.location.clone(),
            call_sites: self.0.call_sites.clone(),
            guest_call: self.0.guest_call.clone(),
            report: self.0.report.clone(),
            source: self.0.source.clone(),
            frames: Mutex::new(self.frames_if_kept()),
        }))
    }

    pub(crate) fn frames_if_kept(&self) -> Option<Vec<Frame>> {
        self.0.frames.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds the frames of a call of a guest that this error ended, behind those of the calls inside it. `None` if the guest
    /// keeps no frames.
    pub(crate) fn add_frames(&self, more: Option<Vec<Frame>>) {
        let mut frames = self.0.frames.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(more) = more {
            frames.get_or_insert_default().extend(more);
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)
    }
}

/// The source is the error that a function of the application returned, if that is the cause.
///
/// ```
/// use std::error::Error as _;
/// use wasmlark::{ErrorKind, Sandbox};
///
/// let mut sandbox = Sandbox::new();
/// sandbox.function("read", |path: &str| std::fs::read_to_string(path));
/// let error = sandbox.run("main.star", "read('/nothing/there')").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Host);
/// let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
/// assert_eq!(source.map(std::io::Error::kind), Some(std::io::ErrorKind::NotFound));
/// ```
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
