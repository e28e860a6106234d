//! Checks scripts without running them: syntax, names, types, and starlark's lints.

mod completion;
mod definition;
mod imports;
mod line;
mod scopes;
mod top_level;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use starlark::analysis::{AstModuleLint, EvalSeverity, Lint};
use starlark::codemap::FileSpan;
use starlark::environment::{Globals, GlobalsBuilder};
use starlark::syntax::AstModule;
use starlark::typing::{AstModuleTypecheck, Interface, Ty};
use starlark_syntax::syntax::module::AstModuleFields;

pub use self::completion::Completion;
pub(crate) use self::completion::{completions, description};
pub use self::definition::Definition;
pub(crate) use self::definition::{definition, visible};
use self::scopes::Scopes;
use self::top_level::TopLevel;
use crate::api::host_module::HostModule;
use crate::engine::{Engine, Wanted};
use crate::error::{Error, Location};
use crate::lang::compat::endless_types::{self, Endless};
use crate::lang::{self, names};
use crate::module::inspect::inspect;
use crate::report::{Reporter, begin_and_end};
use crate::session::sandbox_globals;

/// How bad a [`Diagnostic`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// The script fails, at the latest when it reaches this place.
    Error,
    /// Most likely a mistake.
    Warning,
    /// It could be written better.
    Advice,
}

impl Severity {
    /// Returns the severity as a word: `error`, `warning` or `advice`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Advice => "advice",
        }
    }
}

/// Something that is wrong with a script, found without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The name of the rule: `syntax`, `load`, `type`, `import`, or the name of a lint. The comment
    /// `# starlark-lint-disable NAME` turns a lint off.
    pub rule: String,
    /// What is wrong.
    pub message: String,
    /// The place where it begins. The file may be one that the script loads.
    pub location: Location,
    /// The place where it ends.
    pub end: Location,
}

/// Returns the globals of a sandbox, including those that a run adds.
fn globals(engine: &Engine) -> Result<Globals, Error> {
    let given = sandbox_globals(engine)?;
    let mut globals = GlobalsBuilder::new();
    globals.frozen_heap().add_reference(given.heap());
    for (name, value) in given.iter() {
        globals.set(name, value);
    }
    Ok(globals.with(argv).build())
}

/// Adds the variable `argv`, a list of strings that each run has.
fn argv(globals: &mut GlobalsBuilder) {
    globals.set("argv", Vec::<String>::new());
}

/// Lints for other dialects. In this one, a variable of a file may be assigned again.
const OTHER_DIALECTS: &[&str] = &["duplicate-top-level-assign"];

/// Lints for a statement without effect. They do not apply to a file's last statement, which is the value of the run.
const IDLE: &[&str] = &["ident-as-statement", "no-effect"];

/// Shortens the type of a namespace in a message: it lists the types of all members, which would fill a screen.
fn shortened(message: String) -> String {
    match message.split_once("`namespace(") {
        Some((before, _)) if message.ends_with(")`") => format!("{before}`namespace`"),
        _ => message,
    }
}

/// Checks a script. The files that it loads are read for the types of what they define. A file that cannot be used is
/// reported, but not the lints of these files.
pub(crate) fn check(engine: &Engine, name: &str, text: &str) -> Vec<Diagnostic> {
    let globals = match globals(engine) {
        Ok(globals) => globals,
        Err(error) => {
            let location = Location { file: name.to_owned(), line: 1, column: 1 };
            let (message, end) = (error.message().to_owned(), location.clone());
            return vec![Diagnostic { severity: Severity::Error, rule: "globals".to_owned(), message, location, end }];
        }
    };
    let mut checker =
        Checker { engine, globals, interfaces: BTreeMap::new(), loading: Vec::new(), diagnostics: Vec::new() };
    checker.file(name, text.to_owned(), true);
    let mut diagnostics = checker.diagnostics;
    diagnostics.sort_by(|a, b| {
        let key = |d: &Diagnostic| (d.location.file.clone(), d.location.line, d.location.column, d.severity);
        key(a).cmp(&key(b))
    });
    // The type checker repeats the lints on unknown names.
    diagnostics.dedup_by(|later, first| later.location == first.location && later.message == first.message);
    diagnostics
}

struct Checker<'a> {
    engine: &'a Engine,
    globals: Globals,
    /// The interfaces of the files that were loaded.
    interfaces: BTreeMap<String, Interface>,
    /// The files that are being checked, outermost first.
    loading: Vec<String>,
    diagnostics: Vec<Diagnostic>,
}

