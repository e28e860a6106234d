//! Counts how often the lines of scripts run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use starlark::codemap::{CodeMap, FileSpanRef, Pos};
use starlark::eval::{BeforeStmtFunc, BeforeStmtFuncDyn, Evaluator};
use starlark::syntax::AstModule;
use starlark_syntax::syntax::ast::{AstExpr, AstStmt, Expr, Stmt};
use starlark_syntax::syntax::module::AstModuleFields;

/// Counts how often the lines of scripts run, in all sandboxes that it is given to by
/// [`Sandbox::coverage`](crate::Sandbox::coverage). Clones count together.
///
/// ```
/// use wasmlark::{Coverage, Sandbox};
///
/// let coverage = Coverage::new();
/// let script = "def f(x):\n    if x > 1:\n        return 'many'\n    return 'few'\n[f(0), f(1)]";
/// Sandbox::new().coverage(&coverage).run("main.star", script)?;
/// let lines: Vec<(usize, u64)> = coverage.files()["main.star"].iter().map(|(line, hits)| (*line, *hits)).collect();
/// assert_eq!(lines, [(1, 1), (2, 2), (3, 0), (4, 2), (5, 1)]);
/// # Ok::<(), wasmlark::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Coverage(Arc<Mutex<Files>>);

/// Files by their names.
type Files = BTreeMap<String, File>;

#[derive(Default)]
struct File {
    /// The lines by their numbers, from 1.
    lines: BTreeMap<usize, Line>,
    /// The offsets of the statements at the top level, each of which runs once, although starlark reports it twice.
    once: BTreeSet<u32>,
}

#[derive(Clone, Copy, Default)]
struct Line {
    hits: u64,
    /// Whether starlark is certain to report a statement on the line. It may optimise others away, or inline them in a
    /// caller, and then does not report them. A line of such statements counts only if one has been reported.
    is_certain: bool,
}

impl Coverage {
    /// Makes a count of all zeros.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns how often each line with a statement has run, by the name of the file and the number of the line, from 1. If
    /// a line has several statements, the one that ran most often counts.
    ///
    /// What a session runs is counted when the session is dropped. A file that no script has loaded is not included. Nor is
    /// a statement that starlark may optimise away (`pass`, a docstring, `load`, the body of a function that is only a short
    /// `return`), unless it was seen to run.
    pub fn files(&self) -> BTreeMap<String, BTreeMap<usize, u64>> {
        let shown = |lines: &BTreeMap<usize, Line>| {
            let lines = lines.iter().filter(|(_, line)| line.is_certain || line.hits > 0);
            lines.map(|(number, line)| (*number, line.hits)).collect()
        };
        self.lock().iter().map(|(name, file)| (name.clone(), shown(&file.lines))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the lines of a file.
    pub(crate) fn add_file(&self, ast: &AstModule) {
        let codemap = ast.codemap();
        let mut files = self.lock();
        let File { lines, once } = files.entry(codemap.filename().to_owned()).or_default();
        collect_once(ast.statement(), once);
        visit(ast.statement(), true, &mut |statement, is_certain| {
            let line = lines.entry(line_of(codemap, statement.span.begin())).or_default();
            line.is_certain |= is_certain;
        });
    }

    /// Counts what an evaluator runs from now on.
    pub(crate) fn watch<'a, 'e: 'a>(&self, eval: &mut Evaluator<'_, 'a, 'e>) {
        let hits = Hits { coverage: self.clone(), counts: HashMap::new() };
        eval.before_stmt_for_dap(BeforeStmtFunc::from_dyn(Box::new(hits)));
    }
}

/// Returns the number of a place's line, from 1.
fn line_of(codemap: &CodeMap, place: Pos) -> usize {
    codemap.find_line(place).saturating_add(1)
}

fn collect_once(statement: &AstStmt, once: &mut BTreeSet<u32>) {
    match &statement.node {
        Stmt::Statements(statements) => statements.iter().for_each(|inner| collect_once(inner, once)),
        _ => {
            once.insert(statement.span.begin().get());
        }
    }
}

/// Calls `found` for each statement, with whether starlark is certain to report it.
fn visit(statement: &AstStmt, is_certain: bool, found: &mut impl FnMut(&AstStmt, bool)) {
    match &statement.node {
        Stmt::Statements(_) => {}
        Stmt::Pass | Stmt::Load(_) => found(statement, false),
        Stmt::Expression(expression) if is_literal(expression) => found(statement, false),
        _ => found(statement, is_certain),
    }
    match &statement.node {
        Stmt::Def(function) => visit(&function.body, !is_single_return(&function.body), found),
        _ => statement.visit_stmt(|inner| visit(inner, is_certain, found)),
    }
}

fn is_literal(expression: &AstExpr) -> bool {
    matches!(expression.node, Expr::Literal(_))
}

/// Returns whether a body is one `return`, apart from statements without effect: starlark may inline such a function.
fn is_single_return(body: &AstStmt) -> bool {
    match &body.node {
        Stmt::Return(_) | Stmt::Pass => true,
        Stmt::Expression(expression) => is_literal(expression),
        Stmt::Statements(statements) => statements.iter().all(is_single_return),
        _ => false,
    }
}

/// Counts of the statements that one evaluator has run. They are added to the coverage when the evaluator is dropped.
struct Hits {
    coverage: Coverage,
    counts: HashMap<CodeMap, HashMap<u32, u64>>,
}

impl<'e> BeforeStmtFuncDyn<'e> for Hits {
    fn call<'v>(
        &mut self,
        place: FileSpanRef<'_>,
        is_continued: bool,
        _eval: &mut Evaluator<'v, '_, 'e>,
    ) -> starlark::Result<()> {
        if is_continued {
            return Ok(());
        }
        let counts = match self.counts.get_mut(place.file) {
            Some(counts) => counts,
            None => self.counts.entry(place.file.clone()).or_default(),
        };
        let count = counts.entry(place.span.begin().get()).or_default();
        *count = count.saturating_add(1);
        Ok(())
    }
}

impl Drop for Hits {
    fn drop(&mut self) {
        let mut files = self.coverage.lock();
        for (codemap, counts) in &self.counts {
            let mut lines: BTreeMap<usize, u64> = BTreeMap::new();
            // Code of the language itself is not a file of a script.
            let Some(file) = files.get_mut(codemap.filename()) else { continue };
            for (place, count) in counts {
                let hits = lines.entry(line_of(codemap, Pos::new(*place))).or_default();
                *hits = (*hits).max(if file.once.contains(place) { 1 } else { *count });
            }
            for (number, hits) in lines {
                let line = file.lines.entry(number).or_default();
                line.hits = line.hits.saturating_add(hits);
            }
        }
    }
}

impl fmt::Debug for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coverage").finish_non_exhaustive()
    }
}
