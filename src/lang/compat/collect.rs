//! Garbage collection between two calls from Rust.
//!
//! Upstream: starlark collects only between the top-level statements of a file. `Evaluator::garbage_collect`, which
//! could do so at another time, is unsafe, and dereferences a null frame when no statement runs. So a file of two
//! statements is evaluated: between them starlark collects, if the heap has grown by 100 kB since the last time.
//!
//! Upstream change: none known.
//!
//! Remove when: `Evaluator` can collect safely while it runs nothing.

use starlark::environment::Globals;
use starlark::eval::Evaluator;
use starlark::syntax::{AstModule, Dialect};

/// Collects garbage, if there may be enough. Every heap value that Rust code holds is invalid
/// afterwards, as after any statement.
pub(crate) fn collect(eval: &mut Evaluator<'_, '_, '_>, globals: &Globals) {
    if let Ok(statements) = AstModule::parse("collect.star", "None\nNone".to_owned(), &Dialect::Standard) {
        // It can fail only if a limit is exceeded, which the next call will report.
        let _ = eval.eval_module(statements, globals);
    }
}
