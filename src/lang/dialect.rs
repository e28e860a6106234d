//! The language of the sandbox, and its parser.

use std::collections::HashMap;

use starlark::codemap::{CodeMap, Pos, Span};
use starlark::syntax::{AstModule, Dialect};

use super::compat::shift::{MARKER, OPERATOR};
use super::compat::shift_assign::{SourceEdits, find_marker, rewrite};
use super::nesting::too_deep;
use crate::error::{Error, ErrorKind, Limit};
use crate::module::looks_like_module;
use crate::wording::shown;

/// Returns the language of the sandbox: all of starlark-rust's, including f-strings and types.
pub(super) fn dialect() -> Dialect {
    Dialect { enable_f_strings: true, ..Dialect::Extended }
}

/// Returns the error for a module in place of a script.
fn module_not_script(name: &str) -> Error {
    let name = shown(name);
    Error::new(
        ErrorKind::Load,
        format!("\"{name}\" is a WebAssembly module, not a script; a script loads it with wasm.Module(\"{name}\")"),
    )
}

/// Parses a script. Also returns the edits if the text had to be changed for it.
///
/// Parser and compiler recurse on the native stack, which deeply nested text would overflow: text nested more than
/// `nesting` levels deep is an error.
pub(crate) fn parse(name: &str, text: String, nesting: usize) -> starlark::Result<(AstModule, Option<SourceEdits>)> {
    let dialect = dialect();
    // Editors put a byte order mark there, which is not part of the text.
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    let codemap = CodeMap::new(name.to_owned(), text.clone());
    if let Some(token) = too_deep(&codemap, &dialect, nesting) {
        let message = format!("the source is nested deeper than {nesting} levels (limit `nesting`)");
        let mut error = starlark::Error::from(Error::limit(Limit::Nesting, message));
        error.set_span(token, &codemap);
        return Err(error);
    }
    if let Some(begin) = find_marker(&text) {
        let message = format!("the name `{MARKER}` is reserved");
        let mut error = starlark::Error::from(Error::new(ErrorKind::Script, message));
        let begin = u32::try_from(begin).unwrap_or(u32::MAX);
        let end = begin.saturating_add(u32::try_from(MARKER.len()).unwrap_or(0));
        error.set_span(Span::new(Pos::new(begin), Pos::new(end)), &codemap);
        return Err(error);
    }
    // Only if the text does not parse, since a script may also begin with `(module`.
    let is_module = looks_like_module(text.as_bytes());
    let mut module = AstModule::parse(name, text, &dialect)
        .map_err(|error| if is_module { module_not_script(name).into() } else { error })?;
    let mut edits = None;
    if let Some((text, insertions)) = rewrite(&module) {
        let edited = AstModule::parse(name, text, &dialect)?;
        edits = Some(SourceEdits::new(&module, &edited, insertions));
        module = edited;
    }
    module.replace_binary_operators(&HashMap::from([(OPERATOR.to_owned(), OPERATOR.to_owned())]));
    Ok((module, edits))
}

/// Returns whether a text ends within a statement that more lines can complete.
pub(crate) fn is_incomplete(text: &str) -> bool {
    const NESTING: usize = 200;
    let text = text.trim_end();
    let parse = |text: String| parse("", text, NESTING).map_err(|error| error.span().map(|place| place.span));
    let Err(Some(place)) = parse(text.to_owned()) else { return false };
    let (begin, end) = (place.begin().get() as usize, place.end().get() as usize);
    let rest = text.get(begin..).unwrap_or_default().trim_start_matches(['r', 'b', 'f']);
    if end == text.len() && (rest.starts_with("\"\"\"") || rest.starts_with("'''")) {
        return true;
    }
    // A header needs a block; this is one.
    let last = text.lines().last().unwrap_or_default();
    let indent = last.strip_suffix(last.trim_start()).unwrap_or_default();
    if parse(format!("{text}\n{indent} pass")).is_ok() {
        return true;
    }
    // Within brackets a line feed does not end a line, so the error comes after it.
    matches!(parse(format!("{text}\n(")), Err(Some(place)) if place.begin().get() as usize > text.len())
}

/// Returns the text of a script from a loader. If it is a module instead, the error says how modules are loaded.
pub(crate) fn script_text(name: &str, bytes: Vec<u8>) -> Result<String, Error> {
    if name.ends_with(".wat") {
        return Err(module_not_script(name));
    }
    String::from_utf8(bytes).map_err(|error| match looks_like_module(error.as_bytes()) {
        true => module_not_script(name),
        false => Error::load(format!("\"{name}\" is not a script: {error}")),
    })
}

#[cfg(test)]
mod tests {
    use super::is_incomplete;

    #[test]
    fn more_lines_are_asked_for_where_they_help() {
        for text in [
            "f(1,",
            "x = [",
            "x = {'a': # comment",
            "def f(",
            "def f():",
            "def f(): # comment",
            "def f(): # comment\n  if x:",
            "if x:\n  pass\nelse:",
            "for x in [1, 2]:\n  y = (1,\n\n",
            "x = \"\"\"abc\ndef",
            "f(r'''abc",
        ] {
            assert!(is_incomplete(text), "{text:?}");
        }
        for text in
            ["", "x", "f(1)", "f(1))", "x = ", "1 +", "x = \"abc", "a b", "lambda x:", "@", "else:", "(]", "x = {1:}"]
        {
            assert!(!is_incomplete(text), "{text:?}");
        }
    }
}
