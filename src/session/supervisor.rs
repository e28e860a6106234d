//! Keeps the evaluators of a run within its limits.

use std::panic::{AssertUnwindSafe, catch_unwind};

use starlark::environment::Module;
use starlark::eval::Evaluator;
use starlark::values::Value as Starlark;

use super::call_limits::CallLimits;
use super::files::Files;
use super::loader::ScriptLoader;
use crate::api::evaluation::Evaluation;
use crate::error::{Error, ErrorKind, Limit};
use crate::lang::compat::limits::{heap_used, limit_reached};
use crate::lang::compat::ticks;
use crate::lang::names;
use crate::slices;
use crate::ticks::CHECK_PERIOD;

impl Files {
    /// Makes an evaluator ready for a file. Returns the ticks that it may count.
    pub(super) fn prepare<'v, 'a>(
        &'a self,
        eval: &mut Evaluator<'v, 'a, '_>,
        loader: &'a ScriptLoader<'a, 'v>,
    ) -> starlark::Result<u64> {
        if let Some(coverage) = self.engine.grants().coverage() {
            coverage.watch(eval);
        }
        let limits = self.engine.limits();
        let left = self.budget.ticks.left().max(1);
        let is_rounded = left >= ticks::ROUNDED_FROM;
        let idle = ticks::align(left);
        let ticks = left.saturating_add(idle);
        eval.set_loader(loader);
        eval.set_print_handler(&self.printer);
        eval.extra = Some(&self.ticks_extra);
        let (heap, frozen_heap) = (eval.heap(), eval.frozen_heap());
        // starlark holds each evaluator against a limit of its own, so what the files spend together is counted here. So
        // is the heap: the error of a limit of starlark's has no place (see `silence`).
        eval.set_check_cancelled(Box::new(move || {
            self.report_progress();
            let passed = self.budget.ticks.check();
            let silence = limits.call_depth.saturating_add(names::MAX_LOADS);
            if self.call_interrupt.take_told() {
                self.silence.set(silence);
            }
            if self.silence.get() > 0 {
                self.silence.set(self.silence.get().saturating_sub(1));
                return false;
            }
            self.out_of_ticks.set(passed);
            self.stop.set(self.call_interrupt.stop());
            let is_full = heap_used(heap, frozen_heap) > limits.heap;
            self.is_full.set(is_full);
            let is_over = passed || is_full || self.stop.get().is_some();
            if is_over {
                self.silence.set(silence);
            }
            is_over
        }));
        let limited = [
            eval.set_max_tick_count(ticks.saturating_add(if is_rounded { CHECK_PERIOD } else { 0 })),
            eval.set_max_callstack_size(limits.call_depth),
        ];
        for outcome in limited {
            outcome.map_err(starlark::Error::new_other)?;
        }
        // A count that is not known to have passed the limit, since a thousand of it are not seen, has at the next check.
        self.budget.ticks.begin(if is_rounded { ticks.saturating_sub(1) } else { ticks });
        // What is to end the script ends it at its first check, which has a place.
        self.silence.set(usize::MAX);
        ticks::spend(eval, idle)?;
        self.silence.set(0);
        Ok(ticks)
    }

    /// Counts what `work` spends, and converts the error of a limit of starlark's to ours.
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
        self.out_of_ticks.set(false);
        self.is_full.set(false);
        self.stop.set(None);
        self.silence.set(0);
        self.call_interrupt.take_told();
        let limits = self.engine.limits();
        // Where the session has less left, its own limit is the one to be told of.
        let left = limits.ticks.saturating_sub(self.ticks.get().saturating_sub(self.ticks_before.get()));
        let call_ticks = call.ticks.filter(|ticks| *ticks < left);
        let outer_limit = call_ticks.map(|ticks| self.budget.ticks.lower_limit(before.saturating_add(ticks)));
        if let Some(fuel) = call.fuel {
            self.budget.begin_call(fuel);
        }
        if call.deadline.is_some() {
            self.call_interrupt.set_deadline(call.deadline);
        }
        let mut result = self.guard(eval, work);
        release_fuel(eval.module());
        if call.deadline.is_some() {
            self.call_interrupt.set_deadline(None);
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
        // Loads have added theirs meanwhile.
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
        let value = result.map_err(|error| match limit_reached(&error, eval, ticks, limits.heap) {
            // Of starlark's own errors, those of a limit and of a cancelled evaluation are of this kind.
            _ if !is_starlarks_own(&error) && !matches!(error.kind(), starlark::ErrorKind::StackOverflow(_)) => error,
            limit => match (self.stop.get(), call_error.as_ref().map(Error::copy), limit) {
                (_, _, Some(Limit::CallDepth)) => at_place(self.limit_error(Limit::CallDepth), &error),
                (Some(stop), _, _) => at_place(slices::stopped(stop), &error),
                (None, Some(ours), None) => at_place(ours, &error),
                (None, _, _) if self.is_full.get() => at_place(self.limit_error(Limit::Heap), &error),
                (None, _, None) if self.out_of_ticks.get() => at_place(self.limit_error(Limit::Ticks), &error),
                (None, _, Some(limit)) => at_place(self.limit_error(limit), &error),
                (None, _, None) => error,
            },
        });
        if was_check {
            self.leave_check(eval);
        }
        let value = value?;
        // starlark counts each file by itself, and a file that loads goes on with its own count.
        if self.ticks.get().saturating_sub(self.ticks_before.get()) > limits.ticks {
            return Err(self.limit_error(Limit::Ticks).into());
        }
        match call_error {
            Some(error) => Err(error.into()),
            None => Ok(value),
        }
    }

