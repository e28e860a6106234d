//! What can go wrong, as one small type.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::frame::{self, Frame};
pub use crate::limits::table::Limit;
use crate::wording::visible;

/// An error of this crate: boxed, so that a `Result` of it stays two words.
///
/// [`Display`](fmt::Display) prints what a person should read: for an error that left a script, the
/// message with an excerpt of the source and both languages' frames. [`kind`](Error::kind) is for
/// programs.
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
    report: Option<String>,
    source: Option<Arc<Source>>,
    /// The frames of guests; `None` where they keep none. They are added while starlark carries the error outwards, and
    /// starlark lends it only.
    frames: Mutex<Option<Vec<Frame>>>,
}

/// The application's own error.
pub(crate) type Source = dyn std::error::Error + Send + Sync;

/// What sort of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum ErrorKind {
    /// The script: its syntax, its types, a `fail(…)`, a name that is not there.
    Script,
    /// An argument of the wrong type or out of range.
    Value,
    /// Bytes that are no module, or one that this engine cannot run.
    Module,
    /// Imports and exports that do not fit each other.
    Link,
    /// A handle whose store is closed, or that belongs to another evaluation.
    Handle,
    /// A script or module that the loader has not got, or may not give.
    Load,
    /// WebAssembly code trapped.
    Trap(TrapCode),
    /// A function of the application failed: [`source`](std::error::Error::source) is the error that it returned, and there is none
    /// where it panicked.
    Host,
    /// The script ended itself as a failure, with `exit(code)`: [`Error::exit_code`] has the code.
    Exit,
    /// A limit of the sandbox ended the run.
    Limit(Limit),
    /// The application ended the run by an [`Interrupt`](crate::Interrupt).
    Interrupted,
    /// A deadline ended the run. Whether it does depends on the clock: unlike all other errors, it is not repeatable.
    Deadline,
    /// A panic ended the script: a defect of starlark, wasmi or this crate, or a panic in a closure of the application that loads,
    /// prints or writes. The [`Session`](crate::Session) has ended. Where panics abort, as on wasm32, the process ends instead.
    Internal,
}

/// Why WebAssembly code trapped.
///
/// The names are those of the [specification's own tests], in the spelling that a script sees as
/// `trap.code`.
///
/// [specification's own tests]: https://github.com/WebAssembly/spec/tree/main/test/core
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum TrapCode {
    /// `unreachable` was executed.
    Unreachable,
    /// A load, store or bulk operation outside of a memory.
    MemoryOutOfBounds,
    /// An access outside of a table.
    TableOutOfBounds,
    /// `call_indirect` through a null entry.
    IndirectCallToNull,
    /// `call_indirect` with another signature than the function's.
    BadSignature,
    /// Division or remainder by zero.
    IntegerDivisionByZero,
    /// A signed division, or a conversion from a float, whose result has no representation.
    IntegerOverflow,
    /// A conversion of NaN to an integer.
    BadConversionToInteger,
    /// Calls nested deeper than the stack allows.
    StackOverflow,
    /// The store's own fuel is used up.
    OutOfFuel,
    /// A growth that a limit forbids, where the guest asked for a trap.
    GrowthLimited,
    /// The guest ended itself with an exit code.
    Exit,
}

impl TrapCode {
    /// The code as scripts see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::MemoryOutOfBounds => "memory-out-of-bounds",
            Self::TableOutOfBounds => "table-out-of-bounds",
            Self::IndirectCallToNull => "indirect-call-to-null",
            Self::BadSignature => "bad-signature",
            Self::IntegerDivisionByZero => "integer-division-by-zero",
            Self::IntegerOverflow => "integer-overflow",
            Self::BadConversionToInteger => "bad-conversion-to-integer",
            Self::StackOverflow => "stack-overflow",
            Self::OutOfFuel => "out-of-fuel",
            Self::GrowthLimited => "growth-limited",
            Self::Exit => "exit",
        }
    }

    /// The sentence that the specification's tests use for this trap.
    pub fn message(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable executed",
            Self::MemoryOutOfBounds => "out of bounds memory access",
            Self::TableOutOfBounds => "out of bounds table access",
            Self::IndirectCallToNull => "uninitialized element: indirect call through a null entry",
            Self::BadSignature => "indirect call type mismatch",
            Self::IntegerDivisionByZero => "integer divide by zero",
            Self::IntegerOverflow => "integer overflow",
            Self::BadConversionToInteger => "invalid conversion to integer",
            Self::StackOverflow => "call stack exhausted",
            Self::OutOfFuel => "all fuel consumed by WebAssembly",
            Self::GrowthLimited => "growth limited by the sandbox",
            Self::Exit => "the guest exited",
        }
    }
}

