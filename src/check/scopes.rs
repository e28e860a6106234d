//! The scopes of a file: which names each binds, and which binding a place in the text refers to.

use starlark::codemap::Span;
use starlark_syntax::syntax::ast::{
    AssignTargetP, AstAssignIdentP, AstAssignTargetP, AstExpr, AstNoPayload, AstParameter, AstStmt, ClauseP, DefP,
    Expr, ForClauseP, Stmt,
};
use starlark_syntax::syntax::uniplate::Visit;

/// What a name is bound to.
#[derive(Clone, Copy)]
pub(super) enum Bound<'a> {
    /// A parameter, a loop variable, or a variable whose value is not considered.
    Variable,
    /// A variable assigned here.
    Value(&'a AstExpr),
    Function {
        whole: Span,
        def: &'a DefP<AstNoPayload>,
    },
    /// The name `name` of the file that the script calls `file`.
    Loaded {
        file: &'a str,
        name: &'a str,
    },
}

#[derive(Clone, Copy)]
pub(super) struct Binding<'a> {
    pub(super) name: &'a str,
    pub(super) place: Span,
    pub(super) bound: Bound<'a>,
}

/// A place in the text that refers to something bound elsewhere.
pub(super) enum Mention<'a> {
    /// A name, as seen from the scope with this number.
    Name(&'a str, usize),
    /// The first argument of `load`.
    File(&'a str),
}

struct Scope<'a> {
    place: Span,
    parent: Option<usize>,
    bindings: Vec<Binding<'a>>,
}

/// The scopes of a file. The first is the file's own.
pub(super) struct Scopes<'a> {
    scopes: Vec<Scope<'a>>,
    /// The mentions with their places, in no particular order.
    pub(super) mentions: Vec<(Span, Mention<'a>)>,
}

impl<'a> Scopes<'a> {
    pub(super) const FILE: usize = 0;

    pub(super) fn of(file: &'a AstStmt) -> Self {
        let mut scopes = Self { scopes: Vec::new(), mentions: Vec::new() };
        let top = scopes.begin(file.span, None);
        scopes.statement(file, top);
        scopes
    }

