//! The evaluation of a script and of the files that it loads.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use once_cell::sync::Lazy;
use starlark::environment::{FrozenModule, Globals, Module};
use starlark::eval::{Evaluator, FileLoader};
use starlark::syntax::AstModule;
use starlark::values::list::AllocList;
use starlark::values::{OwnedFrozenValue, Value as Starlark};

use super::Stats;
use super::call_limits::CallLimits;
use super::functions::functions;
use super::globals;
use super::mailbox::{Answer, Call, Mailbox, Reply, Request};
use super::memories;
use super::printer::Printer;
use crate::api::evaluation::Evaluation;
use crate::budget::Budget;
use crate::builtins::builtins;
use crate::data::{Channels, Data};
use crate::engine::{Engine, Wanted};
use crate::error::{Error, ErrorKind, Limit};
use crate::interrupt::{Interrupt, Stop};
use crate::lang::compat::collect::collect;
use crate::lang::compat::limits::{heap_used, limit_reached};
use crate::lang::compat::shift::{MARKER, OPERATOR};
use crate::lang::compat::shift_assign::SourceEdits;
use crate::lang::compat::ticks;
use crate::lang::{self, names};
use crate::observe::Observation;
use crate::profile::Profile;
use crate::report::Reporter;
use crate::slices;
use crate::ticks::CHECK_PERIOD;
use crate::value::Value;
use crate::wording::did_you_mean;

static GLOBALS: Lazy<Globals> = Lazy::new(|| builtins().build());

/// Returns what every script that an engine runs sees, but for `argv`.
pub(crate) fn sandbox_globals(engine: &Engine) -> Result<&Globals, Error> {
    let grants = engine.grants();
    match grants.is_plain() {
        true => Ok(&GLOBALS),
        false => grants.globals(|| globals::extend(builtins(), grants, &GLOBALS)),
    }
}

/// Makes a value that an application gives to scripts under a name.
pub(crate) fn grant(name: &str, value: &Value) -> Result<OwnedFrozenValue, Error> {
    globals::check_name(name, &GLOBALS)?;
    globals::freeze(value).map_err(|error| error.within(&format!("cannot give scripts `{name}`")))
}

/// The growth of the heap in bytes after which garbage is collected between two calls.
const COLLECT_AFTER: usize = 1 << 20;

/// What the script and the files that it loads share.
pub(crate) struct Files {
    engine: Engine,
    budget: Budget,
    args: Vec<String>,
    data: Data,
    printer: Printer,
    loaded: RefCell<BTreeMap<String, FrozenModule>>,
    /// The files that are being loaded now, outermost first.
    loading: RefCell<Vec<String>>,
    /// All ticks until now.
    ticks: Cell<u64>,
    /// What the evaluator that runs now had counted when it began what it runs.
    ticks_begun: Cell<u64>,
    /// Those of them that were spent before the session was last refilled.
    ticks_before: Cell<u64>,
    ticks_extra: ticks::Extra,
    /// Set when the files together have spent their ticks, before the evaluator that runs has reached its own limit.
    out_of_ticks: Cell<bool>,
    /// Set when the heap of the evaluator that runs has passed its limit.
    is_full: Cell<bool>,
    /// The checks that tell no evaluator to stop. starlark checks once more when a call from Rust ends, and the error of
    /// that check would stand in for the one that has a place; so after it or a guest of its was told, it is left alone
    /// until it has ended all that it runs.
    silence: Cell<usize>,
    /// Set when an evaluation panicked: nothing is evaluated after that.
    has_panicked: Cell<bool>,
    /// Set when the evaluator that runs was told to stop.
    stop: Cell<Option<Stop>>,
    reporter: Reporter,
    /// What the application gets to stop the session.
    pub(super) interrupt: Interrupt,
    /// Stops the call that runs now, and has its deadline.
    call_interrupt: Interrupt,
    /// What the statements of the script may spend.
    start_limits: CallLimits,
    /// What is observed of all files.
    observation: Option<Arc<Observation>>,
}

/// A script, before or after it is parsed.
pub(crate) enum Source {
    Text(String),
    Parsed(Box<AstModule>),
}

/// What files that were loaded left behind.
pub(super) struct Loaded {
    modules: BTreeMap<String, FrozenModule>,
    budget: Budget,
    ticks: u64,
    data: Data,
    edits: Vec<Arc<SourceEdits>>,
}

