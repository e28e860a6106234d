//! What the server says of a document.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wasmlark::{Definition, Location, Sandbox, Session, Severity};

use super::documents::Document;
use super::text::{self, Place};
use super::uri;
use crate::repl::complete::complete;

/// Pages of the reference that stand for no name in a script.
const PAGES: &[&str] = &["globals", "asserts"];

/// What is known of the script API, whatever the document.
pub struct Api {
    reference: Reference,
    /// Of a script and of a test that do nothing: they list the names that each has.
    sessions: [Option<Session>; 2],
}

impl Api {
    pub fn new() -> Self {
        let session = |asserts| Sandbox::new().asserts(asserts).load("", "").ok();
        Self { reference: Reference(wasmlark::reference()), sessions: [session(false), session(true)] }
    }
}

/// The pages of the reference.
struct Reference(BTreeMap<String, String>);

impl Reference {
    fn entry(&self, path: &str) -> Option<String> {
        if PAGES.contains(&path) {
            return None;
        }
        match self.0.get(path) {
            // Of a type, what stands before its members.
            Some(page) => page.split("\n---\n").next().map(|page| page.trim_end().to_owned() + "\n"),
            None => wasmlark::reference_entry(path),
        }
    }

    /// Returns the type that a function or an attribute has in the reference, if it is one of the namespace.
    fn type_of(&self, path: &str) -> Option<String> {
        let entry = self.entry(path)?;
        let attribute = format!("{path}: ");
        let named = |line: &str| match line.strip_prefix(&attribute) {
            Some(name) => Some(name.trim().to_owned()),
            None => line.split_once(") -> ").map(|(_, name)| name.trim().to_owned()),
        };
        entry.lines().find_map(named).filter(|name| self.0.contains_key(name))
    }

    /// Returns the type of an attribute's owner: of `a.b` for `["a", "b"]`, where `a` has the given type.
    fn owner(&self, first: String, attributes: &[String]) -> Option<String> {
        attributes.iter().try_fold(first, |ty, attribute| self.type_of(&format!("{ty}.{attribute}")))
    }

    /// Returns the members of a type: the headings of its page.
    fn members(&self, ty: &str) -> Vec<String> {
        let headings = self.0.get(ty).into_iter().flat_map(|page| page.lines());
        let headings = headings.filter_map(|line| line.strip_prefix("## "));
        headings.filter_map(|heading| Some(heading.replace('\\', "").rsplit('.').next()?.to_owned())).collect()
    }
}

fn begin(location: &Location) -> Place {
    Place { line: location.line, column: location.column }
}

/// Returns what `wasmlark check` finds, as the protocol has it.
pub fn diagnostics(document: &Document<'_>) -> Value {
    let Document { text, name, sandbox, .. } = document;
    let found = sandbox.check(name, text).into_iter().map(|diagnostic| {
        let Location { file, line, column, .. } = &diagnostic.location;
        let is_here = file == name;
        // What is wrong in a file that this one loads has no place here.
        let range = match is_here {
            true => text::range(text, begin(&diagnostic.location), begin(&diagnostic.end)),
            false => {
                let first = Place { line: 1, column: 1 };
                text::range(text, first, first)
            }
        };
        let message = match is_here {
            true => diagnostic.message.clone(),
            false => format!("{file}:{line}:{column}: {}", diagnostic.message),
        };
        let severity = match diagnostic.severity {
            Severity::Error => 1,
            Severity::Warning => 2,
            _ => 3,
        };
        json!({ "range": range, "severity": severity, "code": diagnostic.rule, "source": "wasmlark", "message": message })
    });
    Value::Array(found.collect())
}

/// Returns the description of the name at a place, or null.
pub fn hover(api: &Api, document: &Document<'_>, place: Place) -> Value {
    let Some(path) = text::path(document.text, place) else { return Value::Null };
    let Some((first, attributes)) = path.parts.split_first() else { return Value::Null };
    let defined = document.sandbox.definition(&document.name, document.text, path.begin.line, path.begin.column);
    let reference = &api.reference;
    let described = match (&defined, attributes.split_last()) {
        (None, _) => reference.entry(&path.parts.join(".")),
        (Some(defined), None) => describe(reference, first, defined),
        (Some(defined), Some((last, between))) => {
            let ty = defined.made_by.as_deref().and_then(|function| reference.type_of(function));
            ty.and_then(|ty| reference.owner(ty, between)).and_then(|ty| reference.entry(&format!("{ty}.{last}")))
        }
    };
    match described {
        Some(markdown) => json!({ "contents": { "kind": "markdown", "value": markdown } }),
        None => Value::Null,
    }
}