    /// Returns the first binding of a name that is visible from the scope.
    pub(super) fn find(&self, scope: usize, name: &str) -> Option<Binding<'a>> {
        let mut next = Some(scope);
        while let Some(scope) = next.and_then(|scope| self.scopes.get(scope)) {
            if let Some(binding) = scope.bindings.iter().find(|binding| binding.name == name) {
                return Some(*binding);
            }
            next = scope.parent;
        }
        None
    }

    /// Returns the names that are visible at a place; `contains` returns whether a scope encloses it.
    pub(super) fn visible(&self, contains: impl Fn(Span) -> bool) -> Vec<&'a str> {
        let around = self.scopes.iter().enumerate().filter(|(at, scope)| *at == Self::FILE || contains(scope.place));
        around.flat_map(|(_, scope)| scope.bindings.iter().map(|binding| binding.name)).collect()
    }

    fn begin(&mut self, place: Span, parent: Option<usize>) -> usize {
        self.scopes.push(Scope { place, parent, bindings: Vec::new() });
        self.scopes.len().saturating_sub(1)
    }

    fn bind(&mut self, scope: usize, ident: &'a AstAssignIdentP<AstNoPayload>, bound: Bound<'a>) {
        let (name, place) = (ident.node.ident.as_str(), ident.span);
        self.mentions.push((place, Mention::Name(name, scope)));
        if let Some(scope) = self.scopes.get_mut(scope) {
            scope.bindings.push(Binding { name, place, bound });
        }
    }

    fn target(&mut self, target: &'a AstAssignTargetP<AstNoPayload>, scope: usize) {
        target.visit_lvalue(|ident| self.bind(scope, ident, Bound::Variable));
        target.visit_expr(|expr| self.expression(expr, scope));
    }

    fn statement(&mut self, statement: &'a AstStmt, scope: usize) {
        match &statement.node {
            Stmt::Assign(assign) => {
                let is_one = matches!(assign.lhs.node, AssignTargetP::Identifier(_));
                let bound = if is_one { Bound::Value(&assign.rhs) } else { Bound::Variable };
                assign.lhs.visit_lvalue(|ident| self.bind(scope, ident, bound));
                assign.lhs.visit_expr(|expr| self.expression(expr, scope));
                assign.ty.iter().for_each(|ty| self.expression(&ty.node.expr, scope));
                self.expression(&assign.rhs, scope);
            }
            Stmt::AssignModify(target, _, value) => {
                self.target(target, scope);
                self.expression(value, scope);
            }
            Stmt::For(each) => {
                self.target(&each.var, scope);
                self.expression(&each.over, scope);
                self.statement(&each.body, scope);
            }
            Stmt::Def(def) => {
                self.bind(scope, &def.name, Bound::Function { whole: statement.span, def });
                def.return_type.iter().for_each(|ty| self.expression(&ty.node.expr, scope));
                let inner = self.params(&def.params, statement.span, scope);
                self.statement(&def.body, inner);
            }
            Stmt::Load(load) => {
                let file = load.module.node.as_str();
                self.mentions.push((load.module.span, Mention::File(file)));
                for arg in &load.args {
                    self.bind(scope, &arg.local, Bound::Loaded { file, name: &arg.their.node });
                    self.mentions.push((arg.their.span, Mention::Name(&arg.local.node.ident, scope)));
                }
            }
            _ => statement.node.visit_children(|child| match child {
                Visit::Stmt(child) => self.statement(child, scope),
                Visit::Expr(child) => self.expression(child, scope),
            }),
        }
    }

    /// Begins the scope of a function. Types and defaults belong to the enclosing scope.
    fn params(&mut self, params: &'a [AstParameter], place: Span, scope: usize) -> usize {
        let inner = self.begin(place, Some(scope));
        for param in params {
            param.node.visit_expr(|expr| self.expression(expr, scope));
            param.node.ident().into_iter().for_each(|ident| self.bind(inner, ident, Bound::Variable));
        }
        inner
    }

    /// Begins the scope of a comprehension. The iterable of its first clause belongs to the enclosing scope.
    fn clauses(
        &mut self,
        first: &'a ForClauseP<AstNoPayload>,
        rest: &'a [ClauseP<AstNoPayload>],
        place: Span,
        scope: usize,
    ) -> usize {
        self.expression(&first.over, scope);
        let inner = self.begin(place, Some(scope));
        self.target(&first.var, inner);
        for clause in rest {
            match clause {
                ClauseP::For(each) => {
                    self.target(&each.var, inner);
                    self.expression(&each.over, inner);
                }
                ClauseP::If(condition) => self.expression(condition, inner),
            }
        }
        inner
    }

    fn expression(&mut self, expr: &'a AstExpr, scope: usize) {
        match &expr.node {
            Expr::Identifier(ident) => self.mentions.push((ident.span, Mention::Name(&ident.node.ident, scope))),
            Expr::Lambda(lambda) => {
                let inner = self.params(&lambda.params, expr.span, scope);
                self.expression(&lambda.body, inner);
            }
            Expr::ListComprehension(item, first, rest) => {
                let inner = self.clauses(first, rest, expr.span, scope);
                self.expression(item, inner);
            }
            Expr::DictComprehension(item, first, rest) => {
                let inner = self.clauses(first, rest, expr.span, scope);
                self.expression(&item.0, inner);
                self.expression(&item.1, inner);
            }
            _ => expr.node.visit_expr(|child| self.expression(child, scope)),
        }
    }
}

/// Returns the path of the function that an expression calls, such as `wasm.Memory`.
pub(super) fn called(expr: &AstExpr) -> Option<String> {
    match &expr.node {
        Expr::Call(function, _) => path(function),
        _ => None,
    }
}

/// Returns the names of an expression that consists of names and dots.
pub(super) fn path(expr: &AstExpr) -> Option<String> {
    match &expr.node {
        Expr::Identifier(ident) => Some(ident.node.ident.clone()),
        Expr::Dot(owner, name) => Some(format!("{}.{}", path(owner)?, name.node)),
        _ => None,
    }
}
