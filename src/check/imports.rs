//! Compares the imports in a call of `wasm.instantiate` with those of the module, if the text contains both.

use std::collections::BTreeMap;

use starlark::codemap::Span;
use starlark::syntax::AstModule;
use starlark_syntax::syntax::ast::{
    Argument, AssignTargetP, AstExpr, AstLiteral, AstParameter, AstStmt, ClauseP, Expr, ForClauseP, ParameterP, Stmt,
};
use starlark_syntax::syntax::ast::{AstAssignIdentP, AstNoPayload};
use starlark_syntax::syntax::uniplate::Visit;

use crate::module::inspect::Item;
use crate::wording::{argument_count, did_you_mean, ending};

/// Something that is wrong.
pub(super) struct Fault {
    pub(super) place: Span,
    pub(super) message: String,
}

/// A module as the text gives it.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// A file name.
    Name(&'a str),
    /// The text format.
    Text(&'a str),
}

/// Returns the faults of a file. `imports` returns those of a module, or `None` if they are not known; `is_given` returns whether
/// the application provides an import.
pub(super) fn check(
    module: &AstModule,
    imports: impl Fn(Source<'_>) -> Option<Vec<Item>>,
    is_given: impl Fn(&str, &str) -> bool,
) -> Vec<Fault> {
    let names = Names::of(module.statement());
    let mut faults = Vec::new();
    module.statement().visit_expr(|expr| {
        walk(expr, &mut |expr| {
            let Some(call) = Instantiation::of(expr, &names) else { return };
            let Some(wanted) = imports(call.source) else { return };
            for item in &wanted {
                let from = item.module.as_deref().unwrap_or_default();
                let may_be_missing = call.may_miss && item.kind == "func";
                let is_wasi = call.has_wasi && matches!(from, "wasi_snapshot_preview1" | "wasi_unstable");
                if let Some(fault) = call.fault(item, from, &names)
                    && !(fault.place == call.place && (may_be_missing || is_wasi || is_given(from, &item.name)))
                {
                    faults.push(fault);
                }
            }
        });
    });
    faults
}

fn walk<'a>(expr: &'a AstExpr, visit: &mut impl FnMut(&'a AstExpr)) {
    visit(expr);
    expr.node.visit_expr(|child| walk(child, visit));
}

/// The names that a file sets only once, so that each use means the same.
struct Names<'a> {
    counts: BTreeMap<&'a str, usize>,
    values: BTreeMap<&'a str, &'a AstExpr>,
    functions: BTreeMap<&'a str, &'a [AstParameter]>,
}

impl<'a> Names<'a> {
    fn of(statement: &'a AstStmt) -> Self {
        let mut names = Self { counts: BTreeMap::new(), values: BTreeMap::new(), functions: BTreeMap::new() };
        names.add_statement(statement, true);
        names
    }

    fn add(&mut self, ident: &'a AstAssignIdentP<AstNoPayload>) {
        let count = self.counts.entry(&ident.node.ident).or_default();
        *count = count.saturating_add(1);
    }

    fn add_params(&mut self, params: &'a [AstParameter]) {
        params.iter().filter_map(|param| param.node.ident()).for_each(|ident| self.add(ident));
    }

    fn add_statement(&mut self, statement: &'a AstStmt, is_top: bool) {
        match &statement.node {
            Stmt::Assign(assign) => {
                assign.lhs.visit_lvalue(|ident| self.add(ident));
                if let (AssignTargetP::Identifier(ident), true) = (&assign.lhs.node, is_top) {
                    self.values.insert(&ident.node.ident, &assign.rhs);
                }
            }
            Stmt::AssignModify(target, ..) => target.visit_lvalue(|ident| self.add(ident)),
            Stmt::For(each) => each.var.visit_lvalue(|ident| self.add(ident)),
            Stmt::Def(def) => {
                self.add(&def.name);
                self.add_params(&def.params);
                if is_top {
                    self.functions.insert(&def.name.node.ident, &def.params);
                }
            }
            Stmt::Load(load) => load.args.iter().for_each(|arg| self.add(&arg.local)),
            _ => {}
        }
        let is_top = is_top && matches!(&statement.node, Stmt::Statements(_));
        statement.node.visit_children(|child| match child {
            Visit::Stmt(child) => self.add_statement(child, is_top),
            Visit::Expr(child) => walk(child, &mut |expr| self.add_expression(expr)),
        });
    }

    fn add_expression(&mut self, expr: &'a AstExpr) {
        let mut clause = |first: &'a ForClauseP<AstNoPayload>, rest: &'a [ClauseP<AstNoPayload>]| {
            first.var.visit_lvalue(|ident| self.add(ident));
            for clause in rest {
                if let ClauseP::For(each) = clause {
                    each.var.visit_lvalue(|ident| self.add(ident));
                }
            }
        };
        match &expr.node {
            Expr::ListComprehension(_, first, rest) => clause(first, rest),
            Expr::DictComprehension(_, first, rest) => clause(first, rest),
            Expr::Lambda(lambda) => self.add_params(&lambda.params),
            _ => {}
        }
    }

    fn is_unique(&self, name: &str) -> bool {
        self.counts.get(name) == Some(&1)
    }

    /// Returns the value of a variable, or the expression itself.
    fn value(&self, expr: &'a AstExpr) -> &'a AstExpr {
        match &expr.node {
            Expr::Identifier(name) if self.is_unique(&name.node.ident) => {
                self.values.get(name.node.ident.as_str()).copied().unwrap_or(expr)
            }
            _ => expr,
        }
    }

    /// Returns the parameters of a function that the text contains.
    fn params(&self, expr: &'a AstExpr) -> Option<&'a [AstParameter]> {
        match &expr.node {
            Expr::Lambda(lambda) => Some(&lambda.params),
            Expr::Identifier(name) if self.is_unique(&name.node.ident) => {
                self.functions.get(name.node.ident.as_str()).copied()
            }
            _ => None,
        }
    }
}

/// A call of `wasm.instantiate` whose module and imports are in the text.
struct Instantiation<'a> {
    place: Span,
    source: Source<'a>,
    /// The names of modules, and what is given for each; `None` if the text does not contain that.
    given: BTreeMap<&'a str, Option<BTreeMap<&'a str, &'a AstExpr>>>,
    has_wasi: bool,
    /// Whether functions that are not given trap.
    may_miss: bool,
}

impl<'a> Instantiation<'a> {
    fn of(expr: &'a AstExpr, names: &Names<'a>) -> Option<Self> {
        let args = member_call(expr, "instantiate")?;
        let (mut module, mut given, mut has_wasi, mut may_miss) = (None, BTreeMap::new(), false, false);
        for arg in args {
            match arg {
                Argument::Positional(value) => module = Some(value),
                // The value of a variable may be changed in between.
                Argument::Named(name, value) if name.node == "imports" => {
                    given = dict(value, |functions| dict(functions, |function| function))?;
                }
                Argument::Named(name, value) if name.node == "missing" => may_miss = text(value) != Some("error"),
                Argument::Named(name, _) => has_wasi |= name.node == "wasi",
                Argument::Args(_) | Argument::KwArgs(_) => return None,
            }
        }
        Some(Self { place: expr.span, source: source(module?, names)?, given, has_wasi, may_miss })
    }

    /// Returns what is wrong about one import of the module.
    fn fault(&self, item: &Item, from: &str, names: &Names<'a>) -> Option<Fault> {
        let missing = |hint: Option<String>| {
            let hint = ending(hint);
            Some(Fault {
                place: self.place,
                message: format!("the module imports {}, which is not given{hint}", item.signature()),
            })
        };
        let Some(functions) = self.given.get(from) else {
            return missing(did_you_mean(from, self.given.keys().copied()));
        };
        let functions = functions.as_ref()?;
        let Some(value) = functions.get(item.name.as_str()) else {
            return missing(did_you_mean(&item.name, functions.keys().copied()));
        };
        let wanted = item.param_count()?.saturating_add(1);
        let (least, most) = range(names.params(value)?)?;
        if least <= wanted && most.is_none_or(|most| wanted <= most) {
            return None;
        }
        let takes = argument_count(least, most);
        let rest = match wanted {
            1 => "the caller alone".to_owned(),
            2 => "the caller and 1 argument".to_owned(),
            count => format!("the caller and {} arguments", count.saturating_sub(1)),
        };
        let message = format!("the import {} is called with {rest}, and this function takes {takes}", item.signature());
        Some(Fault { place: value.span, message })
    }
}

/// Returns the arguments of a call `wasm.NAME(…)`.
fn member_call<'a>(expr: &'a AstExpr, name: &str) -> Option<impl Iterator<Item = &'a Argument>> {
    let Expr::Call(function, args) = &expr.node else { return None };
    let Expr::Dot(owner, member) = &function.node else { return None };
    let is_namespace = matches!(&owner.node, Expr::Identifier(owner) if owner.node.ident == "wasm");
    (is_namespace && member.node == name).then(|| args.args.iter().map(|arg| &arg.node))
}

