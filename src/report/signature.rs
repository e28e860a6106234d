//! The signature of a builtin that a script called with the wrong arguments.
//!
//! starlark's message has at most the function's name: for a method it is "Wrong number of positional arguments". So the
//! callee is read from the script's text, and the signature from the documentation in the code. A method is known by its
//! name alone, not by the type of its receiver: where several types have one of that name, the message decides by the
//! count of arguments, and what is left is told together.

use once_cell::sync::Lazy;
use starlark::docs::{DocFunction, DocItem, DocMember, DocParam};

use crate::api::arity;
use crate::builtins::builtins;
use crate::wording::did_you_mean;

/// Returns advice for a message about the arguments of the call `source`.
pub(super) fn advice(message: &str, source: &str) -> Option<String> {
    let callee = callee(source)?;
    if let Some(counts) = message.strip_prefix("Wrong number of positional arguments, expected ") {
        let (expected, _) = counts.split_once(", got ")?;
        return told(&candidates(callee, |it| !it.passes_on && it.expected() == expected));
    }
    if let Some(rest) = message.strip_prefix("Missing positional-only parameter `") {
        let (parameter, rest) = rest.split_once('`')?;
        let function = rest.strip_prefix(" for call to `")?.strip_suffix('`')?;
        return told(&candidates(callee, |it| it.is_called(function) && it.names.iter().any(|name| name == parameter)));
    }
    if let Some(rest) = message.strip_prefix("Found `") {
        let (names, rest) = rest.split_once("` extra named parameter(s) for call to ")?;
        return misspelled(
            names,
            &candidates(callee, |it| !it.passes_on && (rest == "function" || it.is_called(rest))),
        );
    }
    if message.starts_with("Found ") {
        let (_, function) = message.split_once(" extra positional argument(s) for call to ")?;
        return told(&candidates(callee, |signature| signature.is_called(function)));
    }
    None
}

/// Advice on named arguments that the function called does not have.
fn misspelled(names: &str, found: &[&Signature]) -> Option<String> {
    let name = names.split("` `").next()?;
    let known = found.iter().flat_map(|signature| signature.named.iter().map(String::as_str));
    did_you_mean(name, known).or_else(|| match found {
        [one] if one.named.is_empty() => Some(format!("`{}` takes its arguments by position", one.text)),
        found => told(found),
    })
}

fn told(found: &[&Signature]) -> Option<String> {
    let texts: Vec<String> = found.iter().map(|signature| format!("`{}`", signature.text)).collect();
    match texts.as_slice() {
        [] => None,
        [one] => Some(format!("its signature is {one}")),
        [first, second] => Some(format!("its signature is {first} or {second}")),
        // Which one of many is meant is not told by telling all.
        _ => None,
    }
}

/// Returns the text of what is called, for the text of a call: all before the argument list that ends it.
fn callee(source: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (at, c) in source.trim_end().char_indices().rev() {
        match c {
            ')' => depth = depth.saturating_add(1),
            // A parenthesis in a string makes another text than a name of the result, which no signature has.
            '(' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return source.get(..at).map(str::trim_end);
        }
    }
    None
}

fn candidates(callee: &str, fits: impl Fn(&Signature) -> bool) -> Vec<&'static Signature> {
    let is_namespaced = |it: &&Signature| it.owner.is_namespace() && it.path == callee;
    if let Some(exact) = SIGNATURES.iter().find(is_namespaced) {
        return if fits(exact) { vec![exact] } else { Vec::new() };
    }
    let Some((_, method)) = callee.rsplit_once('.') else { return Vec::new() };
    let is_method = |it: &&Signature| !it.owner.is_namespace() && it.name() == method;
    SIGNATURES.iter().filter(is_method).filter(|it| fits(it)).collect()
}

/// What a function is found in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Namespace,
    Type,
}

impl Owner {
    fn is_namespace(self) -> bool {
        self == Self::Namespace
    }
}

struct Signature {
    owner: Owner,
    /// The name with that of its owner before it.
    path: String,
    /// The signature as messages show it.
    text: String,
    /// The names of all parameters.
    names: Vec<String>,
    /// The names of those that may be given by name.
    named: Vec<String>,
    /// How many positional arguments it takes, at least and at most.
    positional: (usize, usize),
    /// Whether it passes arguments on, whose count and names are then another function's concern.
    passes_on: bool,
}

impl Signature {
    fn new(owner: Owner, path: String, function: &DocFunction) -> Self {
        let params = &function.params;
        let by_position = || params.pos_only.iter().chain(&params.pos_or_named);
        let by_name = || params.pos_or_named.iter().chain(&params.named_only);
        let mut shown: Vec<String> = by_position().map(show).collect();
        shown.extend(params.args.iter().map(|param| format!("*{}", param.name)));
        if params.args.is_none() && !params.named_only.is_empty() {
            shown.push("*".to_owned());
        }
        shown.extend(params.named_only.iter().map(show));
        shown.extend(params.kwargs.iter().map(|param| format!("**{}", param.name)));
        Self {
            text: format!("{path}({})", shown.join(", ")),
            owner,
            path,
            names: by_position().chain(&params.named_only).map(|param| param.name.clone()).collect(),
            named: by_name().map(|param| param.name.clone()).collect(),
            positional: arity::positional(params),
            passes_on: params.args.is_some() || params.kwargs.is_some(),
        }
    }

    fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }

    fn is_called(&self, function: &str) -> bool {
        self.name() == function
    }

    /// The count of arguments as starlark's message has it.
    fn expected(&self) -> String {
        match self.positional {
            (min, max) if min == max => min.to_string(),
            (min, max) => format!("between {min} and {max}"),
        }
    }
}

fn show(param: &DocParam) -> String {
    match &param.default_value {
        None => param.name.clone(),
        Some(default) => format!("{} = {default}", param.name),
    }
}

/// The signatures of all functions and methods that are documented.
static SIGNATURES: Lazy<Vec<Signature>> = Lazy::new(|| {
    let globals = builtins().build();
    let mut signatures = Vec::new();
    for (name, item) in &globals.documentation().members {
        add(name, item, &mut signatures);
    }
    signatures
});

fn add(path: &str, item: &DocItem, signatures: &mut Vec<Signature>) {
    match item {
        DocItem::Module(module) => {
            module.members.iter().for_each(|(name, item)| add(&format!("{path}.{name}"), item, signatures));
        }
        DocItem::Type(ty) => {
            let constructor = ty.constructor.iter();
            signatures.extend(constructor.map(|it| Signature::new(Owner::Namespace, path.to_owned(), it)));
            for (name, member) in &ty.members {
                if let DocMember::Function(function) = member {
                    signatures.push(Signature::new(Owner::Type, format!("{path}.{name}"), function));
                }
            }
        }
        DocItem::Member(DocMember::Function(function)) => {
            signatures.push(Signature::new(Owner::Namespace, path.to_owned(), function));
        }
        DocItem::Member(DocMember::Property(_)) => {}
    }
}
