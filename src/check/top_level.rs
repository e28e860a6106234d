//! The statements of a file as the body of a function.
//!
//! starlark's type checker only checks functions: `x = wasm.Memory(1).raed(0)` passes at the top level. So a file is
//! checked a second time, as one function, which never runs.

use starlark::codemap::{FileSpan, Span};
use starlark::syntax::AstModule;
use starlark_syntax::syntax::ast::{AstStmt, Stmt};
use starlark_syntax::syntax::module::AstModuleFields;

use crate::error::Location;

const DEF: &str = "def script():\n";

/// The text of a file as a function, and how places in it have moved.
pub(super) struct TopLevel {
    pub(super) text: String,
    /// The number of lines added before the first of the file.
    added: usize,
}

impl TopLevel {
    /// Each line moves one column to the right, after the `load` statements, which a function may not contain.
    ///
    /// `original` returns the place in `text` for a place in the module.
    pub(super) fn of(module: &AstModule, text: &str, original: impl Fn(&FileSpan) -> FileSpan) -> Option<Self> {
        let mut head = String::new();
        let mut body = text.as_bytes().to_vec();
        let mut loads = Vec::new();
        collect(module.statement(), &mut loads);
        for load in loads {
            let place = original(&FileSpan { file: module.codemap().clone(), span: load.span }).span;
            let (begin, end) = (place.begin().get() as usize, place.end().get() as usize);
            head.push_str(text.get(begin..end)?);
            head.push('\n');
            // Each line stays in its place. A `load` is longer than `pass`.
            let place = body.get_mut(begin..end)?;
            place.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
            place.get_mut(..4)?.copy_from_slice(b"pass");
        }
        head.push_str(DEF);
        let added = head.matches('\n').count();
        let body = String::from_utf8(body).ok()?;
        let text = body.lines().fold(head, |text, line| text + " " + line + "\n") + " pass\n";
        Some(Self { text, added })
    }

    /// Returns the place in the file for a place in the function.
    pub(super) fn original(&self, place: Location) -> Option<Location> {
        let line = place.line.checked_sub(self.added).filter(|line| *line > 0)?;
        Some(Location { line, column: place.column.saturating_sub(1).max(1), ..place })
    }
}

/// Collects the `load` statements, which are only at the top level.
fn collect<'a>(statement: &'a AstStmt, loads: &mut Vec<&'a AstStmt>) {
    match &statement.node {
        Stmt::Load(_) => loads.push(statement),
        Stmt::Statements(statements) => statements.iter().for_each(|statement| collect(statement, loads)),
        _ => {}
    }
}

/// Returns the place of a file's last statement.
pub(super) fn last_statement(module: &AstModule) -> Option<Span> {
    let mut statement = module.statement();
    while let Stmt::Statements(statements) = &statement.node {
        statement = statements.last()?;
    }
    Some(statement.span)
}
