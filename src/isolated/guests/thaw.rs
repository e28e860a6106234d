//! Makes a store that was frozen.

use std::sync::Arc;

use wasmi::{
    AsContextMut, Extern, ExternRef, Func, Global, Instance, Memory, Mutability, Nullable, Ref, Store, Table, Val,
};

use super::calls::define;
use super::fill::{own_memories, own_tables};
use super::frozen::nonsense;
use super::growth;
use super::guest::{Guest, Restoring};
use super::lent::Place;
use super::module::{GuestEngine, GuestModule};
use super::request::Item;
use super::slot;
use super::state::{Held, Made, Origin, StoreState};
use super::store::{GuestStore, Items, Recipe, get};
use super::types::{func_type, memory_type, table_type};
use crate::error::{Error, Limit};
use crate::interrupt::Interrupt;

/// What was made again, in the order of `StoreState::made`.
#[derive(Clone)]
pub(super) enum Thing {
    Func(Func),
    Memory(Memory),
    Table(Table),
    Global(Global),
    Instance(Instance, Arc<GuestModule>),
}

/// A store that is being restored.
pub(super) struct Thawing<'a> {
    pub(super) state: &'a StoreState,
    pub(super) store: Store<Guest>,
    pub(super) things: Vec<Thing>,
    objects: Vec<ExternRef>,
}

impl StoreState {
    /// Makes the store. `module` finds a module by its number.
    pub(super) fn thaw(
        &self,
        number: u32,
        engine: &GuestEngine,
        module: impl Fn(u32) -> Option<Arc<GuestModule>>,
        allowed: &mut Restoring,
        interrupt: &Interrupt,
    ) -> Result<GuestStore, Error> {
        let guest = Guest::new(number, self.address, engine.is_metered, interrupt);
        let mut thawing = Thawing { state: self, store: engine.store(guest), things: Vec::new(), objects: Vec::new() };
        allowed.objects = allowed.objects.checked_sub(self.objects.into()).ok_or_else(no_room)?;
        for number in 0..self.objects {
            thawing.objects.push(ExternRef::new(&mut thawing.store, number));
        }
        thawing.store.data_mut().set_restoring(Some(*allowed));
        for made in &self.made {
            if let Made::Instance { module: number, .. } = made {
                let bytes = module(*number).ok_or_else(nonsense)?.instance_bytes();
                allowed.instances = allowed.instances.checked_sub(bytes).ok_or_else(no_room)?;
            }
            let thing = thawing.make(made, &module)?;
            thawing.things.push(thing);
        }
        thawing.fill()?;
        let items = thawing.items()?;
        let mut store = thawing.store;
        if let Some(left) = store.data_mut().set_restoring(None) {
            (allowed.memory, allowed.elements) = (left.memory, left.elements);
        }
        store.data_mut().set_fuel(self.fuel);
        let place = Place::Owned(Box::new(store));
        let instances =
            items.instances.iter().fold(0u64, |sum, (_, module)| sum.saturating_add(module.instance_bytes()));
        Ok(GuestStore { place, engine: self.engine, address: self.address, items, instances })
    }
}

