//! The guests of an isolated sandbox, which run beside the core.
//!
//! The core is built with a stand-in for wasmi (`core/guest/wasmi`), whose engines, modules, stores and handles are numbers
//! here. It puts a [`request`](request::Request) for each, or one of the [`calls`] that are frequent. A guest that calls a
//! function of the core, or is about to grow, calls the core back through its exports; [`lent`] says how both are reached
//! then.
//!
//! What runs in a guest is paid from the core's fuel, beside the store's own, which the core sets.

mod answers;
pub(super) mod calls;
mod exposed;
mod failure;
mod fill;
mod freeze;
mod frozen;
mod growth;
mod guest;
mod lent;
mod module;
pub(super) mod request;
mod slot;
mod stack;
mod state;
mod store;
mod thaw;
mod types;

use std::collections::BTreeSet;
use std::sync::Arc;

use wasmi::Caller;

pub(super) use self::answers::ask;
pub(super) use self::frozen::{Frozen, SavedGuests};
pub(super) use self::guest::Restoring;
use self::lent::Place;
use self::module::{GuestEngine, GuestModule, ModuleSlot};
use self::store::{GuestStore, Items};
use super::room::Room;

/// The guests of one core. What was dropped leaves its number unused.
#[derive(Default)]
pub(super) struct Guests {
    engines: Vec<GuestEngine>,
    modules: Vec<ModuleSlot>,
    /// In boxes, so that the place of a store that is gone is small.
    stores: Vec<Option<Box<GuestStore>>>,
    /// The bytes that instances may still take.
    instances: u64,
    /// How many calls of the core by a guest are running.
    nested: u32,
}

impl Guests {
    fn place_mut(&mut self, store: u32) -> Option<&mut Place> {
        self.store_mut(store).map(|store| &mut store.place)
    }

    fn items_mut(&mut self, store: u32) -> Option<&mut Items> {
        self.store_mut(store).map(|store| &mut store.items)
    }

    fn store_mut(&mut self, store: u32) -> Option<&mut GuestStore> {
        self.stores.get_mut(usize::try_from(store).ok()?)?.as_deref_mut()
    }

    fn drop_store(&mut self, store: u32) {
        let store = usize::try_from(store).ok().and_then(|store| self.stores.get_mut(store)).and_then(Option::take);
        let Some(store) = store else { return };
        self.instances = self.instances.saturating_add(store.instances);
        let modules: BTreeSet<u32> = store.items.instances.iter().map(|(_, module)| module.number).collect();
        drop(store);
        for module in modules {
            if let Some(module) = usize::try_from(module).ok().and_then(|module| self.modules.get_mut(module)) {
                module.forget();
            }
        }
    }

    fn module(&self, module: u32) -> Option<&Arc<GuestModule>> {
        self.modules.get(usize::try_from(module).ok()?)?.held.as_ref()
    }

    fn engine(&self, engine: u32) -> Option<&GuestEngine> {
        self.engines.get(usize::try_from(engine).ok()?)
    }
}

/// Uses a guest's memory, which the core names by its store and handle.
///
/// # Errors
///
/// If there is none.
pub(super) fn with_memory<R>(
    caller: &mut Caller<'_, Room>,
    memory: Option<(u32, u32)>,
    f: impl FnOnce(Option<&mut [u8]>) -> R,
) -> Result<R, wasmi::Error> {
    let Some((store, memory)) = memory else { return Ok(f(None)) };
    let memory = store::get(&calls::items(caller, store)?.memories, memory).ok_or_else(unknown)?;
    lent::enter(caller, store, |context| f(Some(memory.data_mut(context))))
}

/// The error for a core that names what it was never given. It ends the core.
fn unknown() -> wasmi::Error {
    wasmi::Error::new("the isolated evaluator uses a guest in a way that its host does not know")
}
