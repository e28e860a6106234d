//! Keeps the evaluators of a run within its limits.
//!
//! Each file has an evaluator of its own, and starlark holds each evaluator against its own limits. What the files spend
//! together is counted here, in the checks that starlark makes after each thousand ticks.

use std::cell::Cell;

use starlark::environment::Module;
use starlark::eval::Evaluator;
use starlark::values::Value as Starlark;

use super::call_limits::CallLimits;
use super::guard::Guard;
use crate::api::evaluation::Evaluation;
use crate::budget::Budget;
use crate::error::{Error, Limit};
use crate::interrupt::{Interrupt, Stop};
use crate::lang::compat::limits::{heap_used, limit_reached};
use crate::lang::compat::ticks;
use crate::lang::names;
use crate::limits::Limits;
use crate::slices;
use crate::ticks::CHECK_PERIOD;

pub(super) struct Supervisor {
    limits: Limits,
    budget: Budget,
    /// Stops the call that is running, and has its deadline.
    interrupt: Interrupt,
    /// The ticks of all that has ended: files, the script's statements and calls.
    ticks: Cell<u64>,
    /// The part of `ticks` that was spent before the session was last refilled.
    ticks_before_refill: Cell<u64>,
    /// The running evaluator's count when it began what it is running.
    ticks_begun: Cell<u64>,
    extra: ticks::Extra,
    /// What the last check found, unless it was a silent one.
    findings: Cell<Findings>,
    /// The number of coming checks that must not stop an evaluator.
    ///
    /// starlark checks once more when a call from Rust ends. The error of that check has no place, and would replace the
    /// one that has. So once an evaluator or one of its guests was told to stop, no check stops it again before all that
    /// it is running has ended.
    silent_checks: Cell<usize>,
    guard: Guard,
}

/// Why a check stops an evaluator.
#[derive(Clone, Copy, Default)]
struct Findings {
    /// Someone asked for it, or the deadline has passed.
    stop: Option<Stop>,
    /// The files together have spent their ticks, though the evaluator has not reached its own limit.
    is_out_of_ticks: bool,
    /// The evaluator's heap has passed its limit.
    is_full: bool,
}

impl Supervisor {
    pub(super) fn new(limits: Limits, budget: Budget, interrupt: Interrupt) -> Self {
        Self {
            extra: ticks::Extra { meter: budget.ticks.clone(), heap: limits.heap },
            limits,
            budget,
            interrupt,
            ticks: Cell::new(0),
            ticks_before_refill: Cell::new(0),
            ticks_begun: Cell::new(0),
            findings: Cell::default(),
            guard: Guard::default(),
            silent_checks: Cell::new(0),
        }
    }

    /// Continues where another run ended, which left `budget` and had spent `ticks`.
    pub(super) fn continue_from(&mut self, budget: &Budget, ticks: u64) {
        self.budget = budget.fork(self.limits.ticks.saturating_sub(ticks));
        self.extra.meter = self.budget.ticks.clone();
        self.ticks.set(ticks);
    }

    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Returns the means to stop the call that is running.
    pub(super) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Returns the ticks that all files and calls have spent.
    pub(super) fn ticks(&self) -> u64 {
        self.ticks.get()
    }

    /// Sets the limits of a new evaluator, and makes its checks stop it at those of the run. Returns the ticks that it
    /// may count.
    pub(super) fn supervise<'v, 'a>(&'a self, eval: &mut Evaluator<'v, 'a, '_>) -> starlark::Result<u64> {
        let left = self.budget.ticks.left().max(1);
        let is_rounded = left >= ticks::ROUNDED_FROM;
        let idle = ticks::align(left);
        let ticks = left.saturating_add(idle);
        eval.extra = Some(&self.extra);
        let (heap, frozen_heap) = (eval.heap(), eval.frozen_heap());
        // The heap is checked here too, since the error of starlark's own limit has no place (see `silent_checks`).
        eval.set_check_cancelled(Box::new(move || self.check(|| heap_used(heap, frozen_heap))));
        eval.set_max_tick_count(ticks.saturating_add(if is_rounded { CHECK_PERIOD } else { 0 }))
            .map_err(starlark::Error::new_other)?;
        eval.set_max_callstack_size(self.limits.call_depth).map_err(starlark::Error::new_other)?;
        // A check sees the count of the check before. If that is the whole limit, the limit has been passed since.
        self.budget.ticks.begin(if is_rounded { ticks.saturating_sub(1) } else { ticks });
        // Whatever is to stop the script stops it at its first check, which has a place.
        self.silent_checks.set(usize::MAX);
        ticks::spend(eval, idle)?;
        self.silent_checks.set(0);
        Ok(ticks)
    }

