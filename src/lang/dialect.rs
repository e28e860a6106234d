//! The language of the sandbox, and its parser.

use std::collections::HashMap;

use starlark::syntax::{AstModule, Dialect};

use super::compat::shift::OPERATOR;
use super::compat::shift_assign::{SourceEdits, rewrite};
use super::nesting::too_deep;
use crate::error::{Error, Limit, Location};

/// The language of the sandbox: all of starlark-rust's, f-strings and types among it.
fn dialect() -> Dialect {
    Dialect { enable_f_strings: true, ..Dialect::Extended }
}

/// Parses a script, unless it is nested more deeply than `nesting` levels: parser and compiler
/// recurse on the native stack, and a deep enough text would overflow it.
pub(crate) fn parse(name: &str, text: String, nesting: usize) -> starlark::Result<(AstModule, SourceEdits)> {
    let dialect = dialect();
    // Editors put one there; it is no part of the text.
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    if let Some(line) = too_deep(name, &text, &dialect, nesting) {
        let message = format!("{name}:{line}: the source is nested deeper than {nesting} levels (limit `nesting`)");
        let location = Location { file: name.to_owned(), line, column: 1 };
        return Err(Error::limit(Limit::Nesting, message.clone()).with_report(Some(location), message).into());
    }
    let mut module = AstModule::parse(name, text, &dialect)?;
    let mut rewritten = SourceEdits::default();
    if let Some((text, how)) = rewrite(&module) {
        module = AstModule::parse(name, text, &dialect)?;
        rewritten = how;
    }
    module.replace_binary_operators(&HashMap::from([(OPERATOR.to_owned(), OPERATOR.to_owned())]));
    Ok((module, rewritten))
}
