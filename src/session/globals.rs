//! The globals of a sandbox's scripts: those of the language, and those of the application.

use once_cell::sync::Lazy;
use starlark::environment::{Globals, GlobalsBuilder, Module};
use starlark::eval::Evaluator;
use starlark::values::OwnedFrozenValue;

use crate::builtins::builtins;
use crate::engine::Engine;
use crate::error::Error;
use crate::host::Grants;
use crate::value::{Value, make_set};

pub(super) static GLOBALS: Lazy<Globals> = Lazy::new(|| builtins().build());

/// Returns the globals of all scripts that an engine runs. `argv` is not among them.
pub(crate) fn sandbox_globals(engine: &Engine) -> Result<&Globals, Error> {
    let grants = engine.grants();
    match grants.is_plain() {
        true => Ok(&GLOBALS),
        false => grants.globals(|| extend(builtins(), grants, &GLOBALS)),
    }
}

/// Makes a value that an application gives to scripts under a name.
///
/// # Errors
///
/// If scripts cannot use the name, or already have it, or if the value cannot be frozen.
pub(crate) fn grant(name: &str, value: &Value) -> Result<OwnedFrozenValue, Error> {
    check_name(name, &GLOBALS)?;
    freeze(value).map_err(|error| error.within(&format!("cannot give scripts `{name}`")))
}

/// Adds the functions and values of an application to the language's globals, which `own` begins with.
fn extend(mut own: GlobalsBuilder, grants: &Grants, known: &Globals) -> Result<Globals, Error> {
    if grants.has_asserts() {
        own = own.with(crate::api::asserts::functions);
    }
    for (name, function) in grants.functions() {
        check_name(name, known)?;
        function.add_to(&mut own);
    }
    for (name, value) in grants.values() {
        own.set(name, value.clone());
    }
    Ok(own.build())
}

/// Returns an error for a name that no script can use, and for the name of a builtin.
fn check_name(name: &str, known: &Globals) -> Result<(), Error> {
    let fits = |(at, c): (usize, char)| c == '_' || c.is_ascii_alphabetic() || at > 0 && c.is_ascii_digit();
    if name.is_empty() || !name.chars().enumerate().all(fits) {
        let name = crate::wording::shown(name);
        return Err(Error::value(format!("`{name}` cannot be the name of a global: it must be an identifier")));
    }
    if KEYWORDS.contains(&name) {
        return Err(Error::value(format!("`{name}` cannot be the name of a global: it is a keyword")));
    }
    if name == "argv" || known.iter().any(|(known, _)| known == name) {
        return Err(Error::value(format!("`{name}` cannot be the name of a global: scripts have one of this name")));
    }
    Ok(())
}

/// Starlark's keywords, including those that are only reserved.
const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "load", "nonlocal", "not", "or", "pass",
    "raise", "return", "try", "while", "with", "yield",
];

/// Makes a frozen value, which all scripts share.
fn freeze(value: &Value) -> Result<OwnedFrozenValue, Error> {
    const NAME: &str = "value";
    let ours = |error: starlark::Error| match Error::find_in(&error) {
        Some(ours) => ours.copy(),
        None => Error::value(error.without_diagnostic().to_string()),
    };
    Module::with_temp_heap(|module| {
        {
            let mut eval = Evaluator::new(&module);
            let made = value.to_starlark(module.heap(), &mut |list| make_set(list, &mut eval)).map_err(ours)?;
            module.set(NAME, made);
        }
        let frozen = module.freeze().map_err(|error| Error::value(format!("the value cannot be frozen: {error:?}")))?;
        frozen.get(NAME).map_err(|error| Error::value(error.to_string()))
    })
}
