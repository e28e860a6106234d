//! Engines and modules, as the host has them for the core.

use std::sync::{Arc, Weak};

use wasmi::{Engine, Module, Store};

use super::exposed::{Exposed, Layout, expose};
use super::guest::Guest;
use crate::module::{self, Binary, Untranslatable};

/// A module, and how its instances show their state.
pub(super) struct GuestModule {
    pub(super) number: u32,
    pub(super) engine: u32,
    /// As the core has given it.
    pub(super) bytes: Vec<u8>,
    pub(super) module: Module,
    pub(super) layout: Layout,
}

/// The bytes of an instance, and those for each of its parts.
const INSTANCE_BYTES: u64 = 2 << 10;
const PART_BYTES: u64 = 128;

/// What an instance costs, and each of its parts.
const INSTANCE: u64 = 2000;
const PART: u64 = 300;

/// A module that the core has compiled. Instances keep it too.
pub(super) struct ModuleSlot {
    /// Until the core drops it.
    pub(super) held: Option<Arc<GuestModule>>,
    pub(super) known: Weak<GuestModule>,
}

impl ModuleSlot {
    pub(super) fn new(module: Arc<GuestModule>, is_held: bool) -> Self {
        Self { known: Arc::downgrade(&module), held: is_held.then_some(module) }
    }

    /// Gives back the rest of a module that nobody has.
    pub(super) fn forget(&mut self) {
        if self.known.strong_count() == 0 {
            self.known = Weak::new();
        }
    }
}

/// An engine of the core.
#[derive(Clone)]
pub(super) struct GuestEngine {
    pub(super) engine: Engine,
    /// Whether the core sets the fuel of its stores. Here all are metered.
    pub(super) is_metered: bool,
    pub(super) depth: usize,
    pub(super) stack: usize,
}

impl GuestEngine {
    /// Makes an engine; `None` if no core asks for such a stack.
    pub(super) fn checked(is_metered: bool, depth: usize, stack: usize) -> Option<Self> {
        if module::stack_height(depth) != stack {
            return None;
        }
        let config = module::config_for(true, depth);
        Some(Self { engine: Engine::new(&config), is_metered, depth, stack })
    }

    pub(super) fn store(&self, guest: Guest) -> Store<Guest> {
        let mut store = Store::new(&self.engine, guest);
        store.limiter(|guest| guest);
        store
    }
}

impl GuestModule {
    /// Returns an estimate of the bytes of an instance, without its memories and tables.
    pub(super) fn instance_bytes(&self) -> u64 {
        INSTANCE_BYTES.saturating_add(self.layout.parts().saturating_mul(PART_BYTES))
    }

    /// Returns the units of fuel that an instance costs without its start function.
    pub(super) fn price(&self) -> u64 {
        let parts = self.layout.parts().saturating_mul(PART);
        // Segments are copied: all of them are in the bytes.
        INSTANCE.saturating_add(parts).saturating_add(self.bytes.len() as u64)
    }

    /// Compiles a module as the core's own engine would, so that it shows its state. Returns wasmi's message if it cannot.
    pub(super) fn new(number: u32, engine: u32, used: &GuestEngine, bytes: Vec<u8>) -> Result<Self, String> {
        let GuestEngine { engine: used, is_metered, .. } = used;
        let compile = |bytes: &[u8]| match expose(bytes) {
            Ok(Exposed { bytes: exposed, layout }) => match Module::new(used, &exposed) {
                Ok(module) => Ok((module, layout)),
                // The message must be about the module as it is.
                Err(error) => Err(Module::validate(used, bytes).err().unwrap_or(error)),
            },
            Err(error) => {
                Err(Module::validate(used, bytes).err().unwrap_or_else(|| wasmi::Error::new(error.message())))
            }
        };
        match module::translate_with(used, &Binary::parse(&bytes), *is_metered, compile) {
            Ok(((module, layout), _)) => Ok(Self { number, engine, bytes, module, layout }),
            Err(Untranslatable::Refused(error)) => Err(error.message().to_owned()),
            Err(Untranslatable::Invalid(error)) => Err(error.to_string()),
        }
    }
}
