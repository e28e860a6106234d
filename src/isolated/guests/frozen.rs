//! The guests of a core as they are at one time.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::Guests;
use super::guest::Restoring;
use super::module::{GuestEngine, GuestModule, ModuleSlot};
use super::state::StoreState;
use super::store::get;
use crate::error::Error;
use crate::interrupt::Interrupt;

/// What a probe may spend.
pub(super) const PROBE: u64 = 1000;

/// The guests as data. What does not change is shared.
#[derive(Clone, Default)]
pub(in super::super) struct Frozen {
    engines: Vec<GuestEngine>,
    /// With whether the core has it. `None` for one that nobody has.
    modules: Vec<Option<(Arc<GuestModule>, bool)>>,
    stores: Vec<Option<Arc<StoreState>>>,
}

/// The guests, as they are saved.
#[derive(Serialize, Deserialize, Default)]
pub(in super::super) struct SavedGuests {
    engines: Vec<SavedEngine>,
    modules: Vec<Option<SavedModule>>,
    stores: Vec<Option<StoreState>>,
}

#[derive(Serialize, Deserialize)]
struct SavedEngine {
    is_metered: bool,
    depth: u64,
    stack: u64,
}

#[derive(Serialize, Deserialize)]
struct SavedModule {
    engine: u32,
    bytes: ByteBuf,
    is_held: bool,
}

impl Guests {
    /// Returns what they are now.
    ///
    /// # Errors
    ///
    /// If something cannot be made once more.
    pub(in super::super) fn freeze(&mut self) -> Result<Frozen, Error> {
        let modules = self.modules.iter().map(|slot| slot.known.upgrade().map(|module| (module, slot.held.is_some())));
        let modules = modules.collect();
        let mut stores = Vec::new();
        for store in &mut self.stores {
            stores.push(store.as_mut().map(|store| store.freeze().map(Arc::new)).transpose()?);
        }
        Ok(Frozen { engines: self.engines.clone(), modules, stores })
    }

    /// Makes the guests that were frozen.
    ///
    /// # Errors
    ///
    /// If that is not possible: the bytes may be of someone who made them on purpose.
    pub(in super::super) fn thaw(
        &mut self,
        frozen: &Frozen,
        mut allowed: Restoring,
        interrupt: &Interrupt,
    ) -> Result<(), Error> {
        self.engines.clone_from(&frozen.engines);
        let modules = &frozen.modules;
        for (number, state) in (0..).zip(&frozen.stores) {
            let store = match state {
                Some(state) => {
                    let engine = get(&self.engines, state.engine).ok_or_else(nonsense)?;
                    let find = |module| get(modules, module).flatten().map(|(module, _)| module);
                    Some(Box::new(state.thaw(number, &engine, find, &mut allowed, interrupt)?))
                }
                None => None,
            };
            self.stores.push(store);
        }
        self.instances = allowed.instances;
        self.modules = modules
            .iter()
            .map(|module| match module {
                Some((module, is_held)) => ModuleSlot::new(module.clone(), *is_held),
                None => ModuleSlot { held: None, known: std::sync::Weak::new() },
            })
            .collect();
        Ok(())
    }
}

impl Frozen {
    pub(in super::super) fn to_saved(&self) -> SavedGuests {
        let engine = |engine: &GuestEngine| SavedEngine {
            is_metered: engine.is_metered,
            depth: engine.depth as u64,
            stack: engine.stack as u64,
        };
        let module = |(module, is_held): &(Arc<GuestModule>, bool)| SavedModule {
            engine: module.engine,
            bytes: ByteBuf::from(module.bytes.clone()),
            is_held: *is_held,
        };
        SavedGuests {
            engines: self.engines.iter().map(engine).collect(),
            modules: self.modules.iter().map(|found| found.as_ref().map(module)).collect(),
            stores: self.stores.iter().map(|store| store.as_deref().cloned()).collect(),
        }
    }

    /// Compiles what was saved.
    ///
    /// # Errors
    ///
    /// If it does not make sense.
    pub(in super::super) fn of_saved(saved: &SavedGuests) -> Result<Self, Error> {
        let size = |size: u64| usize::try_from(size).map_err(|_| nonsense());
        let mut engines = Vec::new();
        for SavedEngine { is_metered, depth, stack } in &saved.engines {
            engines.push(GuestEngine::checked(*is_metered, size(*depth)?, size(*stack)?).ok_or_else(nonsense)?);
        }
        let mut modules = Vec::new();
        for (number, module) in (0..).zip(&saved.modules) {
            modules.push(match module {
                Some(SavedModule { engine, bytes, is_held }) => {
                    let used = get(&engines, *engine).ok_or_else(nonsense)?;
                    let module = GuestModule::new(number, *engine, &used, bytes.to_vec()).map_err(|_| nonsense())?;
                    Some((Arc::new(module), *is_held))
                }
                None => None,
            });
        }
        let stores = saved.stores.iter().map(|store| store.clone().map(Arc::new)).collect();
        Ok(Self { engines, modules, stores })
    }
}

/// The error for guests that cannot be restored.
pub(super) fn nonsense() -> Error {
    Error::value("cannot restore the session: its guests do not make sense")
}