impl fmt::Display for TrapCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TrapCode {
    // No `TryFrom`: wasmi is no part of the API.
    fn from_wasmi(code: wasmi::TrapCode) -> Option<Self> {
        use wasmi::TrapCode as T;
        Some(match code {
            T::UnreachableCodeReached => Self::Unreachable,
            T::MemoryOutOfBounds => Self::MemoryOutOfBounds,
            T::TableOutOfBounds => Self::TableOutOfBounds,
            T::IndirectCallToNull => Self::IndirectCallToNull,
            T::IntegerDivisionByZero => Self::IntegerDivisionByZero,
            T::IntegerOverflow => Self::IntegerOverflow,
            T::BadConversionToInteger => Self::BadConversionToInteger,
            T::StackOverflow => Self::StackOverflow,
            T::BadSignature => Self::BadSignature,
            T::OutOfFuel => Self::OutOfFuel,
            T::GrowthOperationLimited => Self::GrowthLimited,
            _ => return None,
        })
    }
}

/// A place in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Location {
    /// The script's name, as it was given or loaded.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// What a report has in place of frames.
const ASK: &str = "note: to see where in the guest, use `--backtrace`, or `Sandbox::backtrace` in an application";

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            // A script or a module may have chosen part of it.
            message: visible(message.into()),
            exit_code: None,
            location: None,
            report: None,
            source: None,
            frames: Mutex::default(),
        }))
    }

    /// Makes an error of the application, for a host function to return: of a message, or of an error of any type, which
    /// [`source`](std::error::Error::source) then gives back. An `Error` stays the same.
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

    /// The error for a panic. `word` gets what it said, after a colon.
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

    /// What `exit` ends a script with. Code 0 is a success: it becomes no error outside.
    pub(crate) fn script_exit(code: u8) -> Self {
        let mut error = Self::new(ErrorKind::Exit, format!("the script exited with code {code}"));
        error.0.exit_code = Some(code.into());
        error
    }

    /// The error of a host function, for wasmi to carry: `from_wasmi` takes it out again.
    pub(crate) fn into_wasmi(self) -> wasmi::Error {
        wasmi::Error::host(HostFault(self))
    }

    /// The error of a host function that wasmi carries, if it is one.
    pub(crate) fn of_host(error: &wasmi::Error) -> Option<&Self> {
        error.downcast_ref::<HostFault>().map(|HostFault(ours)| ours)
    }

    /// What ended a run of wasm; `place` is the end of the message.
    pub(crate) fn from_wasmi(error: &wasmi::Error, place: impl FnOnce() -> String) -> Self {
        if let Some(ours) = Self::of_host(error) {
            let mut ours = ours.copy();
            ours.0.message = format!("{}, {}", ours.message(), place());
            return ours;
        }
        if let Some(code) = error.i32_exit_status() {
            return Self::exit(code, format!("the guest exited with code {code}, {}", place()));
        }
        match error.as_trap_code().and_then(TrapCode::from_wasmi) {
            Some(code) => Self::new(ErrorKind::Trap(code), format!("wasm trap: {}, {}", code.message(), place())),
            None => Self::new(ErrorKind::Module, format!("{error}, {}", place())),
        }
    }

    /// Where it happened and what a person should read of it.
    pub(crate) fn with_report(mut self, location: Option<Location>, report: String) -> Self {
        self.0.location = location;
        self.0.report = Some(report);
        self
    }

    /// What sort of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message alone, without source excerpt and frames.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What a person should read: the text that [`Display`](fmt::Display) prints.
    pub fn text(&self) -> &str {
        self.0.report.as_deref().unwrap_or(&self.0.message)
    }

    /// Returns the exit code, where the guest or the script ended itself.
    pub fn exit_code(&self) -> Option<i32> {
        self.0.exit_code
    }

    /// Returns the frames of the guests, innermost first: those of the call that failed, and behind them those of each call
    /// around it. Empty unless [`Sandbox::backtrace`](crate::Sandbox::backtrace) asked for them.
    pub fn frames(&self) -> Vec<Frame> {
        self.frames_if_kept().unwrap_or_default()
    }

    /// Returns the lines of the report that tell where a guest was: its frames, or how to have them. `None` for an error
    /// that did not come out of one.
    pub fn guest_note(&self) -> Option<String> {
        match (self.frames_if_kept(), self.kind()) {
            (Some(frames), _) if !frames.is_empty() => Some(frame::render(&frames)),
            (None, ErrorKind::Trap(code)) if code != TrapCode::Exit => Some(ASK.to_owned()),
            _ => None,
        }
    }

    /// The place in the script, where there is one.
    pub fn location(&self) -> Option<&Location> {
        self.0.location.as_ref()
    }

    /// The same error, with more to say.
    pub(crate) fn followed_by(mut self, more: &str) -> Self {
        self.0.message.push_str(more);
        self
    }

    /// The same error, as part of something larger.
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

    /// The same error again. Not `Clone`, so that no caller multiplies errors by accident.
    pub(crate) fn copy(&self) -> Self {
        Self(Box::new(Inner {
            kind: self.0.kind,
            message: self.0.message.clone(),
            exit_code: self.0.exit_code,
            location: self.0.location.clone(),
            report: self.0.report.clone(),
            source: self.0.source.clone(),
            frames: Mutex::new(self.frames_if_kept()),
        }))
    }

    pub(crate) fn frames_if_kept(&self) -> Option<Vec<Frame>> {
        self.0.frames.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts together an error that came from another place.
    #[cfg(feature = "wire")]
    pub(crate) fn of_parts(
        kind: ErrorKind,
        message: String,
        exit_code: Option<i32>,
        location: Option<Location>,
        report: Option<String>,
        source: Option<Arc<Source>>,
        frames: Option<Vec<Frame>>,
    ) -> Self {
        Self(Box::new(Inner { kind, message, exit_code, location, report, source, frames: Mutex::new(frames) }))
    }

    /// Returns the report with excerpt and frames, if there is one.
    #[cfg(feature = "wire")]
    pub(crate) fn report(&self) -> Option<&str> {
        self.0.report.as_deref()
    }

    /// Returns the application's own error, if one is the reason.
    #[cfg(feature = "wire")]
    pub(crate) fn shared_source(&self) -> Option<Arc<Source>> {
        self.0.source.clone()
    }

    /// Adds the frames of a guest that this error ended a call of, to those of the calls within; `None` where it keeps none.
    pub(crate) fn add_frames(&self, more: Option<Vec<Frame>>) {
        let mut frames = self.0.frames.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(more) = more {
            frames.get_or_insert_default().extend(more);
        }
    }

    /// Returns one of starlark's as one of this crate, without its place and frames.
    pub(crate) fn of_starlark(error: &starlark::Error) -> Self {
        match Self::find_in(error) {
            Some(ours) => ours.copy(),
            None => Self::new(ErrorKind::Script, error.without_diagnostic().to_string()),
        }
    }

    /// This crate's error inside one of starlark's, if it is one: for an application with an evaluator
    /// of its own, where a script's errors arrive as starlark's.
    ///
    /// ```
    /// use starlark::environment::{GlobalsBuilder, Module};
    /// use starlark::eval::Evaluator;
    /// use starlark::syntax::{AstModule, Dialect};
    /// use wasmlark::{Error, ErrorKind};
    ///
    /// let globals = GlobalsBuilder::standard().with(wasmlark::globals).build();
    /// let ast = AstModule::parse("main.star", "wasm.Module(b'no module')".to_owned(), &Dialect::Extended)?;
    /// Module::with_temp_heap(|module| {
    ///     let error = Evaluator::new(&module).eval_module(ast, &globals).unwrap_err();
    ///     assert_eq!(Error::find_in(&error).map(Error::kind), Some(ErrorKind::Module));
    /// });
    /// # Ok::<(), starlark::Error>(())
    /// ```
    pub fn find_in(error: &starlark::Error) -> Option<&Self> {
        use starlark::ErrorKind as K;
        match error.kind() {
            K::Other(e) | K::Native(e) | K::Value(e) | K::Function(e) | K::Internal(e) => e.downcast_ref::<Self>(),
            _ => None,
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

/// The error that a function of the application returned, if one is the reason.
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

/// What ends a host function, on its way through wasm. Not `Error` itself, which would then have a trait of wasmi's.
#[derive(Debug)]
struct HostFault(Error);

impl fmt::Display for HostFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl wasmi::errors::HostError for HostFault {}

impl From<Error> for starlark::Error {
    fn from(error: Error) -> Self {
        starlark::Error::new_other(error)
    }
}
