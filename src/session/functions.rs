//! The functions of a script that can be called, with their parameters.

use std::fmt;

use starlark::docs::{DocFunction, DocItem, DocMember, DocParam};
use starlark::environment::Module;

/// A function of a script. It prints like the first line of its definition: `greet(name, *, greeting = "hello")`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ScriptFunction {
    /// The name under which it is called.
    pub name: String,
    /// The parameters in their order.
    pub params: Vec<Param>,
    /// The docstring, if it has one.
    pub doc: Option<String>,
}

/// A parameter of a [`ScriptFunction`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Param {
    /// The name, without stars.
    pub name: String,
    /// How an argument is passed to it.
    pub kind: ParamKind,
    /// The default value as `repr` prints it. `None` for a parameter that must be given, and for one with stars.
    pub default: Option<String>,
}

/// How an argument is passed to a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum ParamKind {
    /// By position only: the parameter is before a `/`.
    Positional,
    /// By position or by name.
    Any,
    /// `*args`: takes the positional arguments that are left over.
    Args,
    /// By name only: the parameter is after `*` or `*args`.
    Named,
    /// `**kwargs`: takes the named arguments that are left over.
    Kwargs,
}

/// Returns the public functions among the globals of a module, in the order in which their names first appear in the script.
pub(super) fn functions(module: &Module<'_>) -> Vec<ScriptFunction> {
    let public = module.names().filter(|name| !name.as_str().starts_with('_'));
    public
        .filter_map(|name| match module.get(name.as_str())?.documentation() {
            DocItem::Member(DocMember::Function(function)) => Some(ScriptFunction::new(name.as_str(), function)),
            _ => None,
        })
        .collect()
}

impl ScriptFunction {
    fn new(name: &str, function: DocFunction) -> Self {
        let with = |kind| move |param: DocParam| Param { name: param.name, kind, default: param.default_value };
        let all = function.params;
        let mut params: Vec<Param> = all.pos_only.into_iter().map(with(ParamKind::Positional)).collect();
        params.extend(all.pos_or_named.into_iter().map(with(ParamKind::Any)));
        params.extend(all.args.into_iter().map(with(ParamKind::Args)));
        params.extend(all.named_only.into_iter().map(with(ParamKind::Named)));
        params.extend(all.kwargs.into_iter().map(with(ParamKind::Kwargs)));
        let doc = function.docs.map(|docs| match docs.details {
            Some(details) => format!("{}\n\n{details}", docs.summary),
            None => docs.summary,
        });
        Self { name: name.to_owned(), params, doc }
    }
}

impl fmt::Display for ScriptFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        let mut last = None;
        for param in &self.params {
            let Param { name, kind, default } = param;
            if last == Some(ParamKind::Positional) && *kind != ParamKind::Positional {
                parts.push("/".to_owned());
            }
            if *kind == ParamKind::Named && !matches!(last, Some(ParamKind::Args | ParamKind::Named)) {
                parts.push("*".to_owned());
            }
            let default = default.as_ref().map(|default| format!(" = {default}")).unwrap_or_default();
            parts.push(match kind {
                ParamKind::Args => format!("*{name}"),
                ParamKind::Kwargs => format!("**{name}"),
                _ => format!("{name}{default}"),
            });
            last = Some(*kind);
        }
        if last == Some(ParamKind::Positional) {
            parts.push("/".to_owned());
        }
        write!(f, "{}({})", self.name, parts.join(", "))
    }
}
