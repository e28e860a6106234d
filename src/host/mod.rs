//! What an application gives its scripts: functions, values and imports.

pub(crate) mod argument;
pub(crate) mod caller;
pub(crate) mod dynamic_import;
pub(crate) mod function;
mod guarded;
pub(crate) mod import;
pub(crate) mod result;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, OnceLock};

use starlark::environment::Globals;
use starlark::values::OwnedFrozenValue;

use self::function::HostFunction;
use self::import::{Import, Imports};
use crate::coverage::Coverage;
use crate::error::Error;
use crate::observe::Observer;
use crate::value::Value;

/// What one sandbox gives its scripts.
#[derive(Default)]
pub(crate) struct Grants {
    /// Globals of every file, by name. No name is in both.
    functions: BTreeMap<String, HostFunction>,
    values: BTreeMap<String, OwnedFrozenValue>,
    /// What the values were made of, for a script that runs elsewhere.
    #[cfg(feature = "isolated")]
    originals: BTreeMap<String, Value>,
    imports: Imports,
    /// Whether scripts have the assertions for tests.
    has_asserts: bool,
    observer: Option<Arc<Observer>>,
    coverage: Option<Coverage>,
    /// The language's globals with those of the application, made on first use.
    made: OnceLock<Result<Globals, Error>>,
}

impl Grants {
    pub(crate) fn set_function(&mut self, name: String, function: HostFunction) -> &mut HostFunction {
        self.made = OnceLock::new();
        self.values.remove(&name);
        #[cfg(feature = "isolated")]
        self.originals.remove(&name);
        match self.functions.entry(name) {
            Entry::Vacant(entry) => entry.insert(function),
            Entry::Occupied(entry) => {
                let slot = entry.into_mut();
                *slot = function;
                slot
            }
        }
    }

    /// Sets a value; `frozen` is what was made of `original`.
    pub(crate) fn set_value(&mut self, name: &str, frozen: OwnedFrozenValue, original: Value) {
        self.made = OnceLock::new();
        self.functions.remove(name);
        self.values.insert(name.to_owned(), frozen);
        #[cfg(feature = "isolated")]
        self.originals.insert(name.to_owned(), original);
        #[cfg(not(feature = "isolated"))]
        drop(original);
    }

    pub(crate) fn set_import<Args: 'static>(&mut self, module: String, name: String, function: impl Import<Args>) {
        self.imports.set(module, name, function);
    }

    pub(crate) fn imports_mut(&mut self) -> &mut Imports {
        &mut self.imports
    }

    pub(crate) fn set_asserts(&mut self, has_asserts: bool) {
        self.made = OnceLock::new();
        self.has_asserts = has_asserts;
    }

    pub(crate) fn set_observer(&mut self, observer: Arc<Observer>) {
        self.observer = Some(observer);
    }

    pub(crate) fn set_coverage(&mut self, coverage: Coverage) {
        self.coverage = Some(coverage);
    }

    pub(crate) fn coverage(&self) -> Option<&Coverage> {
        self.coverage.as_ref()
    }

    pub(crate) fn observer(&self) -> Option<&Arc<Observer>> {
        self.observer.as_ref()
    }

    pub(crate) fn has_asserts(&self) -> bool {
        self.has_asserts
    }

    /// Returns whether scripts see only the language's own globals.
    pub(crate) fn is_plain(&self) -> bool {
        self.functions.is_empty() && self.values.is_empty() && !self.has_asserts
    }

    pub(crate) fn imports(&self) -> &Imports {
        &self.imports
    }

    pub(crate) fn functions(&self) -> &BTreeMap<String, HostFunction> {
        &self.functions
    }

    pub(crate) fn values(&self) -> &BTreeMap<String, OwnedFrozenValue> {
        &self.values
    }

    #[cfg(feature = "isolated")]
    pub(crate) fn originals(&self) -> &BTreeMap<String, Value> {
        &self.originals
    }

    /// Returns the globals of a script, calling `make` to make them on first use.
    pub(crate) fn globals(&self, make: impl FnOnce() -> Result<Globals, Error>) -> Result<&Globals, Error> {
        self.made.get_or_init(make).as_ref().map_err(Error::copy)
    }
}

/// A clone may be changed, so it makes its globals anew.
impl Clone for Grants {
    fn clone(&self) -> Self {
        Self {
            functions: self.functions.clone(),
            values: self.values.clone(),
            #[cfg(feature = "isolated")]
            originals: self.originals.clone(),
            imports: self.imports.clone(),
            has_asserts: self.has_asserts,
            observer: self.observer.clone(),
            coverage: self.coverage.clone(),
            made: OnceLock::new(),
        }
    }
}