    /// Converts a panic of `work` to an error with the place that the script was at.
    fn guard<'v>(
        &self,
        eval: &mut Evaluator<'v, '_, '_>,
        work: impl FnOnce(&mut Evaluator<'v, '_, '_>) -> starlark::Result<Starlark<'v>>,
    ) -> starlark::Result<Starlark<'v>> {
        // Of what the panic leaves behind, only the stack of calls is looked at; then all of it is dropped.
        catch_unwind(AssertUnwindSafe(|| work(eval))).unwrap_or_else(|panic| {
            self.has_panicked.set(true);
            let mut error = starlark::Error::from(Error::panicked(ErrorKind::Internal, panic, |why| {
                format!("a panic ended the script{why}")
            }));
            // A builtin that calls another has no place of its own.
            if let Some(place) = (0..eval.call_stack_count()).find_map(|depth| eval.call_stack_nth_location(depth)) {
                error.set_span(place.span, &place.file);
            }
            let frames = eval.call_stack();
            error.set_call_stack(|| frames);
            Err(error)
        })
    }

    /// Counts a tick where a check has ended the evaluation: starlark checks at each tick from there on, and not at each
    /// thousand, until one check lets it go on.
    fn leave_check(&self, eval: &mut Evaluator<'_, '_, '_>) {
        let count = eval.get_total_tick_count();
        if self.budget.ticks.since_check(count) == 0 {
            self.budget.ticks.set_phase(count.saturating_add(1));
            // What loads this file is still to end.
            let silence = self.silence.replace(usize::MAX);
            // Fails only where nothing goes on, as the limit that it meets is the session's.
            let _ = ticks::spend(eval, 1);
            self.silence.set(silence);
        }
    }

    /// Tells the application what is spent by now, if it asks: as of the check before this one, since not every check comes
    /// with a thousand ticks.
    fn report_progress(&self) {
        let counted = self.budget.ticks.checked().saturating_sub(self.ticks_begun.get());
        self.budget.seen_ticks.note(self.ticks.get().saturating_add(counted));
        self.budget.report_progress();
    }

    /// Renews what can be spent.
    pub(super) fn refill(&self) {
        self.budget.refill_fuel();
        self.data.refill_output();
        self.ticks_before.set(self.ticks.get());
        self.budget.ticks.begin(self.engine.limits().ticks);
    }

    fn limit_error(&self, limit: Limit) -> Error {
        let limits = self.engine.limits();
        let value = match limit {
            Limit::CallDepth => limits.call_depth as u64,
            Limit::Heap => limits.heap as u64,
            _ => limits.ticks,
        };
        Error::limit(limit, format!("the sandbox's limit `{limit}` is reached: {value}"))
    }
}

/// Lets other stores have the fuel that the store which ran last holds. The evaluation is looked up each time, since
/// the garbage collector moves it.
pub(super) fn release_fuel(module: &Module<'_>) {
    if let Some(evaluation) = Evaluation::find(module) {
        evaluation.as_ref().release_fuel();
    }
}

/// Converts an error of starlark's to `ours`, with its place and frames.
fn at_place(ours: Error, error: &starlark::Error) -> starlark::Error {
    let mut ours = starlark::Error::from(ours);
    if let Some(place) = error.span() {
        ours.set_span(place.span, &place.file);
    }
    ours.set_call_stack(|| error.call_stack().clone());
    ours
}

fn is_starlarks_own(error: &starlark::Error) -> bool {
    matches!(error.kind(), starlark::ErrorKind::Other(_)) && Error::find_in(error).is_none()
}