fn source<'a>(expr: &'a AstExpr, names: &Names<'a>) -> Option<Source<'a>> {
    let expr = names.value(expr);
    if let Some(text) = text(expr) {
        return Some(Source::Name(text));
    }
    let only = |name: &str| match member_call(expr, name)?.collect::<Vec<_>>()[..] {
        [Argument::Positional(only)] => Some(names.value(only)),
        _ => None,
    };
    match only("wat") {
        Some(only) => text(only).map(Source::Text),
        None => source(only("Module")?, names),
    }
}

fn text(expr: &AstExpr) -> Option<&str> {
    match &expr.node {
        Expr::Literal(AstLiteral::String(text)) => Some(&text.node),
        _ => None,
    }
}

/// Returns the entries of a dict whose keys are in the text.
fn dict<'a, T>(expr: &'a AstExpr, value: impl Fn(&'a AstExpr) -> T) -> Option<BTreeMap<&'a str, T>> {
    let Expr::Dict(entries) = &expr.node else { return None };
    entries.iter().map(|(key, entry)| Some((text(key)?, value(entry)))).collect()
}

/// Returns the minimum and maximum number of positional arguments of a function; `None` if one must be given by name.
fn range(params: &[AstParameter]) -> Option<(usize, Option<usize>)> {
    let (mut least, mut most, mut by_name) = (0_usize, Some(0_usize), false);
    for param in params {
        match &param.node {
            ParameterP::Normal(_, _, None) if by_name => return None,
            ParameterP::Normal(_, _, default) if !by_name => {
                least = least.saturating_add(usize::from(default.is_none()));
                most = most.map(|most| most.saturating_add(1));
            }
            ParameterP::Args(..) => (most, by_name) = (None, true),
            ParameterP::NoArgs => by_name = true,
            _ => {}
        }
    }
    Some((least, most))
}
