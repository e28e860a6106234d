//! Finds out which limit ended an evaluation.
//!
//! Upstream: the error of a limit on ticks or on the heap has a private type and the kind `Other`, so it cannot be
//! distinguished from other errors. What was used is public. starlark checks the heap first, then the ticks, and once
//! more after every evaluation; so an error of that kind from an evaluator beyond a limit is about that limit.
//!
//! Upstream change: none known.
//!
//! Remove when: starlark's error says which limit it is about.

use starlark::ErrorKind;
use starlark::eval::Evaluator;
use starlark::values::{FrozenHeap, Heap};

use crate::error::{Error, Limit};

/// Returns the limit that caused `error`, which ended the evaluation of `eval`.
pub(crate) fn limit_reached(
    error: &starlark::Error,
    eval: &Evaluator<'_, '_, '_>,
    ticks: u64,
    heap: usize,
) -> Option<Limit> {
    match error.kind() {
        ErrorKind::StackOverflow(_) => Some(Limit::CallDepth),
        ErrorKind::Other(_) if Error::find_in(error).is_some() => None,
        ErrorKind::Other(_) => {
            if heap_used(eval.heap(), eval.frozen_heap()) > heap {
                Some(Limit::Heap)
            } else if eval.get_total_tick_count() > ticks {
                Some(Limit::Ticks)
            } else {
                None
            }
        }
        _ => None,
    }
}

/// Returns the number of bytes that starlark compares with its limit on the heap.
pub(crate) fn heap_used(heap: Heap<'_>, frozen_heap: &FrozenHeap) -> usize {
    heap.peak_allocated_bytes().saturating_add(frozen_heap.allocated_bytes())
}
