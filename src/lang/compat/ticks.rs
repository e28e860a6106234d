//! Ticks for work that starlark does not count.
//!
//! Upstream: an evaluator counts a tick for each call and each round of a loop in bytecode, and nothing else: not a call
//! from Rust, and not the elements that a builtin processes. Its count cannot be increased from outside, and is compared
//! with the limit at each multiple of a thousand. So a loop in the language does the counting.
//!
//! Upstream change: none known.
//!
//! Remove when: `Evaluator` has a method that adds to its ticks and checks them.

use once_cell::sync::Lazy;
use starlark::any::ProvidesStaticType;
use starlark::environment::{Globals, Module};
use starlark::eval::Evaluator;
use starlark::syntax::{AstModule, Dialect};
use starlark::values::{OwnedFrozenValue, Value};

use crate::ticks::{CHECK_PERIOD, TickMeter};

/// The limit from which a thousand ticks more do not matter, but the place of the error does. Below it, starlark's own limit
/// is used, which is exact, but whose error has no place.
pub(crate) const ROUNDED_FROM: u64 = 10_000;

/// The `extra` of a sandbox's evaluator.
#[derive(ProvidesStaticType)]
pub(crate) struct Extra {
    /// The meter that must be told what is counted here.
    pub(crate) meter: TickMeter,
    /// The limit `heap`, in bytes.
    pub(crate) heap: usize,
}

/// The number of elements that a builtin processes per tick.
const ELEMENTS: u64 = 8;

/// The function that counts; its call of `range` is a tick too. `None` never happens, and would count nothing.
static COUNT: Lazy<Option<OwnedFrozenValue>> = Lazy::new(|| {
    let text = "def count(ticks):\n    for _ in range(ticks - 1):\n        pass\n";
    let ast = AstModule::parse("ticks.star", text.to_owned(), &Dialect::Standard).ok()?;
    Module::with_temp_heap(|module| {
        Evaluator::new(&module).eval_module(ast, &Globals::standard()).ok()?;
        module.freeze().ok()?.get("count").ok()
    })
});

/// Counts `ticks` more.
///
/// # Errors
///
/// If a limit of the evaluator is reached. The error has no place, so it gets that of the call that is running.
pub(crate) fn spend<'v>(eval: &mut Evaluator<'v, '_, '_>, ticks: u64) -> starlark::Result<()> {
    let Some(count) = COUNT.as_ref().filter(|_| ticks > 0) else { return Ok(()) };
    let count: Value<'v> = count.value();
    let mut left = ticks;
    while left > 0 {
        let now = i32::try_from(left).unwrap_or(i32::MAX);
        let argument = eval.heap().alloc(now);
        let counted = eval.eval_function(count, &[argument], &[]);
        if let Some(extra) = eval.extra.and_then(|extra| extra.downcast_ref::<Extra>()) {
            extra.meter.observe(eval.get_total_tick_count());
        }
        counted.map_err(|error| starlark::Error::new_kind(error.into_kind()))?;
        left = left.saturating_sub(now.unsigned_abs().into());
    }
    Ok(())
}

/// Counts a builtin's work on this many elements.
///
/// # Errors
///
/// As [`spend`].
pub(crate) fn spend_elements(eval: &mut Evaluator<'_, '_, '_>, elements: u64) -> starlark::Result<()> {
    spend(eval, elements / ELEMENTS)
}

/// Returns the ticks that an evaluator must have counted before its script begins, so that the check that finds `limit`
/// exceeded comes at the very next tick, or for a large limit, so that the limit is a multiple of the period.
pub(crate) fn align(limit: u64) -> u64 {
    let past = limit % CHECK_PERIOD;
    match limit >= ROUNDED_FROM {
        true if past == 0 => 0,
        true => CHECK_PERIOD.saturating_sub(past),
        false => (CHECK_PERIOD - 1).saturating_sub(past),
    }
}
