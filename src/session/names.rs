//! The names that a statement can begin with, for completion.

use starlark::environment::Module;
use starlark::values::Value;
use starlark::values::list::AllocList;

use super::globals::sandbox_globals;
use crate::engine::Engine;
use crate::lang::compat::shift::{MARKER, OPERATOR};

/// Returns the names that a statement of any script can begin with. For a path such as `a.b`, returns the attributes of its
/// value, if `a` is a name of the language itself.
pub(crate) fn language_names(engine: &Engine, path: Option<&str>) -> Vec<String> {
    Module::with_temp_heap(|module| {
        module.set("argv", module.heap().alloc(AllocList::EMPTY));
        names_in(engine, &module, path)
    })
}

/// Returns the names that a statement of the script can begin with. For a path such as `a.b`, returns the attributes of its
/// value. No function is called.
pub(super) fn names_in<'v>(engine: &Engine, module: &Module<'v>, path: Option<&str>) -> Vec<String> {
    let Ok(globals) = sandbox_globals(engine) else { return Vec::new() };
    let Some(path) = path else {
        // Names with a space, which no script can write, are this crate's own.
        let own = module.names().map(|name| name.as_str().to_owned()).filter(|name| !name.contains(' '));
        let language = globals.names().map(|name| name.as_str().to_owned());
        return own.chain(language.filter(|name| ![OPERATOR, MARKER].contains(&name.as_str()))).collect();
    };
    let mut parts = path.split('.');
    let first = parts.next().unwrap_or_default();
    let global = || globals.iter().find(|(name, _)| *name == first).map(|(_, value)| value.to_value());
    let mut value = module.get(first).or_else(global);
    for part in parts {
        value = value.and_then(|value| value.get_attr(part, module.heap()).ok().flatten());
    }
    value.map(|value| value.dir_attr()).unwrap_or_default()
}

/// Returns a global of a module, unless it is private.
pub(super) fn variable<'v>(module: &Module<'v>, name: &str) -> Option<Value<'v>> {
    if name.starts_with('_') {
        return None;
    }
    module.get(name)
}