/// Runs the script, replies, and then replies to requests for ever.
///
/// The heap of a script and the references to it may live only as long as a scope of starlark's. Here that is the scope
/// of a future: while it waits for a request, it can be moved and kept.
pub(super) async fn live(files: Rc<Files>, mailbox: Rc<Mailbox>, name: String, source: Source) {
    Module::with_temp_heap_async(async |module| {
        let loader = ScriptLoader { files: &files, from: &name, module: Some(&module) };
        let mut eval = Evaluator::new(&module);
        let mut ticks = match files.prepare(&mut eval, &loader) {
            Ok(ticks) => ticks,
            Err(error) => return mailbox.reply(Err(files.reporter.explain(&error))),
        };
        let result = files.run(&mut eval, ticks, &name, source);
        mailbox.reply(files.reply(result.map(|value| Ok(Value::from_starlark_or_name(value, module.heap())))));
        let mut collected = module.heap().allocated_bytes();
        while !files.has_panicked.get() {
            let reply = match mailbox.request().await {
                Request::Call(call) => {
                    let result = files.call(&mut eval, ticks, &call);
                    files.reply(result.map(|value| Value::from_starlark(value, module.heap())))
                }
                Request::Get { name } => match variable(&module, &name) {
                    Some(value) => Value::from_starlark(value, module.heap()).map(Answer::Value),
                    None => Ok(Answer::Nothing),
                },
                // starlark's limits of an evaluator can be set once only.
                Request::Refill => {
                    files.refill();
                    eval = Evaluator::new(&module);
                    match files.prepare(&mut eval, &loader) {
                        Ok(renewed) => {
                            ticks = renewed;
                            Ok(Answer::Nothing)
                        }
                        Err(error) => Err(files.reporter.explain(&error)),
                    }
                }
                Request::Memories => Ok(Answer::Memories(memories::list(&module))),
                Request::Memory { name, offset, length } => {
                    memories::read(&module, &name, offset, length).map(|bytes| Answer::Value(Value::Bytes(bytes)))
                }
                Request::Functions => Ok(Answer::Functions(functions(&module))),
                Request::Eval { name, text } => files
                    .eval(&mut eval, ticks, &name, text)
                    .map(|value| Answer::Value(Value::from_starlark_or_name(value, module.heap())))
                    .map_err(|error| files.reporter.explain(&error)),
                Request::Names { path } => {
                    let names = names_in(&files.engine, &module, path.as_deref());
                    Ok(Answer::Value(Value::List(names.into_iter().map(Value::Str).collect())))
                }
            };
            mailbox.reply(reply);
            if module.heap().allocated_bytes().saturating_sub(collected) > COLLECT_AFTER {
                collect(&mut eval, &GLOBALS);
                collected = module.heap().allocated_bytes();
            }
        }
    })
    .await;
}

/// Returns a global of a module, unless it is private.
fn variable<'v>(module: &Module<'v>, name: &str) -> Option<Starlark<'v>> {
    if name.starts_with('_') {
        return None;
    }
    module.get(name)
}

/// Returns the names that a statement of any script can begin with; or, behind the dot of a path such as `a.b`, the attributes
/// of its value, where the language itself has one.
pub(crate) fn language_names(engine: &Engine, path: Option<&str>) -> Vec<String> {
    Module::with_temp_heap(|module| {
        module.set("argv", module.heap().alloc(AllocList::EMPTY));
        names_in(engine, &module, path)
    })
}

/// Returns the names that a statement of the script can begin with; or, behind the dot of a path such as `a.b`, the
/// attributes of its value. Calls nothing.
fn names_in<'v>(engine: &Engine, module: &Module<'v>, path: Option<&str>) -> Vec<String> {
    let Ok(globals) = sandbox_globals(engine) else { return Vec::new() };
    let Some(path) = path else {
        // Names that no script can write are the crate's own.
        let own = module.names().map(|name| name.as_str().to_owned()).filter(|name| !name.contains(' '));
        let language = globals.names().map(|name| name.as_str().to_owned());
        return own.chain(language.filter(|name| ![OPERATOR, MARKER].contains(&name.as_str()))).collect();
    };
    let mut parts = path.split('.');
    let first = parts.next().unwrap_or_default();
    let global = || globals.iter().find(|(name, _)| *name == first).map(|(_, value)| value.to_value());
    let mut value = module.get(first).or_else(global);
    for part in parts {
        value = value.and_then(|value| value.get_attr(part, module.heap()).ok().flatten());
    }
    value.map(|value| value.dir_attr()).unwrap_or_default()
}

