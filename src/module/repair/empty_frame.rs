//! A call from a function without locals, to a function that ends in a tail call of a host function.
//!
//! When a host function without parameters and results is reached by a tail call, wasmi compares where the frames of
//! the tail-calling function and of its caller begin. It takes equal places for the lack of a caller, and goes on in
//! the caller with a dangling stack pointer (`ValueStack::return_prepare_host_frame`). The two are equal when the
//! caller has no locals and nothing on its stack at the call.
//!
//! The repair gives such a caller a local, so that no callee's frame begins where its own does. It costs no fuel.
//! The caller is what has to change, for the tail call may be in another module, and indirect. A function that
//! calls only functions of its own module is left alone if that module has no tail calls.
//!
//! Goes with the first wasmi that does not return `Sp::dangling()` for a frame that has a caller.

use wasmparser::FuncType;

/// What a function without parameters and locals calls, of what could tail-call a host function.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Callees {
    #[default]
    None,
    /// Functions of the same module alone.
    Own,
    /// Also functions of other modules.
    Foreign,
}

impl Callees {
    /// What a call of a function of this type adds. A function with results cannot end in a tail call of one without.
    pub(super) fn of(callee: &FuncType, is_own: bool) -> Self {
        match (callee.results(), is_own) {
            ([], true) => Self::Own,
            ([], false) => Self::Foreign,
            _ => Self::None,
        }
    }

    /// Whether the caller needs a local.
    pub(super) fn need_local(self, module_has_tail_calls: bool) -> bool {
        match self {
            Self::None => false,
            Self::Own => module_has_tail_calls,
            Self::Foreign => true,
        }
    }
}
