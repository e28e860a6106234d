//! `x <<= n` with a result of any size.
//!
//! Upstream: starlark's `<<=` shifts within the word of small ints, like its `<<` (see [`shift`](super::shift)), and its
//! syntax tree cannot be changed from outside. So the text is changed and parsed again: `x <<= n` becomes `x +=
//! (n)<<__shift_assign__`, which `shift` evaluates exactly. Nothing moves before the statement's end; reports map places back
//! to the original text.
//!
//! Upstream change: facebook/starlark-rust pull request 204, merged on 2026-07-03, fixes `<<`.
//!
//! Remove when: a release later than 0.14.3 has it, and `tests/script` passes without this file.

use starlark::codemap::{CodeMap, FileSpan, Pos, Span};
use starlark::syntax::AstModule;
use starlark_syntax::syntax::ast::{AssignOp, AstStmt, Stmt};
use starlark_syntax::syntax::module::AstModuleFields;

use super::shift::MARKER;

/// Replaces the operator, and has the same length, so that what follows stays in its column.
const BEGIN: &str = "+=(";

/// The operator.
const ASSIGNMENT: &str = "<<=";

/// Inserted at a statement's end: [`MARKER`] as the right operand of `<<`.
const END: &str = ")<<__shift_assign__";

/// Returns where a text contains the marker's name, which only this file may write.
pub(crate) fn find_marker(text: &str) -> Option<usize> {
    text.find(MARKER)
}

/// The difference between a file as written and as it runs.
pub(crate) struct SourceEdits {
    original: CodeMap,
    edited: CodeMap,
    insertions: Insertions,
}

/// The offsets in the edited text at which [`END`] was inserted, in order.
pub(crate) struct Insertions(Vec<usize>);

/// Returns the text of a module with each `<<=` replaced, or `None` if it has none.
pub(crate) fn rewrite(module: &AstModule) -> Option<(String, Insertions)> {
    let mut statements = Vec::new();
    collect(module.statement(), &mut statements);
    let text = module.codemap().source();
    let mut out = String::new();
    let mut insertions = Vec::new();
    let mut done = 0;
    for (target, statement) in statements {
        let operator = target.saturating_add(text.get(target..statement)?.find(ASSIGNMENT)?);
        out.push_str(text.get(done..operator)?);
        out.push_str(BEGIN);
        out.push_str(text.get(operator.saturating_add(BEGIN.len())..statement)?);
        insertions.push(out.len());
        out.push_str(END);
        done = statement;
    }
    if insertions.is_empty() {
        return None;
    }
    out.push_str(text.get(done..)?);
    Some((out, Insertions(insertions)))
}

/// Collects the ends of the target and of the whole of each `<<=`.
fn collect(statement: &AstStmt, out: &mut Vec<(usize, usize)>) {
    if let Stmt::AssignModify(target, AssignOp::LeftShift, _) = &statement.node {
        out.push((target.span.end().get() as usize, statement.span.end().get() as usize));
    }
    statement.visit_stmt(|inner| collect(inner, out));
}

impl SourceEdits {
    /// Describes the edits between two parses of a file.
    pub(crate) fn new(original: &AstModule, edited: &AstModule, insertions: Insertions) -> Self {
        Self { original: original.codemap().clone(), edited: edited.codemap().clone(), insertions }
    }

    /// Returns the place in the original text for a place in the edited text; `None` for a place in another file.
    pub(crate) fn original(&self, place: &FileSpan) -> Option<FileSpan> {
        if place.file != self.edited {
            return None;
        }
        let span = Span::new(self.position(place.span.begin()), self.position(place.span.end()));
        Some(FileSpan { file: self.original.clone(), span })
    }

    fn position(&self, edited: Pos) -> Pos {
        let offset = edited.get() as usize;
        let added: usize =
            self.insertions.0.iter().map(|at| offset.saturating_sub(*at).min(END.len())).fold(0, usize::saturating_add);
        Pos::new(u32::try_from(offset.saturating_sub(added)).unwrap_or(u32::MAX))
    }
}