/// Lets other stores have the fuel that the store which ran last holds. The evaluation is looked up each time, since
/// the garbage collector moves it.
fn release_fuel(module: &Module<'_>) {
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

impl Files {
    /// `interrupt` stops whatever the files run.
    pub(crate) fn new(engine: Engine, args: Vec<String>, channels: Channels, interrupt: &Interrupt) -> Self {
        let interrupt = interrupt.inner();
        let budget = engine.budget().with_progress(channels.progress.clone());
        let data = Data::new(channels, engine.limits());
        Self {
            ticks_extra: ticks::Extra { meter: budget.ticks.clone(), heap: engine.limits().heap },
            budget,
            args,
            printer: Printer(data.clone()),
            data,
            loaded: RefCell::default(),
            loading: RefCell::default(),
            ticks: Cell::new(0),
            ticks_begun: Cell::new(0),
            ticks_before: Cell::new(0),
            out_of_ticks: Cell::new(false),
            is_full: Cell::new(false),
            silence: Cell::new(0),
            has_panicked: Cell::new(false),
            stop: Cell::new(None),
            reporter: Reporter::default(),
            call_interrupt: interrupt.inner(),
            interrupt,
            start_limits: CallLimits::new(),
            observation: engine.observation(),
            engine,
        }
    }

    /// Sets what the statements of the script may spend, within the sandbox's limits.
    pub(super) fn set_start_limits(&mut self, limits: CallLimits) {
        self.start_limits = limits;
    }

    pub(super) fn data(&self) -> &Data {
        &self.data
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            fuel: self.budget.fuel_used(),
            ticks: self.ticks.get(),
            memory_peak: self.budget.memory_peak(),
            cost: None,
        }
    }

    pub(super) fn profile(&self) -> Option<Profile> {
        self.budget.profile().map(|profile| profile.finished(self.budget.fuel_used()))
    }

    fn reply(&self, result: starlark::Result<Result<Value, Error>>) -> Reply {
        match result {
            Ok(value) => value.map(Answer::Value),
            Err(error) => match self.reporter.explain(&error) {
                // `exit()` is a way to succeed.
                error if error.kind() == ErrorKind::Exit && error.exit_code() == Some(0) => {
                    Ok(Answer::Value(Value::None))
                }
                error => Err(error),
            },
        }
    }

    /// Makes an evaluator ready for a file. Returns the ticks that it may count.
    fn prepare<'v, 'a>(
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

    /// Runs a file. Returns the value of its last statement.
    fn run<'v>(
        &self,
        eval: &mut Evaluator<'v, '_, '_>,
        ticks: u64,
        name: &str,
        source: Source,
    ) -> starlark::Result<Starlark<'v>> {
        let ast = match source {
            Source::Text(text) => self.parse(name, text)?,
            Source::Parsed(ast) => *ast,
        };
        let module = eval.module();
        module.set("argv", module.heap().alloc(AllocList(&self.args)));
        Evaluation::attach(
            module,
            self.engine.clone(),
            self.budget.clone(),
            self.data.clone(),
            self.call_interrupt.clone(),
            self.observation.clone(),
        );
        let globals = sandbox_globals(&self.engine)?;
        self.spend(eval, ticks, self.start_limits, |eval| eval.eval_module(ast, globals))
    }

    fn parse(&self, name: &str, text: String) -> starlark::Result<AstModule> {
        let (ast, edits) = lang::parse(name, text, self.engine.limits().nesting)?;
        edits.into_iter().for_each(|edits| self.reporter.add_edits(Arc::new(edits)));
        if let Some(coverage) = self.engine.grants().coverage() {
            coverage.add_file(&ast);
        }
        Ok(ast)
    }

    /// Parses a script and loads what it loads.
    pub(super) fn prepare_script(&self, name: &str, text: String) -> Result<AstModule, Error> {
        self.load_all(name, text).map_err(|error| self.reporter.explain(&error))
    }

    fn load_all(&self, name: &str, text: String) -> starlark::Result<AstModule> {
        let ast = self.parse(name, text)?;
        let loader = ScriptLoader { files: self, from: name, module: None };
        for load in ast.loads() {
            loader.load(load.module_id).map_err(|mut error| {
                // The whole statement, as where it is evaluated. The innermost one is the last that begins before.
                let name = load.span.span.begin();
                let statements = ast.stmt_locations();
                let statement = statements.iter().rfind(|statement| statement.span.begin() <= name);
                let place = statement.unwrap_or(&load.span);
                error.set_span(place.span, &place.file);
                error
            })?;
        }
        Ok(ast)
    }

    /// Returns what the files that were loaded left behind.
    pub(super) fn into_loaded(self) -> Loaded {
        Loaded {
            data: self.data,
            edits: self.reporter.edits(),
            ticks: self.ticks.get(),
            modules: self.loaded.into_inner(),
            budget: self.budget,
        }
    }

    /// Goes on from there: with these files loaded, and what that cost spent.
    pub(super) fn continue_from(&mut self, loaded: &Loaded) {
        let left = self.engine.limits().ticks.saturating_sub(loaded.ticks);
        self.budget = loaded.budget.fork(left);
        self.ticks_extra.meter = self.budget.ticks.clone();
        self.data = loaded.data.fork();
        self.printer = Printer(self.data.clone());
        self.loaded = RefCell::new(loaded.modules.clone());
        self.ticks.set(loaded.ticks);
        loaded.edits.iter().for_each(|edits| self.reporter.add_edits(edits.clone()));
    }

    /// Evaluates more statements of the script.
    fn eval<'v>(
        &self,
        eval: &mut Evaluator<'v, '_, '_>,
        ticks: u64,
        name: &str,
        text: String,
    ) -> starlark::Result<Starlark<'v>> {
        let ast = self.parse(name, text)?;
        let globals = sandbox_globals(&self.engine)?;
        self.spend(eval, ticks, CallLimits::new(), |eval| eval.eval_module(ast, globals))
    }

    /// Calls a function of the script.
    fn call<'v>(&self, eval: &mut Evaluator<'v, '_, '_>, ticks: u64, call: &Call) -> starlark::Result<Starlark<'v>> {
        let Call { name, args, kwargs, limits } = call;
        limits.check(self.engine.limits())?;
        let module = eval.module();
        let function = variable(module, name).ok_or_else(|| {
            let names: Vec<_> = module.names().filter(|name| !name.as_str().starts_with('_')).collect();
            let hint = did_you_mean(name, names.iter().map(|name| name.as_str()));
            let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            Error::new(ErrorKind::Script, format!("the script has no function `{name}`{hint}"))
        })?;
        self.spend(eval, ticks, *limits, |eval| {
            let mut convert = |value: &Value| {
                // Sets are rare, and to look `set` up takes longer than a call.
                value.to_starlark(eval.heap(), &mut |list| match GLOBALS.iter().find(|(name, _)| *name == "set") {
                    Some((_, make_set)) => eval.eval_function(make_set.to_value(), &[list], &[]),
                    None => Ok(list),
                })
            };
            let values = args.iter().map(&mut convert).collect::<starlark::Result<Vec<_>>>()?;
            let mut named = Vec::new();
            for (name, value) in kwargs {
                named.push((name.as_str(), convert(value)?));
            }
            eval.eval_function(function, &values, &named)
        })
    }

    /// Counts what `work` spends, and converts the error of a limit of starlark's to ours.
    fn spend<'v>(
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
    fn refill(&self) {
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

    /// Runs a file that another one loads.
    fn load(&self, name: &str, text: String) -> starlark::Result<FrozenModule> {
        self.loading.borrow_mut().push(name.to_owned());
        let before = self.budget.snapshot();
        let (outer, spent) = (self.budget.ticks.save(), self.ticks.get());
        let frozen = Module::with_temp_heap(|module| {
            {
                let loader = ScriptLoader { files: self, from: name, module: Some(&module) };
                let mut eval = Evaluator::new(&module);
                let ticks = self.prepare(&mut eval, &loader)?;
                self.run(&mut eval, ticks, name, Source::Text(text))?;
            }
            module.freeze().map_err(|e| starlark::Error::new_other(anyhow::Error::from(e)))
        });
        self.budget.ticks.restore(&outer, self.ticks.get().saturating_sub(spent));
        self.budget.restore(before);
        self.loading.borrow_mut().pop();
        frozen
    }
}

/// Resolves the `load` statements of one file.
struct ScriptLoader<'a, 'v> {
    files: &'a Files,
    from: &'a str,
    /// The file's module, once it runs.
    module: Option<&'a Module<'v>>,
}

impl FileLoader for ScriptLoader<'_, '_> {
    fn load(&self, path: &str) -> starlark::Result<FrozenModule> {
        let files = self.files;
        let name = names::resolve(self.from, path)?;
        if let Some(module) = files.loaded.borrow().get(&name) {
            return Ok(module.clone());
        }
        let mut chain = files.loading.borrow().clone();
        let depth = chain.len();
        if chain.last().is_none_or(|last| last != self.from) {
            chain.push(self.from.to_owned());
        }
        names::check_load(&chain, depth, &name)?;
        let bytes = files.engine.load(Wanted::File, &name)?;
        let text = lang::script_text(&name, bytes)?;
        // The loaded file draws on the same budget.
        if let Some(module) = self.module {
            release_fuel(module);
        }
        let frozen = files.load(&name, text)?;
        files.loaded.borrow_mut().insert(name, frozen.clone());
        Ok(frozen)
    }
}
