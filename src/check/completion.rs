//! What may stand at a place of a script, and what stands there: for editors.

use super::definition::{Definition, definition, visible};
use super::line;
use crate::docs::{entry_of_name, members, type_of};
use crate::engine::Engine;
use crate::lang;
use crate::session::language_names;

/// A name that may stand at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Completion {
    /// All of the name, the part that stands there already among it.
    pub name: String,
    /// Whether it stands behind a dot.
    pub is_member: bool,
}

/// A place in a script.
#[derive(Clone, Copy)]
struct At<'a> {
    engine: &'a Engine,
    name: &'a str,
    text: &'a str,
    line: usize,
    column: usize,
}

/// Returns the names that may stand at a place.
pub(crate) fn completions(engine: &Engine, name: &str, text: &str, line: usize, column: usize) -> Vec<Completion> {
    let at = At { engine, name, text, line, column };
    let before = line::before(text, line, column);
    let mut is_member = false;
    let (_, names) = lang::complete(&before, before.len(), |owner| match owner {
        Some(owner) => {
            is_member = true;
            match owner_type(at, &before, owner) {
                Some(ty) => ty.map(|ty| members(&ty)).unwrap_or_default(),
                None => language_names(engine, Some(owner)),
            }
        }
        None => {
            let mut names = language_names(engine, None);
            names.extend(visible_names(at, &before));
            names
        }
    });
    names.into_iter().map(|name| Completion { name, is_member }).collect()
}

fn indent_of(line: &str) -> &str {
    line.strip_suffix(line.trim_start()).unwrap_or_default()
}

/// Returns the names of the script itself. A line that is being typed often does not parse: then it is left out.
fn visible_names(at: At<'_>, before: &str) -> Vec<String> {
    let At { engine, name, text, line, column } = at;
    match visible(engine, name, text, line, column) {
        found if !found.is_empty() => found,
        _ => {
            let pass = format!("{}pass", indent_of(before));
            let column = pass.chars().count();
            visible(engine, name, &line::with_line(text, line, &pass), line, column)
        }
    }
}

/// Returns the type of a value that the script names, such as `memory` in `memory.`; `Some(None)` if it is not known, and
/// `None` for what the script does not name itself. The line is taken for that name alone, since it does not parse while
/// it is being typed.
fn owner_type(at: At<'_>, before: &str, owner: &str) -> Option<Option<String>> {
    let mut parts = owner.split('.');
    let first = parts.next()?;
    let indent = indent_of(before);
    let text = line::with_line(at.text, at.line, &format!("{indent}{first}"));
    let column = indent.chars().count().saturating_add(1);
    let defined = definition(at.engine, at.name, &text, at.line, column)?;
    let ty = defined.made_by.as_deref().and_then(type_of);
    Some(ty.and_then(|ty| attribute_type(ty, parts)))
}

/// Returns the type of an attribute of an attribute, and so on.
fn attribute_type<'a>(ty: String, mut attributes: impl Iterator<Item = &'a str>) -> Option<String> {
    attributes.try_fold(ty, |ty, attribute| type_of(&format!("{ty}.{attribute}")))
}

/// Returns what is to be read of the name at a place, as Markdown.
pub(crate) fn description(engine: &Engine, name: &str, text: &str, line: usize, column: usize) -> Option<String> {
    let path = line::path(text, line, column)?;
    let (first, attributes) = path.parts.split_first()?;
    let defined = definition(engine, name, text, line, path.column);
    match (defined, attributes.split_last()) {
        (None, _) => entry_of_name(&path.parts.join(".")),
        (Some(defined), None) => describe(first, &defined),
        (Some(defined), Some((last, between))) => {
            let ty = type_of(defined.made_by.as_deref()?)?;
            let ty = attribute_type(ty, between.iter().map(String::as_str))?;
            entry_of_name(&format!("{ty}.{last}"))
        }
    }
}

/// Returns the description of what a script defines.
fn describe(name: &str, defined: &Definition) -> Option<String> {
    if let Some(signature) = &defined.signature {
        let doc = defined.doc.iter().map(|doc| format!("\n{doc}\n")).collect::<String>();
        return Some(format!("```python\n{signature}\n```\n{doc}"));
    }
    let ty = type_of(defined.made_by.as_deref()?)?;
    Some(format!("```python\n{name}: {ty}\n```\n"))
}
