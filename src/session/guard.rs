//! Panics of an evaluation, which become errors.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use starlark::eval::Evaluator;
use starlark::values::Value;

use crate::error::{Error, ErrorKind};

#[derive(Default)]
pub(super) struct Guard {
    /// Set when an evaluation has panicked: nothing is evaluated after that.
    has_panicked: Cell<bool>,
}

impl Guard {
    pub(super) fn has_panicked(&self) -> bool {
        self.has_panicked.get()
    }

    /// Runs `work`. Converts a panic to an error with the place that the script had reached.
    pub(super) fn run<'v>(
        &self,
        eval: &mut Evaluator<'v, '_, '_>,
        work: impl FnOnce(&mut Evaluator<'v, '_, '_>) -> starlark::Result<Value<'v>>,
    ) -> starlark::Result<Value<'v>> {
        // Of what a panic leaves behind, only the call stack is looked at; then all of it is dropped.
        catch_unwind(AssertUnwindSafe(|| work(eval))).unwrap_or_else(|panic| {
            self.has_panicked.set(true);
            Err(error(panic, eval))
        })
    }
}

/// Returns the error for a panic, with the place and the frames of the call that was running.
fn error(panic: Box<dyn Any + Send>, eval: &Evaluator<'_, '_, '_>) -> starlark::Error {
    let ours = Error::panicked(ErrorKind::Internal, panic, |why| format!("a panic ended the script{why}"));
    let mut error = starlark::Error::from(ours);
    // A builtin that calls another one has no place of its own.
    if let Some(place) = (0..eval.call_stack_count()).find_map(|depth| eval.call_stack_nth_location(depth)) {
        error.set_span(place.span, &place.file);
    }
    let frames = eval.call_stack();
    error.set_call_stack(|| frames);
    error
}
