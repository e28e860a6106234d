//! Finds variables whose types have no end, such as that of `x` after `x = (x, 1)` in a loop.
//!
//! Upstream: starlark's type checker repeats its inference until no type changes, at most a hundred times. A tuple that
//! contains the variable that it is assigned to makes the variable's type larger each time, up to twice as large, and the
//! checker does not end.
//!
//! Upstream change: none known.
//!
//! Remove when: the tests of this file end without it.

use std::collections::HashMap;

use starlark::codemap::Span;
use starlark::syntax::AstModule;
use starlark_syntax::syntax::ast::{
    AssignTargetP, AstAssignTargetP, AstExpr, AstNoPayload, AstStmt, ClauseP, Expr, Stmt,
};
use starlark_syntax::syntax::uniplate::Visit;

/// Functions whose result contains their arguments, and how many levels deeper.
const CONTAINING: &[(&str, i64)] = &[
    ("struct", 1),
    ("zip", 1),
    ("enumerate", 1),
    ("list", 0),
    ("tuple", 0),
    ("set", 0),
    ("dict", 0),
    ("sorted", 0),
    ("reversed", 0),
    ("max", 0),
    ("min", 0),
];

/// Methods of a list that add their argument, or what it contains, and how many levels deeper that is then.
const ADDING: &[(&str, i64)] = &[("append", 1), ("insert", 1), ("extend", 0)];

/// How often depths are computed again. No script that a person wrote takes as many rounds.
const MAX_ROUNDS: usize = 1000;

/// A variable whose type has no end.
pub(crate) struct Endless {
    pub(crate) name: String,
    pub(crate) place: Span,
}

/// Returns the first one of a file.
pub(crate) fn find(module: &AstModule) -> Option<Endless> {
    let mut scopes = vec![module.statement()];
    while let Some(scope) = scopes.pop() {
        let mut flows = Flows::default();
        flows.statement(scope, &mut scopes);
        if let Some(found) = flows.endless() {
            return Some(found);
        }
    }
    None
}

/// The ways that types take between the variables of one scope. A function's result has no inferred type, so that no way
/// leads from one scope back to it.
#[derive(Default)]
struct Flows<'a> {
    /// The numbers of the variables.
    known: HashMap<&'a str, usize>,
    /// Their names, and where they are mentioned first.
    variables: Vec<(&'a str, Span)>,
    flows: Vec<Flow>,
}

/// The type of `to` contains that of `from`, `deeper` levels inside it. It is negative for an element of `from`.
struct Flow {
    from: usize,
    to: usize,
    deeper: i64,
}

impl<'a> Flows<'a> {
    /// Returns the number of a variable that is mentioned at a place.
    fn variable(&mut self, name: &'a str, place: Span) -> usize {
        *self.known.entry(name).or_insert_with(|| {
            self.variables.push((name, place));
            self.variables.len().saturating_sub(1)
        })
    }

    /// Collects the flows of a statement. Leaves the bodies of functions to `inner`.
    fn statement(&mut self, statement: &'a AstStmt, inner: &mut Vec<&'a AstStmt>) {
        match &statement.node {
            Stmt::Def(function) => {
                inner.push(&function.body);
                return;
            }
            Stmt::Assign(assign) => self.assign(&assign.lhs, &assign.rhs, 0),
            Stmt::AssignModify(target, _, value) => self.assign(target, value, 0),
            Stmt::For(each) => self.assign(&each.var, &each.over, -1),
            // A list's type is also that of what is added to it.
            Stmt::Expression(expr) => {
                if let Expr::Call(function, args) = &expr.node
                    && let Expr::Dot(list, method) = &function.node
                    && let Expr::Identifier(list) = &list.node
                    && let Some((_, deeper)) = ADDING.iter().find(|(name, _)| *name == method.node)
                {
                    let to = self.variable(&list.node.ident, list.span);
                    args.args.iter().for_each(|arg| self.read(arg.node.expr(), to, *deeper));
                }
            }
            _ => {}
        }
        statement.visit_children(|child| match child {
            Visit::Stmt(child) => self.statement(child, inner),
            Visit::Expr(child) => self.comprehensions(child),
        });
    }

    /// Collects the flows to the variables of comprehensions in an expression.
    fn comprehensions(&mut self, expr: &'a AstExpr) {
        if let Expr::ListComprehension(_, first, clauses) | Expr::DictComprehension(_, first, clauses) = &expr.node {
            let rest = clauses.iter().filter_map(|clause| match clause {
                ClauseP::For(each) => Some(each),
                ClauseP::If(_) => None,
            });
            std::iter::once(&**first).chain(rest).for_each(|each| self.assign(&each.var, &each.over, -1));
        }
        expr.visit_expr(|child| self.comprehensions(child));
    }

    fn assign(&mut self, target: &'a AstAssignTargetP<AstNoPayload>, value: &'a AstExpr, deeper: i64) {
        match &target.node {
            AssignTargetP::Identifier(ident) => {
                let to = self.variable(&ident.node.ident, ident.span);
                self.read(value, to, deeper);
            }
            AssignTargetP::Tuple(targets) => {
                let deeper = deeper.saturating_sub(1);
                targets.iter().for_each(|target| self.assign(target, value, deeper));
            }
            AssignTargetP::Index(place) => {
                if let Expr::Identifier(owner) = &place.0.node {
                    let to = self.variable(&owner.node.ident, owner.span);
                    let deeper = deeper.saturating_add(1);
                    self.read(value, to, deeper);
                    self.read(&place.1, to, deeper);
                }
            }
            AssignTargetP::Dot(..) => {}
        }
    }