impl Thawing<'_> {
    /// Makes a thing as large as it is in the end, since the segments of an instance that is made later may reach that far.
    fn make(&mut self, made: &Made, module: impl Fn(u32) -> Option<Arc<GuestModule>>) -> Result<Thing, Error> {
        let mut context = self.store.as_context_mut();
        Ok(match made {
            Made::Func { address, slots, signature } => {
                let ty = func_type(signature).map_err(refused)?;
                Thing::Func(define(&mut context, ty, *address, *slots))
            }
            Made::Memory(sizes, bytes) => {
                let ty = memory_type(*sizes).map_err(refused)?;
                let memory = Memory::new(&mut context, ty).map_err(refused)?;
                bytes.grow(&mut context, memory)?;
                Thing::Memory(memory)
            }
            Made::Table(element, sizes, elements) => {
                let ty = table_type(*element, *sizes).map_err(refused)?;
                let table = Table::new(&mut context, ty, Ref::null(ty.element())).map_err(refused)?;
                elements.grow(&mut context, table)?;
                Thing::Table(table)
            }
            Made::Global { ty, is_mutable, value } => {
                let ty = slot::value_type(*ty).ok_or_else(nonsense)?;
                // What can change may refer to something that is made later: `fill` sets it.
                let (value, mutability) = match is_mutable {
                    true => (Val::default_for_ty(ty), Mutability::Var),
                    false => (self.value(*value)?, Mutability::Const),
                };
                if value.ty() != ty {
                    return Err(nonsense());
                }
                Thing::Global(Global::new(&mut self.store, value, mutability))
            }
            Made::Instance { module: number, externs, parts } => {
                // wasmi panics at a module of another engine.
                let module =
                    module(*number).filter(|module| module.engine == self.state.engine).ok_or_else(nonsense)?;
                let externs: Vec<Extern> = externs.iter().map(|item| self.item(*item)).collect::<Result<_, _>>()?;
                let mut context = self.store.as_context_mut();
                let instance = growth::instantiate(&mut context, &module, &externs).map_err(refused)?;
                for (memory, bytes) in own_memories(&mut context, instance, &module).into_iter().zip(&parts.memories) {
                    bytes.grow(&mut context, memory.ok_or_else(nonsense)?)?;
                }
                for (table, elements) in own_tables(&mut context, instance, &module).into_iter().zip(&parts.tables) {
                    elements.grow(&mut context, table.ok_or_else(nonsense)?)?;
                }
                Thing::Instance(instance, module)
            }
        })
    }

    /// Returns what the core has handles of.
    fn items(&mut self) -> Result<Items, Error> {
        let mut items = Items::default();
        items.objects.clone_from(&self.objects);
        let state = self.state;
        // Each gets the number that it had, since no two of a list are the same.
        let is_new = |number: usize, handle: u32| usize::try_from(handle).is_ok_and(|handle| handle == number);
        for (number, origin) in state.functions.iter().enumerate() {
            let handle = items.function(self.function(*origin)?);
            is_new(number, handle).then_some(()).ok_or_else(nonsense)?;
        }
        for (number, origin) in state.memories.iter().enumerate() {
            let handle = items.memory(self.memory(*origin)?);
            is_new(number, handle).then_some(()).ok_or_else(nonsense)?;
        }
        for (number, origin) in state.tables.iter().enumerate() {
            let handle = items.table(self.table(*origin)?);
            is_new(number, handle).then_some(()).ok_or_else(nonsense)?;
        }
        for (number, origin) in state.globals.iter().enumerate() {
            let handle = items.global(self.global(*origin)?);
            is_new(number, handle).then_some(()).ok_or_else(nonsense)?;
        }
        for (made, thing) in state.made.iter().zip(&self.things) {
            let recipe = match (made, thing) {
                (Made::Func { address, slots, signature }, Thing::Func(function)) => Recipe::Func {
                    handle: items.function(*function),
                    address: *address,
                    slots: *slots,
                    signature: signature.clone(),
                },
                (Made::Memory(sizes, _), Thing::Memory(memory)) => {
                    Recipe::Memory { handle: items.memory(*memory), sizes: *sizes }
                }
                (Made::Table(element, sizes, _), Thing::Table(table)) => {
                    Recipe::Table { handle: items.table(*table), element: *element, sizes: *sizes }
                }
                (Made::Global { .. }, Thing::Global(global)) => Recipe::Global { handle: items.global(*global) },
                (Made::Instance { externs, .. }, Thing::Instance(instance, module)) => {
                    let handle = u32::try_from(items.instances.len()).map_err(|_| nonsense())?;
                    items.instances.push((*instance, module.clone()));
                    Recipe::Instance { handle, externs: externs.clone() }
                }
                _ => return Err(nonsense()),
            };
            items.made.push(recipe);
        }
        Ok(items)
    }

    pub(super) fn value(&self, held: Held) -> Result<Val, Error> {
        Ok(match held {
            Held::Number(value) => Items::default().of_core(value).ok_or_else(nonsense)?,
            Held::NullFunc => Val::FuncRef(Nullable::Null),
            Held::NullExtern => Val::ExternRef(Nullable::Null),
            Held::Func(origin) => Val::from(self.function(origin)?),
            Held::Object(number) => Val::from(get(&self.objects, number).ok_or_else(nonsense)?),
        })
    }

    fn item(&self, item: Item) -> Result<Extern, Error> {
        let origin = |list: &[Origin], handle| get(list, handle).ok_or_else(nonsense);
        Ok(match item {
            Item::Func(handle) => self.function(origin(&self.state.functions, handle)?)?.into(),
            Item::Memory(handle) => self.memory(origin(&self.state.memories, handle)?)?.into(),
            Item::Table(handle) => self.table(origin(&self.state.tables, handle)?)?.into(),
            Item::Global(handle) => self.global(origin(&self.state.globals, handle)?)?.into(),
        })
    }

    fn function(&self, Origin { made, part }: Origin) -> Result<Func, Error> {
        let found = match (get(&self.things, made), part) {
            (Some(Thing::Func(function)), None) => Some(function),
            (Some(Thing::Instance(instance, module)), Some(index)) => {
                instance.get_func(&self.store, &module.layout.function(index))
            }
            _ => None,
        };
        found.ok_or_else(nonsense)
    }

    fn memory(&self, Origin { made, part }: Origin) -> Result<Memory, Error> {
        let found = match (get(&self.things, made), part) {
            (Some(Thing::Memory(memory)), None) => Some(memory),
            (Some(Thing::Instance(instance, module)), Some(index)) => {
                instance.get_memory(&self.store, &module.layout.memory(index))
            }
            _ => None,
        };
        found.ok_or_else(nonsense)
    }

    fn table(&self, Origin { made, part }: Origin) -> Result<Table, Error> {
        let found = match (get(&self.things, made), part) {
            (Some(Thing::Table(table)), None) => Some(table),
            (Some(Thing::Instance(instance, module)), Some(index)) => {
                instance.get_table(&self.store, &module.layout.table(index))
            }
            _ => None,
        };
        found.ok_or_else(nonsense)
    }

    fn global(&self, Origin { made, part }: Origin) -> Result<Global, Error> {
        let found = match (get(&self.things, made), part) {
            (Some(Thing::Global(global)), None) => Some(global),
            (Some(Thing::Instance(instance, module)), Some(index)) => {
                instance.get_global(&self.store, &module.layout.global(index))
            }
            _ => None,
        };
        found.ok_or_else(nonsense)
    }
}

pub(super) fn refused(error: wasmi::Error) -> Error {
    match crate::budget::denied(&error) {
        Some(_) => no_room(),
        None => nonsense(),
    }
}

pub(super) fn no_room() -> Error {
    Error::limit(Limit::Memory, "the sandbox's limits leave no room for the memory of the session")
}
