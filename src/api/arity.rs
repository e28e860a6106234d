//! Checks whether a callable takes the arguments that an import is called with.

use starlark::docs::{DocItem, DocMember, DocParams};
use starlark::values::Value;

use crate::lang::definitions::Definitions;
use crate::wording::argument_count;

/// Returns what is wrong with a Starlark function as an import of `params` parameters, in words that follow the import's
/// name; `None` if it can be called, or does not expose its parameters.
pub(super) fn mismatch(function: Value<'_>, params: usize, definitions: &Definitions) -> Option<String> {
    let DocItem::Member(DocMember::Function(documented)) = function.documentation() else { return None };
    let takes = Takes::new(&documented.params);
    if takes.can_be_called_with(params.saturating_add(1)) {
        return None;
    }
    let plural = if params == 1 { "" } else { "s" };
    let called = match params {
        0 => "is called with the caller alone, as in `def f(caller)`".to_owned(),
        _ => format!("is called with the caller first, then {params} argument{plural}, as in `def f(caller, …)`"),
    };
    Some(format!(" {called}, but {} takes {}", definitions.describe(&function.to_str()), takes.text()))
}

/// The positional arguments that a function takes.
struct Takes<'a> {
    least: usize,
    /// `None` with `*args`.
    most: Option<usize>,
    /// A parameter that must be given by name.
    named: Option<&'a str>,
}

impl<'a> Takes<'a> {
    fn new(params: &'a DocParams) -> Self {
        let (least, most) = positional(params);
        Self {
            least,
            most: params.args.is_none().then_some(most),
            named: params
                .named_only
                .iter()
                .find(|param| param.default_value.is_none())
                .map(|param| param.name.as_str()),
        }
    }

    fn can_be_called_with(&self, count: usize) -> bool {
        self.named.is_none() && self.least <= count && self.most.is_none_or(|most| count <= most)
    }

    fn text(&self) -> String {
        match self.named {
            Some(name) => format!("`{name}` by name only"),
            None => argument_count(self.least, self.most),
        }
    }
}

/// Returns the minimum and maximum number of arguments taken by parameters that can be passed by position, without
/// `*args`.
pub(crate) fn positional(params: &DocParams) -> (usize, usize) {
    let by_position = || params.pos_only.iter().chain(&params.pos_or_named);
    (by_position().filter(|param| param.default_value.is_none()).count(), by_position().count())
}