    /// Adds the flows from what an expression reads to a variable whose type contains the expression's.
    fn read(&mut self, expr: &'a AstExpr, to: usize, deeper: i64) {
        let inside = deeper.saturating_add(1);
        match &expr.node {
            Expr::Identifier(ident) => {
                let from = self.variable(&ident.node.ident, ident.span);
                self.flows.push(Flow { from, to, deeper });
            }
            Expr::Tuple(_) | Expr::List(_) | Expr::Dict(_) => expr.visit_expr(|part| self.read(part, to, inside)),
            Expr::ListComprehension(part, ..) => self.read(part, to, inside),
            Expr::DictComprehension(parts, ..) => {
                self.read(&parts.0, to, inside);
                self.read(&parts.1, to, inside);
            }
            Expr::Index(parts) => self.read(&parts.0, to, deeper.saturating_sub(1)),
            Expr::Slice(list, ..) => self.read(list, to, deeper),
            Expr::Op(left, _, right) => {
                self.read(left, to, deeper);
                self.read(right, to, deeper);
            }
            Expr::If(parts) => {
                self.read(&parts.1, to, deeper);
                self.read(&parts.2, to, deeper);
            }
            Expr::Dot(owner, _) => self.read(owner, to, deeper.saturating_sub(1)),
            Expr::Call(function, args) => match &function.node {
                Expr::Dot(owner, name) => {
                    let more = if name.node == "items" { 1 } else { 0 };
                    self.read(owner, to, deeper.saturating_add(more));
                }
                Expr::Identifier(function) => {
                    if let Some((_, more)) = CONTAINING.iter().find(|(name, _)| *name == function.node.ident) {
                        let deeper = deeper.saturating_add(*more);
                        args.args.iter().for_each(|arg| self.read(arg.node.expr(), to, deeper));
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// Returns a variable whose type contains itself. Then there is a way back to it that only leads deeper, and so the depths
    /// of types never settle.
    fn endless(&self) -> Option<Endless> {
        let most: i64 = self.flows.iter().map(|flow| flow.deeper.max(0)).sum();
        let mut depths = vec![0_i64; self.variables.len()];
        for round in 0.. {
            let mut is_settled = true;
            for Flow { from, to, deeper } in &self.flows {
                let depth = depths.get(*from).copied().unwrap_or_default().saturating_add(*deeper);
                let Some(known) = depths.get_mut(*to).filter(|known| **known < depth) else { continue };
                (*known, is_settled) = (depth, false);
                if depth > most || round >= MAX_ROUNDS {
                    let (name, place) = *self.variables.get(*to)?;
                    return Some(Endless { name: name.to_owned(), place });
                }
            }
            if is_settled {
                break;
            }
        }
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use starlark::syntax::Dialect;

    use super::*;

    fn endless(body: &str) -> Option<String> {
        let script = format!("def f(c, d):\n    x, y, z = c\n    for i in d:\n        {body}\n    return x\n");
        let module = AstModule::parse("main.star", script, &Dialect::Extended).unwrap();
        find(&module).map(|endless| endless.name)
    }

    /// With each of these, starlark's checker does not end, or takes seconds.
    #[test]
    fn a_variable_in_its_own_type_is_found() {
        for body in [
            "x = (x, 1)",
            "x = x if c else (x,)",
            "x = {x: x}",
            "x = [x, [x]]",
            "x = struct(a = x, b = x)",
            "x = [(y, x) for y in d]",
            "x = [y for y in (x, 1)]",
            "x = ((x, 1),)[0]",
            "x += [(x,)]",
            "x = zip(x, x)",
            "x.append((x, 1))",
            "x[1] = (x,)",
            "x, y = (y, 1), (x, 1)",
            "for x in [[(x,)]]: pass",
            "y = (x,); z = y; x = z",
        ] {
            assert_eq!(endless(body).map(|name| name.len()), Some(1), "{body}");
        }
    }

    #[test]
    fn others_are_not() {
        for body in [
            "x = (y, z)",
            "x = f((x, 1))",
            "x = x.replace('a', x)",
            "x = (x, 1)[0]",
            "x = [y for y in x]",
            "y = (x, z); x = y[0]",
            "y = (x, z); x, z = y",
            "y.append(x); x = y[0]",
            "y = [(a, x) for a in d]; x = max(c)",
            "y = {x: z}\n        for x, z in y.items(): pass",
            "x = x + [1] if x else x[1:]",
            "wasm.attempt(wasm.instantiate, x)",
        ] {
            assert_eq!(endless(body), None, "{body}");
        }
    }

    #[test]
    fn a_function_has_variables_of_its_own() {
        let script = "def f(a, b):\n    pair = (a, b)\ndef g(pair):\n    a = pair\n    return a\n";
        let module = AstModule::parse("main.star", script.to_owned(), &Dialect::Extended).unwrap();
        assert!(find(&module).is_none());
    }
}
