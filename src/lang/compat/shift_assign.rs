//! `x <<= n` before it is run. starlark's own statement shifts within a word, as its `<<` does, and the tree that it
//! is parsed to cannot be changed. So the text is, and parsed again: `x <<= n` becomes `x += (n)<<"<<="`, of which
//! `shift` makes what is exact. Up to the statement's end nothing moves; what the text shows of itself in an error
//! is put back.

use starlark::syntax::AstModule;
use starlark_syntax::syntax::ast::{AssignOp, AstStmt, Stmt};
use starlark_syntax::syntax::module::AstModuleFields;

use super::shift::ASSIGNMENT;
use crate::error::Location;

/// As long as the operator: what follows stays in its column.
const BEGIN: &str = "+=(";

/// The lines of a file that are not as they were written.
#[derive(Default)]
pub(crate) struct SourceEdits {
    file: String,
    lines: Vec<Line>,
}

struct Line {
    number: usize,
    original: String,
    now: String,
    /// The columns, from 0, at which something was put in.
    added: Vec<usize>,
}

/// The text with its `<<=` in other words; `None` for one that has none.
pub(crate) fn rewrite(module: &AstModule) -> Option<(String, SourceEdits)> {
    let mut statements = Vec::new();
    collect(module.statement(), &mut statements);
    let text = module.codemap().source();
    let end = end();
    let mut out = String::new();
    let mut done = 0;
    for (target, statement) in statements {
        let operator = target.saturating_add(text.get(target..statement)?.find(ASSIGNMENT)?);
        out.push_str(text.get(done..operator)?);
        out.push_str(BEGIN);
        out.push_str(text.get(operator.saturating_add(BEGIN.len())..statement)?);
        out.push_str(&end);
        done = statement;
    }
    if done == 0 {
        return None;
    }
    out.push_str(text.get(done..)?);
    let pairs = text.lines().zip(out.lines()).enumerate().filter(|(_, (original, now))| original != now);
    let lines = pairs.map(|(index, (original, now))| Line {
        number: index.saturating_add(1),
        original: original.to_owned(),
        now: now.to_owned(),
        added: now.match_indices(&end).map(|(at, _)| now.get(..at).unwrap_or_default().chars().count()).collect(),
    });
    let rewritten = SourceEdits { file: module.codemap().filename().to_owned(), lines: lines.collect() };
    Some((out, rewritten))
}

/// What is put in at a statement's end.
fn end() -> String {
    format!(")<<\"{ASSIGNMENT}\"")
}

/// The ends of the target and of the whole of each `<<=`.
fn collect(statement: &AstStmt, out: &mut Vec<(usize, usize)>) {
    if let Stmt::AssignModify(target, AssignOp::LeftShift, _) = &statement.node {
        out.push((target.span.end().get() as usize, statement.span.end().get() as usize));
    }
    statement.visit_stmt(|inner| collect(inner, out));
}

impl SourceEdits {
    /// A place in the text as it was written.
    pub(crate) fn location(&self, location: &mut Location) {
        if let Some(line) = self.lines.iter().find(|line| line.number == location.line && self.file == location.file) {
            let before = line.added.iter().filter(|at| **at < location.column).count();
            location.column = location.column.saturating_sub(before.saturating_mul(end().len()));
        }
    }

    /// A report that quotes the text, as it was written.
    pub(crate) fn report(&self, report: &str) -> String {
        let mut out = String::new();
        // What was put into the line above, and where its quotation begins.
        let mut above: Option<(&Line, usize)> = None;
        for shown in report.split_inclusive('\n') {
            let text = shown.strip_suffix('\n').unwrap_or(shown);
            let marked = above.take();
            if let Some(line) = self.lines.iter().find(|line| text.trim_start().ends_with(line.now.trim())) {
                out.push_str(&shown.replacen(line.now.trim(), line.original.trim(), 1));
                let margin = text.strip_suffix(line.now.as_str()).filter(|margin| margin.contains('|'));
                above = margin.map(|margin| (line, margin.chars().count()));
            } else if let Some((line, margin)) = marked {
                out.push_str(&unmarked(shown, line, margin));
            } else if let Some(place) = self.place(text) {
                out.push_str(&place);
            } else {
                out.push_str(shown);
            }
        }
        out
    }

    /// The row `--> file:line:column` above a quotation, if this is one of this file.
    fn place(&self, row: &str) -> Option<String> {
        let (margin, place) = row.split_once("--> ")?;
        let (place, column) = place.rsplit_once(':')?;
        let (file, line) = place.rsplit_once(':')?;
        let mut location = Location { file: file.to_owned(), line: line.parse().ok()?, column: column.parse().ok()? };
        self.location(&mut location);
        Some(format!("{margin}--> {file}:{line}:{}\n", location.column)).filter(|_| margin.trim().is_empty())
    }
}

/// The marks below a quoted line, without those under what was put in.
fn unmarked(marks: &str, line: &Line, margin: usize) -> String {
    let mut marks: Vec<char> = marks.chars().collect();
    for at in line.added.iter().rev() {
        let from = margin.saturating_add(*at);
        let to = from.saturating_add(end().len()).min(marks.len());
        if from < to {
            let last = marks.drain(from..to).next_back();
            // The end of a mark over several lines is a single one.
            if let (Some('^'), Some(before @ '_')) = (last, from.checked_sub(1).and_then(|at| marks.get_mut(at))) {
                *before = '^';
            }
        }
    }
    let mut text: String = marks.into_iter().collect();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
