//! Advice for common mistakes, of which starlark's messages say only what is wrong.
//!
//! Upstream: these errors consist only of text. Their types are private, and do not name the file or the value. So the
//! message is recognised by its text, and the script's text at the place of the error gives the rest. A message that is
//! not recognised stays as it is.
//!
//! Upstream change: none known.
//!
//! Remove when: starlark's errors are public types with the names of what they are about. `tests/script/advice_chunks.star`
//! fails when an upgrade changes a text.

use starlark::codemap::FileSpan;

/// Returns the message for an export that exists but cannot be reached. starlark's own would suggest the name that the
/// script has already.
pub(crate) fn reworded(message: &str) -> Option<String> {
    let (object, rest) = message.split_once("` has no attribute `")?;
    let (attribute, suggestion) = rest.split_once("`, did you mean `")?;
    let is_unreachable = object == "Object of type `wasm.Exports" && suggestion.strip_suffix("`?")? == attribute;
    is_unreachable.then(|| {
        format!(
            "export `{attribute}` cannot be reached: its instance was not made since its start function failed, its store is closed, or the evaluation that made it has ended"
        )
    })
}

/// Returns advice for a message of starlark's about a place in a script.
pub(crate) fn advice(message: &str, place: &FileSpan) -> Option<String> {
    let called = place.source_span().split('(').next().unwrap_or_default().trim_end();
    if message == "Immutable" {
        let advice = "its type never changes, or it was frozen when the file that made it was loaded; change a copy";
        return Some(advice.to_owned());
    }
    if let Some(rest) = message.strip_prefix("Operation `call()` not supported on type `") {
        return not_callable(rest.strip_suffix('`')?, called);
    }
    if let Some(rest) = message.strip_prefix("Object of type `") {
        let (ty, rest) = rest.split_once("` has no attribute `")?;
        let (attribute, rest) = rest.split_once('`')?;
        return no_attribute(ty, attribute, called, !rest.is_empty());
    }
    if message.starts_with("Module has no symbol `") {
        return Some(format!("the file is \"{}\"", loaded(place)?));
    }
    if message.starts_with("Wrong number of positional arguments") && called == "wasm.Instance" {
        return Some("wasm.instantiate(module) makes an instance".to_owned());
    }
    None
}

fn not_callable(ty: &str, called: &str) -> Option<String> {
    let advice = match ty {
        "wasm.Module" => "wasm.instantiate(module) makes an instance, and `instance.exports` has its functions",
        "wasm.Instance" => "its functions are in `exports`: `instance.exports.NAME(…)`",
        "wasm.Exports" => "it holds functions by name: `exports.NAME(…)`",
        "wasm.Memory" => "it is a memory, with methods such as `read(offset, length)`",
        "wasm.Global" => "it is a global, and `value` is what it holds",
        "wasm.Table" => "it is a table, and `table[index]` is what a slot holds",
        "NoneType" if called.ends_with(']') => {
            return Some(format!("`{called}` is None, as an empty slot of a table is"));
        }
        _ => return None,
    };
    Some(advice.to_owned())
}

fn no_attribute(ty: &str, attribute: &str, called: &str, has_suggestion: bool) -> Option<String> {
    let is_export_of_list = ty == "list" && called.ends_with(&format!(".exports.{attribute}"));
    match ty {
        "wasm.Instance" if !has_suggestion => Some(format!("if it is an export, it is `exports.{attribute}`")),
        _ if is_export_of_list => Some(
            "`exports` of a module lists what it exports; wasm.instantiate(module) makes an instance, which has the functions"
                .to_owned(),
        ),
        _ => None,
    }
}

/// Returns the name of the file in the `load` statement at a place.
fn loaded(place: &FileSpan) -> Option<&str> {
    let before = place.file.source().get(..place.span.begin().get() as usize)?;
    let (_, rest) = before.rsplit_once("load")?;
    let rest = rest.trim_start().strip_prefix('(')?.trim_start();
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    rest.strip_prefix(quote)?.split(quote).next()
}
