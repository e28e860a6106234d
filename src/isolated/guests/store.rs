//! A store of the core's guests, and what the core knows of it by number.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmi::{Extern, ExternRef, Func, Global, Instance, Memory, Table};

use super::GuestModule;
use super::lent::Place;
use super::request::{Item, Signature, Sizes};
use crate::api::identity::Identity;

/// A store.
pub(super) struct GuestStore {
    pub(super) place: Place,
    /// The number of its engine.
    pub(super) engine: u32,
    /// What the core calls it.
    pub(super) address: u32,
    pub(super) items: Items,
    /// The bytes of its instances.
    pub(super) instances: u64,
}

/// What the core has handles of. A handle is the place in a list; what has two handles in wasmi has one here.
#[derive(Default)]
pub(super) struct Items {
    pub(super) functions: Vec<Func>,
    pub(super) memories: Vec<Memory>,
    pub(super) tables: Vec<Table>,
    pub(super) globals: Vec<Global>,
    pub(super) objects: Vec<ExternRef>,
    pub(super) instances: Vec<(Instance, Arc<GuestModule>)>,
    /// All of these that was made in the store, in order.
    pub(super) made: Vec<Recipe>,
    /// The handles of functions, memories, tables and globals.
    handles: BTreeMap<Identity, u32>,
}

/// How something was made. Its handle is that of its kind.
#[derive(Clone)]
pub(super) enum Recipe {
    Func { handle: u32, address: u32, slots: u32, signature: Signature },
    Memory { handle: u32, sizes: Sizes },
    Table { handle: u32, element: u8, sizes: Sizes },
    Global { handle: u32 },
    Instance { handle: u32, externs: Vec<Item> },
}

macro_rules! handle {
    ($($name:ident, $list:ident, $type:ty;)*) => {$(
        /// Returns the handle.
        pub(super) fn $name(&mut self, item: $type) -> u32 {
            let next = u32::try_from(self.$list.len()).unwrap_or(u32::MAX);
            let handle = *self.handles.entry(Identity::of(&item)).or_insert(next);
            if handle == next {
                self.$list.push(item);
            }
            handle
        }
    )*};
}

impl Items {
    handle! {
        function, functions, Func;
        memory, memories, Memory;
        table, tables, Table;
        global, globals, Global;
    }

    pub(super) fn item(&mut self, item: Extern) -> Item {
        match item {
            Extern::Func(function) => Item::Func(self.function(function)),
            Extern::Memory(memory) => Item::Memory(self.memory(memory)),
            Extern::Table(table) => Item::Table(self.table(table)),
            Extern::Global(global) => Item::Global(self.global(global)),
        }
    }

    /// Returns what an item is; `None` for one that the core was never given.
    pub(super) fn find(&self, item: Item) -> Option<Extern> {
        Some(match item {
            Item::Func(handle) => get(&self.functions, handle)?.into(),
            Item::Memory(handle) => get(&self.memories, handle)?.into(),
            Item::Table(handle) => get(&self.tables, handle)?.into(),
            Item::Global(handle) => get(&self.globals, handle)?.into(),
        })
    }
}

/// Returns what has this handle.
pub(super) fn get<T: Clone>(list: &[T], handle: u32) -> Option<T> {
    list.get(usize::try_from(handle).ok()?).cloned()
}
