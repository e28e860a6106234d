//! What a script and the files that it loads share while they run.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use starlark::environment::FrozenModule;
use starlark::eval::Evaluator;
use starlark::syntax::AstModule;
use starlark::values::Value as Starlark;
use starlark::values::list::AllocList;

use super::Stats;
use super::call_limits::CallLimits;
use super::globals::{GLOBALS, sandbox_globals};
use super::mailbox::{Answer, Call, Reply};
use super::names::variable;
use super::printer::Printer;
use crate::api::evaluation::Evaluation;
use crate::budget::Budget;
use crate::data::{Channels, Data};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::interrupt::{Interrupt, Stop};
use crate::lang;
use crate::lang::compat::shift_assign::SourceEdits;
use crate::lang::compat::ticks;
use crate::observe::Observation;
use crate::profile::Profile;
use crate::report::Reporter;
use crate::value::Value;
use crate::wording::did_you_mean;

/// What the script and the files that it loads share.
pub(crate) struct Files {
    pub(super) engine: Engine,
    pub(super) budget: Budget,
    pub(super) args: Vec<String>,
    pub(super) data: Data,
    pub(super) printer: Printer,
    pub(super) loaded: RefCell<BTreeMap<String, FrozenModule>>,
    /// The files that are being loaded now, outermost first.
    pub(super) loading: RefCell<Vec<String>>,
    /// All ticks until now.
    pub(super) ticks: Cell<u64>,
    /// What the evaluator that runs now had counted when it began what it runs.
    pub(super) ticks_begun: Cell<u64>,
    /// Those of them that were spent before the session was last refilled.
    pub(super) ticks_before: Cell<u64>,
    pub(super) ticks_extra: ticks::Extra,
    /// Set when the files together have spent their ticks, before the evaluator that runs has reached its own limit.
    pub(super) out_of_ticks: Cell<bool>,
    /// Set when the heap of the evaluator that runs has passed its limit.
    pub(super) is_full: Cell<bool>,
    /// The checks that tell no evaluator to stop. starlark checks once more when a call from Rust ends, and the error of
    /// that check would stand in for the one that has a place; so after it or a guest of its was told, it is left alone
    /// until it has ended all that it runs.
    pub(super) silence: Cell<usize>,
    /// Set when an evaluation panicked: nothing is evaluated after that.
    pub(super) has_panicked: Cell<bool>,
    /// Set when the evaluator that runs was told to stop.
    pub(super) stop: Cell<Option<Stop>>,
    pub(super) reporter: Reporter,
    /// What the application gets to stop the session.
    pub(super) interrupt: Interrupt,
    /// Stops the call that runs now, and has its deadline.
    pub(super) call_interrupt: Interrupt,
    /// What the statements of the script may spend.
    pub(super) start_limits: CallLimits,
    /// What is observed of all files.
    pub(super) observation: Option<Arc<Observation>>,
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
        Stats { fuel: self.budget.fuel_used(), ticks: self.ticks.get(), memory_peak: self.budget.memory_peak() }
    }

    pub(super) fn profile(&self) -> Option<Profile> {
        self.budget.profile().map(|profile| profile.finished(self.budget.fuel_used()))
    }

    pub(super) fn reply(&self, result: starlark::Result<Result<Value, Error>>) -> Reply {
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

    /// Runs a file. Returns the value of its last statement.
    pub(super) fn run<'v>(
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

    pub(super) fn parse(&self, name: &str, text: String) -> starlark::Result<AstModule> {
        let (ast, edits) = lang::parse(name, text, self.engine.limits().nesting)?;
        edits.into_iter().for_each(|edits| self.reporter.add_edits(Arc::new(edits)));
        if let Some(coverage) = self.engine.grants().coverage() {
            coverage.add_file(&ast);
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
    pub(super) fn eval<'v>(
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
    pub(super) fn call<'v>(
        &self,
        eval: &mut Evaluator<'v, '_, '_>,
        ticks: u64,
        call: &Call,
    ) -> starlark::Result<Starlark<'v>> {
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
}
