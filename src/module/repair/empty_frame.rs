//! A call from a function without locals to a function that ends in a tail call of a host function.
//!
//! When a tail call reaches a host function without parameters and results, wasmi compares where the frames of the
//! tail-calling function and of its caller begin. If they are equal, it assumes that there is no caller, and returns to
//! the caller with a dangling stack pointer (`ValueStack::return_prepare_host_frame`). They are equal when the caller
//! has no locals and nothing on its stack at the call.
//!
//! The repair gives such a caller a local, so that no callee's frame begins where its own does. This costs no fuel. It
//! changes the caller, since the tail call may be in another module, and indirect. A function that calls only functions
//! of its own module is left unchanged if that module has no tail calls.
//!
//! Remove with the first wasmi that does not return `Sp::dangling()` for a frame that has a caller.

use wasmparser::FuncType;

/// Which functions that may tail-call a host function are called by one without parameters and locals.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Callees {
    #[default]
    None,
    /// Only functions of the same module.
    Own,
    /// Also functions of other modules.
    Foreign,
}

impl Callees {
    /// Returns what a call of a function of this type adds. A function with results cannot end in a tail call of one without.
    pub(super) fn of(callee: &FuncType, is_own: bool) -> Self {
        match (callee.results(), is_own) {
            ([], true) => Self::Own,
            ([], false) => Self::Foreign,
            _ => Self::None,
        }
    }

    /// Returns whether the caller needs a local.
    pub(super) fn need_local(self, module_has_tail_calls: bool) -> bool {
        match self {
            Self::None => false,
            Self::Own => module_has_tail_calls,
            Self::Foreign => true,
        }
    }
}