/// Returns the description of what a script defines.
fn describe(reference: &Reference, name: &str, defined: &Definition) -> Option<String> {
    if let Some(signature) = &defined.signature {
        let doc = defined.doc.iter().map(|doc| format!("\n{doc}\n")).collect::<String>();
        return Some(format!("```python\n{signature}\n```\n{doc}"));
    }
    let ty = reference.type_of(defined.made_by.as_deref()?)?;
    Some(format!("```python\n{name}: {ty}\n```\n"))
}

/// Returns the names that may stand at a place.
pub fn completion(api: &mut Api, document: &Document<'_>, place: Place) -> Value {
    let before = text::before(document.text, place);
    let Api { reference, sessions: [script, test] } = api;
    let session = if document.is_test() { test } else { script };
    let mut is_member = false;
    let (_, names) = complete(&before, before.len(), |owner| match owner {
        Some(owner) => {
            is_member = true;
            match owner_type(reference, document, place, &before, owner) {
                Some(ty) => ty.map(|ty| reference.members(&ty)).unwrap_or_default(),
                None => session.as_mut().map(|session| session.names(Some(owner))).unwrap_or_default(),
            }
        }
        None => {
            let mut names = session.as_mut().map(|session| session.names(None)).unwrap_or_default();
            names.extend(visible_names(document, place, &before));
            names
        }
    });
    // 5: a field. 6: a variable.
    let kind = if is_member { 5 } else { 6 };
    names.into_iter().map(|name| json!({ "label": name, "kind": kind })).collect()
}

/// Returns the names of the script itself. A line that is being typed often does not parse: then it is left out.
fn visible_names(document: &Document<'_>, place: Place, before: &str) -> Vec<String> {
    let indent = before.strip_suffix(before.trim_start()).unwrap_or_default();
    let names = |text: &str| document.sandbox.visible_names(&document.name, text, place.line, place.column);
    match names(document.text) {
        found if !found.is_empty() => found,
        _ => {
            let line = format!("{indent}pass");
            let column = line.chars().count();
            let text = text::with_line(document.text, place.line, &line);
            document.sandbox.visible_names(&document.name, &text, place.line, column)
        }
    }
}

/// Returns the type of a value that the script names, such as `memory` in `memory.`; `Some(None)` if it is not known, and
/// `None` for what the script does not name itself. The line is taken for that name alone, since it does not parse while
/// it is being typed.
fn owner_type(
    reference: &Reference,
    document: &Document<'_>,
    place: Place,
    before: &str,
    owner: &str,
) -> Option<Option<String>> {
    let mut parts = owner.split('.').map(str::to_owned);
    let first = parts.next()?;
    let attributes: Vec<String> = parts.collect();
    let indent = before.strip_suffix(before.trim_start()).unwrap_or_default();
    let text = text::with_line(document.text, place.line, &format!("{indent}{first}"));
    let column = indent.chars().count().saturating_add(1);
    let defined = document.sandbox.definition(&document.name, &text, place.line, column)?;
    let ty = defined.made_by.as_deref().and_then(|function| reference.type_of(function));
    Some(ty.and_then(|ty| reference.owner(ty, &attributes)))
}

/// Returns the place at which the name at a place is defined, or null.
pub fn definition(document: &Document<'_>, place: Place, own_uri: &str) -> Value {
    let found = document.sandbox.definition(&document.name, document.text, place.line, place.column);
    let Some(Definition { location, end, .. }) = found else { return Value::Null };
    let range = |text: &str| text::range(text, begin(&location), begin(&end));
    if location.file == document.name {
        return json!({ "uri": own_uri, "range": range(document.text) });
    }
    match document.file(&location.file) {
        Some((path, text)) => json!({ "uri": uri::of_path(&path), "range": range(&text) }),
        None => Value::Null,
    }
}
