//! Where the functions of scripts are defined.
//!
//! starlark's functions know that, but show only their name and that of their file. So the texts of the files are kept,
//! as starlark keeps them for its own messages, and a text is parsed again where a message needs a place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use starlark::codemap::{CodeMap, Span};
use starlark::syntax::AstModule;
use starlark_syntax::syntax::ast::{AstExpr, AstNoPayload, AstStmt, Expr, Stmt};
use starlark_syntax::syntax::uniplate::Visit;

use super::dialect::dialect;

/// The maximum number of places that a message names as those that a function may be from.
const MAX_PLACES: usize = 3;

/// The files whose functions can be found.
#[derive(Clone, Default)]
pub(crate) struct Definitions(Arc<Mutex<Vec<CodeMap>>>);

impl Definitions {
    pub(crate) fn add_file(&self, file: &CodeMap) {
        self.files().push(file.clone());
    }

    /// Returns the same files, to which others are added apart.
    pub(crate) fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.files().clone())))
    }

    /// Returns the name of a function and its place, for a message: `` `f` at main.star:3 ``. `shown` is what starlark
    /// calls it, `main.star.f`. If several functions of the file have the name, as lambdas do, the result names the places
    /// of all.
    pub(crate) fn describe(&self, shown: &str) -> String {
        self.find(shown).unwrap_or_else(|| format!("`{shown}`"))
    }

    fn find(&self, shown: &str) -> Option<String> {
        let mut found = None;
        for file in self.files().iter() {
            let Some(name) = shown.strip_prefix(file.filename()).and_then(|rest| rest.strip_prefix('.')) else {
                continue;
            };
            let module = AstModule::parse(file.filename(), file.source().to_owned(), &dialect()).ok()?;
            let (_, places) = found.get_or_insert((name, Vec::new()));
            functions(Visit::Stmt(module.statement()), &mut |function, span| {
                let place = file.file_span(span).resolve().begin_file_line().to_string();
                if function == name && !places.contains(&place) {
                    places.push(place);
                }
            });
        }
        let (name, places) = found?;
        let (last, before) = places.split_last().filter(|_| places.len() <= MAX_PLACES)?;
        Some(match before {
            [] => format!("`{name}` at {last}"),
            _ => format!("`{name}` at {} or {last}", before.join(", ")),
        })
    }

    fn files(&self) -> MutexGuard<'_, Vec<CodeMap>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls `found` with the name and the place of each function.
fn functions(node: Visit<'_, AstNoPayload>, found: &mut impl FnMut(&str, Span)) {
    match node {
        Visit::Stmt(statement) => of_statement(statement, found),
        Visit::Expr(expression) => of_expression(expression, found),
    }
}

fn of_statement(statement: &AstStmt, found: &mut impl FnMut(&str, Span)) {
    if let Stmt::Def(function) = &statement.node {
        found(&function.name.ident, function.name.span);
    }
    statement.visit_children(|child| functions(child, found));
}

fn of_expression(expression: &AstExpr, found: &mut impl FnMut(&str, Span)) {
    if matches!(expression.node, Expr::Lambda(_)) {
        found("lambda", expression.span);
    }
    expression.visit_expr(|child| of_expression(child, found));
}
