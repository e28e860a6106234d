//! The kinds of errors.

use super::{Limit, TrapCode};

/// The kind of an [`Error`](crate::Error).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum ErrorKind {
    /// An error in the script: a syntax or type error, an unknown name, a `fail(…)`.
    Script,
    /// An argument of the wrong type or out of range.
    Value,
    /// Bytes that are not a module, or a module that this engine cannot run.
    Module,
    /// Imports and exports that do not match.
    Link,
    /// A handle whose store is closed, or that belongs to another evaluation.
    Handle,
    /// A script or module that the loader does not have, or does not provide.
    Load,
    /// WebAssembly code trapped.
    Trap(TrapCode),
    /// A function of the application failed. [`source`](std::error::Error::source) is the error that it returned; `None` if
    /// it panicked.
    Host,
    /// The script ended itself with `exit(code)`, and the code was not 0. [`Error::exit_code`](crate::Error::exit_code) returns it.
    Exit,
    /// A limit of the sandbox ended the run.
    Limit(Limit),
    /// The application ended the run by an [`Interrupt`](crate::Interrupt).
    Interrupted,
    /// A deadline ended the run. That depends on the clock, so unlike all other errors it is not repeatable.
    Deadline,
    /// A panic ended the script and its [`Session`](crate::Session). The cause is a defect of starlark, wasmi or this crate,
    /// or a panic in one of the application's closures that load, print or write. If panics abort, as on wasm32, the process
    /// ends instead.
    Internal,
}
