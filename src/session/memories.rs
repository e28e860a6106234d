//! The linear memories of a session, as its application sees them.

use starlark::environment::Module;
use starlark::values::Value;

use crate::api::evaluation::Evaluation;
use crate::api::exports::Exports;
use crate::api::identity::Identity;
use crate::api::instance::Instance;
use crate::api::memory::Memory;
use crate::api::store::Store;
use crate::error::{Error, ErrorKind};
use crate::wording::{did_you_mean, ending, shown};

/// A linear memory of a session, as [`Session::memories`](crate::Session::memories) lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MemoryInfo {
    /// The path by which the script reaches it, such as `plugin.memory`. If no variable of the script leads to it, the path
    /// begins with the number of its instance, as in `instance 2.memory`.
    pub name: String,
    /// The size in bytes.
    pub size: u64,
}

/// The memories that were found, each once and under the first name that leads to it.
#[derive(Default)]
struct Found<'v> {
    memories: Vec<(String, &'v Memory<'v>)>,
    seen: Vec<Identity>,
}

impl<'v> Found<'v> {
    fn add(&mut self, name: String, memory: Value<'v>) {
        let Some(memory) = Memory::from_value(memory) else { return };
        let identity = Identity::of(&memory.memory);
        // A memory whose store was closed is left out.
        if memory.byte_length().is_ok() && !self.seen.contains(&identity) {
            self.seen.push(identity);
            self.memories.push((name, memory));
        }
    }

    fn add_instance(&mut self, name: &str, instance: &'v Instance<'v>, module: &Module<'v>) {
        let exports: &Exports<'v> = instance.exports.as_ref();
        let main = instance.memory(module.heap()).ok();
        if let Some(main) = main {
            self.add(format!("{name}.memory"), main);
        }
        for export in exports.memories() {
            if let Ok(memory) = exports.get(export, module.heap()) {
                self.add(format!("{name}.exports.{export}"), memory);
            }
        }
    }
}

fn find<'v>(module: &Module<'v>) -> Vec<(String, &'v Memory<'v>)> {
    let mut found = Found::default();
    let mut names: Vec<_> = module.names().map(|name| name.as_str().to_owned()).collect();
    names.sort();
    // Names with a space are this crate's own.
    let variables = names.iter().filter(|name| !name.contains(' ')).filter_map(|name| Some((name, module.get(name)?)));
    let mut stores = Vec::new();
    for (name, value) in variables {
        found.add(name.clone(), value);
        if let Some(instance) = Instance::from_value(value) {
            found.add_instance(name, instance, module);
        }
        stores.extend(Store::live(value).ok());
    }
    // Then those to which a variable leads only through a list, a struct or a function.
    let default = Evaluation::find(module).and_then(|evaluation| evaluation.as_ref().default_store.get());
    stores.extend(default.and_then(|store| Store::live(store).ok()));
    let instances = stores.iter().flat_map(|store| store.instances());
    for (index, instance) in instances.enumerate() {
        if let Some(instance) = Instance::from_value(instance) {
            found.add_instance(&format!("instance {}", index.saturating_add(1)), instance, module);
        }
    }
    found.memories
}

/// Lists the memories.
pub(super) fn list(module: &Module<'_>) -> Vec<MemoryInfo> {
    let found = find(module).into_iter();
    found.map(|(name, memory)| MemoryInfo { name, size: memory.byte_length().unwrap_or(0) }).collect()
}

/// Returns bytes of the memory with this name. This costs the script nothing.
pub(super) fn read(module: &Module<'_>, name: &str, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
    let found = find(module);
    match found.iter().find(|(other, _)| other == name) {
        Some((_, memory)) => memory.copy(offset, length),
        None => {
            let hint = did_you_mean(name, found.iter().map(|(name, _)| name.as_str()));
            let hint = ending(hint);
            Err(Error::new(ErrorKind::Value, format!("the session has no memory `{}`{hint}", shown(name))))
        }
    }
}
