//! What a script and the files that it loads share while they run.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use starlark::environment::FrozenModule;
use starlark::eval::{Evaluator, FileLoader};
use starlark::syntax::AstModule;
use starlark::values::Value as Starlark;
use starlark::values::list::AllocList;
use starlark_syntax::syntax::module::AstModuleFields;

use super::Stats;
use super::call_limits::CallLimits;
use super::globals::sandbox_globals;
use super::mailbox::{Answer, Reply};
use super::names::variable;
use super::printer::Printer;
use super::supervisor::Supervisor;
use crate::api::evaluation::{Evaluation, Notes};
use crate::budget::Budget;
use crate::data::{Channels, Data};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::interrupt::Interrupt;
use crate::lang;
use crate::lang::compat::shift_assign::SourceEdits;
use crate::lang::definitions::Definitions;
use crate::observe::Observation;
use crate::profile::Profile;
use crate::report::Reporter;
use crate::value::{Arguments, Value};
use crate::wording::{did_you_mean, ending};

/// What the script and the files that it loads share.
pub(crate) struct Files {
    pub(super) engine: Engine,
    args: Vec<String>,
    data: Data,
    printer: Printer,
    pub(super) loaded: RefCell<BTreeMap<String, FrozenModule>>,
    /// The files that are being loaded, outermost first.
    pub(super) loading: RefCell<Vec<String>>,
    pub(super) supervisor: Supervisor,
    reporter: Reporter,
    /// The application's means to stop the session.
    pub(super) interrupt: Interrupt,
    /// The limits of the script's own statements.
    start_limits: CallLimits,
    /// What is observed of all files.
    observation: Option<Arc<Observation>>,
    notes: Notes,
}

/// A script, before or after it is parsed.
pub(crate) enum Source {
    Text(String),
    Parsed(Box<AstModule>),
}

/// The state after a script's files were loaded.
pub(super) struct Loaded {
    modules: BTreeMap<String, FrozenModule>,
    budget: Budget,
    ticks: u64,
    data: Data,
    edits: Vec<Arc<SourceEdits>>,
    definitions: Definitions,
}

impl Files {
    /// Makes the state of a new run. `interrupt` stops it.
    pub(crate) fn new(engine: Engine, args: Vec<String>, channels: Channels, interrupt: &Interrupt) -> Self {
        let interrupt = interrupt.inner();
        let budget = engine.budget().with_progress(channels.progress.clone());
        let data = Data::new(channels, engine.limits());
        Self {
            args,
            printer: Printer(data.clone()),
            data,
            loaded: RefCell::default(),
            loading: RefCell::default(),
            supervisor: Supervisor::new(engine.limits().clone(), budget, interrupt.inner()),
            reporter: Reporter::default(),
            interrupt,
            start_limits: CallLimits::new(),
            observation: engine.observation(),
            notes: Notes::default(),
            engine,
        }
    }

    /// Sets the limits of the script's own statements, within the sandbox's.
    pub(super) fn set_start_limits(&mut self, limits: CallLimits) {
        self.start_limits = limits;
    }

    pub(super) fn data(&self) -> &Data {
        &self.data
    }

    pub(super) fn has_panicked(&self) -> bool {
        self.supervisor.has_panicked()
    }

    pub(super) fn stats(&self) -> Stats {
        let budget = self.supervisor.budget();
        Stats {
            fuel: budget.fuel_used(),
            ticks: self.supervisor.ticks(),
            memory_peak: budget.memory_peak(),
            cost: None,
        }
    }

    pub(super) fn profile(&self) -> Option<Profile> {
        let budget = self.supervisor.budget();
        budget.profile().map(|profile| profile.finished(budget.fuel_used()))
    }

    /// Makes a report of an error that a file has caused.
    pub(super) fn explain(&self, error: &starlark::Error) -> Error {
        self.reporter.explain(error, self.notes.stray_frames.take())
    }

    /// Makes a reply of the outcome of an evaluation.
    pub(super) fn reply(&self, result: starlark::Result<Result<Value, Error>>) -> Reply {
        match result {
            Ok(value) => value.map(Answer::Value),
            Err(error) => match self.explain(&error) {
                // `exit()` is a way to succeed.
                error if error.kind() == ErrorKind::Exit && error.exit_code() == Some(0) => {
                    Ok(Answer::Value(Value::None))
                }
                error => Err(error),
            },
        }
    }

