//! The two levels of `imports`: module names, and the names in each.

use starlark::values::dict::DictRef;
use starlark::values::{Heap, Value, ValueLike};

use super::convert;
use super::exports::{EndedExports, Exports};
use super::instance::{EndedInstance, Instance};
use super::store;
use crate::error::Error;

/// An inner namespace of `imports`.
pub(super) enum Namespace<'v> {
    Dict(DictRef<'v>),
    Exports(&'v Exports<'v>),
}

impl<'v> Namespace<'v> {
    pub(super) fn get(&self, name: &str, heap: Heap<'v>) -> Option<Result<Value<'v>, Error>> {
        match self {
            Self::Dict(dict) => dict.get_str(name).map(Ok),
            Self::Exports(exports) => exports.find(starlark::collections::Hashed::new(name), heap),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Dict(dict) => dict.get_str(name).is_some(),
            Self::Exports(exports) => exports.compiled().exports.contains_key(name),
        }
    }

    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Dict(dict) => dict.keys().filter_map(|k| k.unpack_str()).collect(),
            Self::Exports(exports) => exports.names().collect(),
        }
    }
}

/// Returns the namespaces that a script gives; a value that is not one is a problem.
pub(super) fn namespaces<'v>(
    imports: Option<&DictRef<'v>>,
    problems: &mut Vec<String>,
) -> Vec<(&'v str, Namespace<'v>)> {
    let mut spaces = Vec::new();
    for (key, value) in imports.iter().flat_map(|dict| dict.iter()) {
        let Some(name) = key.unpack_str() else {
            problems.push(format!("`imports` must have str keys, got {}", convert::describe(key)));
            continue;
        };
        let space = if let Some(dict) = DictRef::from_value(value) {
            if let Some(bad) = dict.keys().find(|k| k.unpack_str().is_none()) {
                problems.push(format!("`imports[\"{name}\"]` must have str keys, got {}", convert::describe(bad)));
            }
            Namespace::Dict(dict)
        } else if let Some(instance) = Instance::from_value(value) {
            Namespace::Exports(instance.exports.as_ref())
        } else if let Some(exports) = value.downcast_ref::<Exports<'v>>() {
            Namespace::Exports(exports)
        } else if value.downcast_ref::<EndedInstance>().is_some() || value.downcast_ref::<EndedExports>().is_some() {
            problems.push(format!("`imports[\"{name}\"]`: {}", store::frozen().message()));
            continue;
        } else {
            problems.push(format!(
                "`imports[\"{name}\"]` must be a dict, a wasm.Instance or its exports, got {}",
                convert::describe(value)
            ));
            continue;
        };
        spaces.push((name, space));
    }
    spaces
}