impl Checker<'_> {
    /// Checks a file. Returns the types of what it defines.
    fn file(&mut self, name: &str, text: String, lints: bool) -> Interface {
        let reporter = Reporter::default();
        let (module, edits) = match lang::parse(name, text.clone(), self.engine.limits().nesting) {
            Ok(parsed) => parsed,
            Err(error) => {
                self.add(&reporter, "syntax", &error, None);
                return Interface::empty();
            }
        };
        edits.into_iter().for_each(|edits| reporter.add_edits(Arc::new(edits)));
        self.loading.push(name.to_owned());
        let loads = self.loads(name, &module, &reporter);
        self.loading.pop();
        if lints {
            let known: HashSet<String> = self.globals.names().map(|name| name.as_str().to_owned()).collect();
            let last = top_level::last_statement(&module);
            for lint in module.lint(Some(&known)) {
                if !(IDLE.contains(&lint.short_name.as_str()) && last == Some(lint.location.span)) {
                    self.lint(&reporter, lint);
                }
            }
        }
        if lints {
            self.imports(name, &module, &reporter);
        }
        if let Some(endless) = endless_types::find(&module) {
            if lints {
                self.types_without_end(&endless, &module, &reporter);
            }
            let scopes = Scopes::of(module.statement());
            let names = scopes.visible(|_| false).into_iter();
            return Interface::new(names.map(|name| (name.to_owned(), Ty::any())).collect());
        }
        let top_level = TopLevel::of(&module, text.trim_start_matches('\u{feff}'), |place| reporter.original(place));
        let (errors, _, interface, _) = module.typecheck(&self.globals, &loads);
        for error in errors.iter().filter(|_| lints) {
            self.add(&reporter, "type", error, None);
        }
        // After an error, the check of the top level would only report more because of it.
        if errors.is_empty()
            && lints
            && let Some(top_level) = top_level
        {
            self.top_level(name, &top_level, &loads);
        }
        interface
    }

    /// Compares the imports that are passed for instances with those that their modules want.
    fn imports(&mut self, name: &str, module: &AstModule, reporter: &Reporter) {
        let engine = self.engine;
        let bytes = |source: imports::Source<'_>| match source {
            imports::Source::Name(file) => engine.load(Wanted::Module, &names::resolve(name, file).ok()?).ok(),
            imports::Source::Text(text) => Some(text.as_bytes().to_vec()),
        };
        let wanted = |source: imports::Source<'_>| Some(inspect(&bytes(source)?).ok()?.imports);
        let is_given = |module: &str, name: &str| engine.grants().imports().find(module, name).is_some();
        for fault in imports::check(module, wanted, is_given) {
            let place = FileSpan { file: module.codemap().clone(), span: fault.place };
            let (location, end) = begin_and_end(&reporter.original(&place));
            let (severity, rule, message) = (Severity::Error, "import".to_owned(), fault.message);
            self.diagnostics.push(Diagnostic { severity, rule, message, location, end });
        }
    }

    /// Tells that the types of a file are not checked.
    fn types_without_end(&mut self, endless: &Endless, module: &AstModule, reporter: &Reporter) {
        let place = FileSpan { file: module.codemap().clone(), span: endless.place };
        let (location, end) = begin_and_end(&reporter.original(&place));
        let message = format!("types are not checked in this file: that of `{}` contains itself", endless.name);
        self.diagnostics.push(Diagnostic {
            severity: Severity::Advice,
            rule: "type".to_owned(),
            message,
            location,
            end,
        });
    }

    /// Checks the types of a file's top-level statements.
    fn top_level(&mut self, name: &str, top_level: &TopLevel, loads: &HashMap<String, Interface>) {
        let nesting = self.engine.limits().nesting.saturating_add(1);
        let Ok((module, edits)) = lang::parse(name, top_level.text.clone(), nesting) else { return };
        let reporter = Reporter::default();
        edits.into_iter().for_each(|edits| reporter.add_edits(Arc::new(edits)));
        let known = self.diagnostics.len();
        for error in module.typecheck(&self.globals, loads).0 {
            self.add(&reporter, "type", &error, None);
        }
        for mut diagnostic in self.diagnostics.split_off(known) {
            let places = (top_level.original(diagnostic.location), top_level.original(diagnostic.end));
            if let (Some(location), Some(end)) = places {
                (diagnostic.location, diagnostic.end) = (location, end);
                self.diagnostics.push(diagnostic);
            }
        }
    }

    /// Returns the interfaces of the files that a file loads, by the names in its `load` statements.
    fn loads(&mut self, from: &str, module: &AstModule, reporter: &Reporter) -> HashMap<String, Interface> {
        let mut interfaces = HashMap::new();
        for load in module.loads() {
            let place = load.span.clone();
            let loaded = names::resolve(from, load.module_id).and_then(|name| self.load(&name));
            match loaded {
                Ok(interface) => {
                    interfaces.insert(load.module_id.to_owned(), interface);
                }
                Err(error) => self.add(reporter, "load", &error.into(), Some(&place)),
            }
        }
        interfaces
    }

    fn load(&mut self, name: &str) -> Result<Interface, Error> {
        if let Some(interface) = self.interfaces.get(name) {
            return Ok(interface.clone());
        }
        names::check_load(&self.loading, self.loading.len().saturating_sub(1), name)?;
        let text = lang::script_text(name, self.engine.load(Wanted::File, name)?)?;
        let interface = self.file(name, text, false);
        self.interfaces.insert(name.to_owned(), interface.clone());
        Ok(interface)
    }

    fn add(&mut self, reporter: &Reporter, rule: &str, error: &starlark::Error, place: Option<&FileSpan>) {
        let Some(place) = place.or(error.span()) else { return };
        let (location, end) = begin_and_end(&reporter.original(place));
        let message = shortened(error.without_diagnostic().to_string());
        self.diagnostics.push(Diagnostic { severity: Severity::Error, rule: rule.to_owned(), message, location, end });
    }

    fn lint(&mut self, reporter: &Reporter, lint: Lint) {
        if OTHER_DIALECTS.contains(&lint.short_name.as_str()) {
            return;
        }
        let severity = match lint.severity {
            EvalSeverity::Error => Severity::Error,
            EvalSeverity::Warning => Severity::Warning,
            EvalSeverity::Advice => Severity::Advice,
            EvalSeverity::Disabled => return,
        };
        let (location, end) = begin_and_end(&reporter.original(&lint.location));
        self.diagnostics.push(Diagnostic { severity, rule: lint.short_name, message: lint.problem, location, end });
    }
}
