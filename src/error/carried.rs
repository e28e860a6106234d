//! Errors of this crate inside those of wasmi and starlark, which carry them through WebAssembly and scripts.

use std::fmt;

use super::{Error, ErrorKind, GuestCall, TrapCode};

impl Error {
    /// Converts the error of a host function for wasmi to carry. `from_wasmi` takes it out again.
    pub(crate) fn into_wasmi(self) -> wasmi::Error {
        wasmi::Error::host(HostFault(self))
    }

    /// Returns the error of a host function that wasmi carries, if it carries one.
    pub(crate) fn of_host(error: &wasmi::Error) -> Option<&Self> {
        error.downcast_ref::<HostFault>().map(|HostFault(ours)| ours)
    }

    /// Converts the error that ended a call.
    pub(crate) fn from_wasmi(error: &wasmi::Error, call: GuestCall) -> Self {
        let trap = error.as_trap_code().and_then(TrapCode::from_wasmi);
        let ours = match (Self::of_host(error), error.i32_exit_status(), trap) {
            (Some(ours), ..) => ours.copy(),
            (None, Some(code), _) => Self::exit(code, format!("the guest exited with code {code}")),
            (None, None, Some(code)) => Self::trap(code),
            (None, None, None) => Self::new(ErrorKind::Module, error.to_string()),
        };
        ours.ending(call)
    }

    /// Converts an error of starlark's, without its place and frames.
    pub(crate) fn of_starlark(error: &starlark::Error) -> Self {
        match Self::find_in(error) {
            Some(ours) => ours.copy(),
            None => Self::new(ErrorKind::Script, error.without_diagnostic().to_string()),
        }
    }

    /// Returns the error of this crate inside one of starlark's, if there is one. It is for an application that has its own
    /// evaluator, and so gets the errors of scripts as starlark's.
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

/// The error of a host function on its way through wasm. `Error` itself has no trait of wasmi's, since the API shows that.
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
