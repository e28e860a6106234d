//! Finds where the names of a script are defined.

use std::sync::Arc;

use starlark::codemap::{FileSpan, Span};
use starlark::docs::{DocString, DocStringKind};
use starlark::syntax::AstModule;
use starlark_syntax::syntax::ast::{AstLiteral, AstNoPayload, AstStmt, DefP, Expr, Stmt};
use starlark_syntax::syntax::module::AstModuleFields;

use super::scopes::{Bound, Mention, Scopes, called, path};
use crate::docs::type_of;
use crate::engine::{Engine, Wanted};
use crate::error::Location;
use crate::lang::{self, names};
use crate::report::{Reporter, begin_and_end};

/// Where a name of a script is defined.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Definition {
    /// The start of the defined name, at the first place that binds it. The file may be one that the script loads; for the
    /// name of a file, it is the start of that file.
    pub location: Location,
    /// Where it ends.
    pub end: Location,
    /// For a function, the text before its body: `def f(x, y = 1):`.
    pub signature: Option<String>,
    /// For a function, its docstring.
    pub doc: Option<String>,
    /// For a variable that is assigned the result of a call, the path of the function: `wasm.Memory`. For one that is
    /// assigned an attribute of such a variable, the path of the attribute: `wasm.Instance.memory`.
    pub made_by: Option<String>,
}

/// The maximum number of files through which a name is followed, each loading it from the next.
const MAX_LOADS: usize = 32;

/// A file that was parsed.
struct File {
    name: String,
    text: String,
    module: AstModule,
    reporter: Reporter,
}

impl File {
    fn new(engine: &Engine, name: &str, text: &str) -> Option<Self> {
        let (module, edits) = lang::parse(name, text.to_owned(), engine.limits().nesting).ok()?;
        let reporter = Reporter::default();
        edits.into_iter().for_each(|edits| reporter.add_edits(Arc::new(edits)));
        Some(Self { name: name.to_owned(), text: text.trim_start_matches('\u{feff}').to_owned(), module, reporter })
    }

    fn original(&self, span: Span) -> FileSpan {
        self.reporter.original(&FileSpan { file: self.module.codemap().clone(), span })
    }

    fn contains(&self, span: Span, line: usize, column: usize) -> bool {
        let (begin, end) = begin_and_end(&self.original(span));
        let place = (line, column);
        (begin.line, begin.column) <= place && place <= (end.line, end.column)
    }

    fn definition(&self, place: Span) -> Definition {
        let (location, end) = begin_and_end(&self.original(place));
        Definition { location, end, signature: None, doc: None, made_by: None }
    }

    fn function(&self, place: Span, whole: Span, def: &DefP<AstNoPayload>) -> Definition {
        let begin = self.original(whole).span.begin().get() as usize;
        let end = self.original(def.body.span).span.begin().get() as usize;
        let signature = self.text.get(begin..end).map(|text| text.trim_end().to_owned());
        Definition { signature, doc: docstring(&def.body), ..self.definition(place) }
    }
}

/// Returns where the name at a place is defined. Lines and columns start at 1.
pub(crate) fn definition(engine: &Engine, name: &str, text: &str, line: usize, column: usize) -> Option<Definition> {
    let file = File::new(engine, name, text)?;
    let scopes = Scopes::of(file.module.statement());
    let (_, mention) = scopes.mentions.iter().find(|(span, _)| file.contains(*span, line, column))?;
    match mention {
        Mention::File(loaded) => Some(begin_of(names::resolve(name, loaded).ok()?)),
        Mention::Name(wanted, scope) => find(engine, &file, &scopes, *scope, wanted, MAX_LOADS),
    }
}

/// Returns the names that the script itself binds and that are visible at a place, in order; none if it does not parse.
pub(crate) fn visible(engine: &Engine, name: &str, text: &str, line: usize, column: usize) -> Vec<String> {
    let Some(file) = File::new(engine, name, text) else { return Vec::new() };
    let scopes = Scopes::of(file.module.statement());
    let mut names: Vec<String> =
        scopes.visible(|span| file.contains(span, line, column)).into_iter().map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

fn find(
    engine: &Engine,
    file: &File,
    scopes: &Scopes<'_>,
    scope: usize,
    name: &str,
    loads: usize,
) -> Option<Definition> {
    let binding = scopes.find(scope, name)?;
    Some(match binding.bound {
        Bound::Variable => file.definition(binding.place),
        Bound::Value(value) => {
            let made_by = called(value).or_else(|| {
                // A variable may be assigned itself.
                let of = |first: &str| find(engine, file, scopes, scope, first, loads.checked_sub(1)?)?.made_by;
                attribute(&path(value)?, of)
            });
            Definition { made_by, ..file.definition(binding.place) }
        }
        Bound::Function { whole, def } => file.function(binding.place, whole, def),
        Bound::Loaded { file: from, name } => {
            let loaded = || {
                let path = names::resolve(&file.name, from).ok()?;
                let text = lang::script_text(&path, engine.load(Wanted::File, &path).ok()?).ok()?;
                let next = File::new(engine, &path, &text)?;
                let scopes = Scopes::of(next.module.statement());
                find(engine, &next, &scopes, Scopes::FILE, name, loads.checked_sub(1)?)
            };
            // If the file does not have such a name, or does not exist, the `load` statement defines it.
            loaded().unwrap_or_else(|| file.definition(binding.place))
        }
    })
}

/// Returns the path of what `path` names, such as `guest.memory`. `made_by` gives that of its first name.
fn attribute(path: &str, made_by: impl FnOnce(&str) -> Option<String>) -> Option<String> {
    match path.split_once('.') {
        None => made_by(path),
        Some((first, rest)) => Some(format!("{}.{rest}", type_of(&made_by(first)?)?)),
    }
}

fn begin_of(file: String) -> Definition {
    let location = Location { file, line: 1, column: 1 };
    Definition { end: location.clone(), location, signature: None, doc: None, made_by: None }
}

fn docstring(body: &AstStmt) -> Option<String> {
    let mut first = body;
    while let Stmt::Statements(statements) = &first.node {
        first = statements.first()?;
    }
    let Stmt::Expression(expr) = &first.node else { return None };
    let Expr::Literal(AstLiteral::String(text)) = &expr.node else { return None };
    let doc = DocString::from_docstring(DocStringKind::Starlark, &text.node)?;
    Some(doc.details.iter().fold(doc.summary, |doc, details| format!("{doc}\n\n{details}")))
}