    /// Decides whether a check of starlark's stops the evaluator.
    fn check(&self, heap_used: impl FnOnce() -> usize) -> bool {
        self.report_progress();
        let is_out_of_ticks = self.budget.ticks.check();
        // Enough for each call and each file that is still to end.
        let many = self.limits.call_depth.saturating_add(names::MAX_LOADS);
        if self.interrupt.take_told() {
            self.silent_checks.set(many);
        }
        if let Some(left) = self.silent_checks.get().checked_sub(1) {
            self.silent_checks.set(left);
            return false;
        }
        let stop = self.interrupt.stop();
        let findings = Findings { stop, is_out_of_ticks, is_full: heap_used() > self.limits.heap };
        self.findings.set(findings);
        let stops = stop.is_some() || is_out_of_ticks || findings.is_full;
        if stops {
            self.silent_checks.set(many);
        }
        stops
    }

    /// Returns whether an evaluation has panicked.
    pub(super) fn has_panicked(&self) -> bool {
        self.guard.has_panicked()
    }

    /// Runs `work` within the limits of a call. Counts what it spends, and converts an error of a limit of starlark's to
    /// ours. `ticks` is what [`supervise`](Self::supervise) returned.
    pub(super) fn spend<'v>(
        &self,
        eval: &mut Evaluator<'v, '_, '_>,
        ticks: u64,
        call: CallLimits,
        work: impl FnOnce(&mut Evaluator<'v, '_, '_>) -> starlark::Result<Starlark<'v>>,
    ) -> starlark::Result<Starlark<'v>> {
        let before = eval.get_total_tick_count();
        let outer_begun = self.ticks_begun.replace(before);
        self.budget.ticks.observe(before);
        self.findings.take();
        self.silent_checks.set(0);
        self.interrupt.take_told();
        // If the session has less left than the call may spend, it is the session's limit that counts.
        let left = self.limits.ticks.saturating_sub(self.since_refill());
        let call_ticks = call.ticks.filter(|ticks| *ticks < left);
        let outer_limit = call_ticks.map(|ticks| self.budget.ticks.lower_limit(before.saturating_add(ticks)));
        if let Some(fuel) = call.fuel {
            self.budget.begin_call(fuel);
        }
        if call.deadline.is_some() {
            self.interrupt.set_deadline(call.deadline);
        }
        let mut result = self.guard.run(eval, work);
        release_fuel(eval.module());
        if call.deadline.is_some() {
            self.interrupt.set_deadline(None);
        }
        if call.fuel.is_some() {
            self.budget.end_call();
        }
        let calls = self.budget.ticks.take_calls();
        if result.is_ok()
            && let Err(error) = ticks::spend(eval, calls)
        {
            result = Err(error);
        }
        self.budget.ticks.observe(eval.get_total_tick_count());
        // Files that were loaded meanwhile have added their ticks themselves.
        let spent = eval.get_total_tick_count().saturating_sub(before);
        self.ticks.set(self.ticks.get().saturating_add(spent));
        self.ticks_begun.set(outer_begun);
        if let Some(limit) = outer_limit {
            self.budget.ticks.set_limit(limit);
        }
        let call_error = call_ticks.filter(|ticks| spent > *ticks).map(|ticks| {
            Error::limit(Limit::Ticks, format!("the call's ticks are used up: its limit `ticks` is {ticks}"))
        });
        let was_check = result.as_ref().is_err_and(is_starlarks_own);
        let value = result.map_err(|error| {
            let limit = limit_reached(&error, eval, ticks, self.limits.heap);
            self.explain(error, limit, call_error.as_ref())
        });
        if was_check {
            self.leave_check(eval);
        }
        let value = value?;
        // starlark counts each file by itself, and a file that loads another one continues with its own count.
        if self.since_refill() > self.limits.ticks {
            return Err(self.limit_error(Limit::Ticks).into());
        }
        match call_error {
            Some(error) => Err(error.into()),
            None => Ok(value),
        }
    }

    /// Converts an error that a check or a limit of starlark's has caused to ours; returns any other as it is.
    fn explain(&self, error: starlark::Error, limit: Option<Limit>, call_error: Option<&Error>) -> starlark::Error {
        if limit.is_none() && !is_starlarks_own(&error) {
            return error;
        }
        let Findings { stop, is_out_of_ticks, is_full } = self.findings.get();
        let ours = match (limit, stop, call_error) {
            (Some(Limit::CallDepth), ..) => self.limit_error(Limit::CallDepth),
            (_, Some(stop), _) => slices::stopped(stop),
            (None, None, Some(call_error)) => call_error.copy(),
            _ if is_full => self.limit_error(Limit::Heap),
            (None, ..) if is_out_of_ticks => self.limit_error(Limit::Ticks),
            (Some(limit), ..) => self.limit_error(limit),
            (None, ..) => return error,
        };
        at_place(ours, &error)
    }

    /// Counts a tick after a check has stopped the evaluator. From such a check on, starlark checks at each tick, not at
    /// each thousand, until one check lets the evaluator continue.
    fn leave_check(&self, eval: &mut Evaluator<'_, '_, '_>) {
        let count = eval.get_total_tick_count();
        if self.budget.ticks.since_check(count) == 0 {
            self.budget.ticks.set_phase(count.saturating_add(1));
            // The files that load this one are still to end.
            let silent_checks = self.silent_checks.replace(usize::MAX);
            // This fails only at a limit of the session's, and then nothing runs after it.
            let _ = ticks::spend(eval, 1);
            self.silent_checks.set(silent_checks);
        }
    }

    /// Runs `work`, which has an evaluator of its own, while another evaluator waits. What it takes and does not close,
    /// it gives back; the ticks that it spends are spent for the other evaluator too.
    pub(super) fn nest<T>(&self, work: impl FnOnce() -> T) -> T {
        let used = self.budget.snapshot();
        let (outer, spent) = (self.budget.ticks.save(), self.ticks.get());
        let result = work();
        self.budget.ticks.restore(&outer, self.ticks.get().saturating_sub(spent));
        self.budget.restore(used);
        result
    }

    /// Tells the application what has been spent, if it asks: as of the check before this one, since not every check comes
    /// after a thousand ticks.
    fn report_progress(&self) {
        let counted = self.budget.ticks.checked().saturating_sub(self.ticks_begun.get());
        self.budget.seen_ticks.note(self.ticks.get().saturating_add(counted));
        self.budget.report_progress();
    }

    /// Makes available again what the limits on fuel and ticks allow.
    pub(super) fn refill(&self) {
        self.budget.refill_fuel();
        self.ticks_before_refill.set(self.ticks.get());
        self.budget.ticks.begin(self.limits.ticks);
    }

    fn since_refill(&self) -> u64 {
        self.ticks.get().saturating_sub(self.ticks_before_refill.get())
    }

    fn limit_error(&self, limit: Limit) -> Error {
        let value = match limit {
            Limit::CallDepth => self.limits.call_depth as u64,
            Limit::Heap => self.limits.heap as u64,
            _ => self.limits.ticks,
        };
        Error::limit(limit, format!("the sandbox's limit `{limit}` is reached: {value}"))
    }
}

/// Lets other stores have the fuel that the last running store holds. The evaluation is looked up each time, since the
/// garbage collector moves it.
pub(super) fn release_fuel(module: &Module<'_>) {
    if let Some(evaluation) = Evaluation::find(module) {
        evaluation.as_ref().release_fuel();
    }
}

/// Gives `ours` the place and the frames of an error of starlark's.
fn at_place(ours: Error, error: &starlark::Error) -> starlark::Error {
    let mut ours = starlark::Error::from(ours);
    if let Some(place) = error.span() {
        ours.set_span(place.span, &place.file);
    }
    ours.set_call_stack(|| error.call_stack().clone());
    ours
}

/// Returns whether an error may be that of a limit or of a check: starlark gives both this kind.
fn is_starlarks_own(error: &starlark::Error) -> bool {
    matches!(error.kind(), starlark::ErrorKind::Other(_)) && Error::find_in(error).is_none()
}