    /// Makes an evaluator ready for a file. Returns the ticks that it may count.
    pub(super) fn prepare<'v, 'a>(
        &'a self,
        eval: &mut Evaluator<'v, 'a, '_>,
        loader: &'a dyn FileLoader,
    ) -> starlark::Result<u64> {
        if let Some(coverage) = self.engine.grants().coverage() {
            coverage.watch(eval);
        }
        eval.set_loader(loader);
        eval.set_print_handler(&self.printer);
        self.supervisor.supervise(eval)
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
            Source::Text(text) => self.parse_file(name, text)?,
            Source::Parsed(ast) => *ast,
        };
        let module = eval.module();
        module.set("argv", module.heap().alloc(AllocList(&self.args)));
        Evaluation::attach(
            module,
            self.engine.clone(),
            self.supervisor.budget().clone(),
            self.data.clone(),
            self.supervisor.interrupt().clone(),
            self.observation.clone(),
            self.notes.clone(),
        );
        let globals = sandbox_globals(&self.engine)?;
        self.supervisor.spend(eval, ticks, self.start_limits, |eval| eval.eval_module(ast, globals))
    }

    /// Parses a file, whose functions messages then can find.
    pub(super) fn parse_file(&self, name: &str, text: String) -> starlark::Result<AstModule> {
        let ast = self.parse(name, text)?;
        self.notes.definitions.add_file(ast.codemap());
        Ok(ast)
    }

    fn parse(&self, name: &str, text: String) -> starlark::Result<AstModule> {
        let (ast, edits) = lang::parse(name, text, self.engine.limits().nesting)?;
        edits.into_iter().for_each(|edits| self.reporter.add_edits(Arc::new(edits)));
        if let Some(coverage) = self.engine.grants().coverage() {
            coverage.add_file(&ast);
        }
        Ok(ast)
    }

    /// Returns the state after files were loaded.
    pub(super) fn into_loaded(self) -> Loaded {
        Loaded {
            data: self.data,
            edits: self.reporter.edits(),
            definitions: self.notes.definitions,
            modules: self.loaded.into_inner(),
            ticks: self.supervisor.ticks(),
            budget: self.supervisor.budget().clone(),
        }
    }

    /// Continues from a state in which files were loaded. What that cost counts as spent.
    pub(super) fn continue_from(&mut self, loaded: &Loaded) {
        self.supervisor.continue_from(&loaded.budget, loaded.ticks);
        self.data = loaded.data.fork();
        self.notes.definitions = loaded.definitions.fork();
        self.printer = Printer(self.data.clone());
        self.loaded = RefCell::new(loaded.modules.clone());
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
        self.supervisor.spend(eval, ticks, CallLimits::new(), |eval| eval.eval_module(ast, globals))
    }

    /// Calls a function of the script.
    ///
    /// `arguments` is a trait object because Rust 1.88 takes the heap of a generic one to live for ever.
    pub(super) fn call<'n, 'v>(
        &self,
        eval: &mut Evaluator<'v, '_, '_>,
        ticks: u64,
        (name, limits): (&str, CallLimits),
        arguments: &dyn Fn(&mut Evaluator<'v, '_, '_>) -> starlark::Result<Arguments<'n, 'v>>,
    ) -> starlark::Result<Starlark<'v>> {
        limits.check(self.engine.limits())?;
        let module = eval.module();
        let function = variable(module, name).ok_or_else(|| {
            let names: Vec<_> = module.names().filter(|name| !name.as_str().starts_with('_')).collect();
            let hint = did_you_mean(name, names.iter().map(|name| name.as_str()));
            let hint = ending(hint);
            Error::new(ErrorKind::Script, format!("the script has no function `{name}`{hint}"))
        })?;
        self.supervisor.spend(eval, ticks, limits, |eval| {
            let Arguments { positional, named } = arguments(eval)?;
            eval.eval_function(function, &positional, &named)
        })
    }

    /// Makes available again what the limits allow to be spent.
    pub(super) fn refill(&self) {
        self.supervisor.refill();
        self.data.refill_output();
    }
}
