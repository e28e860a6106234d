//! Gives what was made again what it held.

use wasmi::{AsContextMut, Global, Instance, Memory, Ref, StoreContextMut, Table, Val};

use super::frozen::{PROBE, nonsense};
use super::guest::Guest;
use super::module::GuestModule;
use super::state::{Bytes, Elements, Held, Made, Parts};
use super::thaw::{Thawing, Thing, no_room, refused};
use crate::error::Error;
use crate::isolated::image::{PAGE, is_zero};
use crate::slices;

impl Thawing<'_> {
    /// Gives all things what they hold.
    pub(super) fn fill(&mut self) -> Result<(), Error> {
        for (made, thing) in self.state.made.iter().zip(self.things.clone()) {
            match (made, thing) {
                (Made::Memory(_, bytes), Thing::Memory(memory)) => {
                    bytes.fill(&mut self.store.as_context_mut(), memory)?
                }
                (Made::Table(_, _, elements), Thing::Table(table)) => self.fill_table(elements, table)?,
                (Made::Global { is_mutable: true, value, .. }, Thing::Global(global)) => {
                    self.fill_global(*value, global)?
                }
                (Made::Instance { parts, .. }, Thing::Instance(instance, module)) => {
                    self.fill_instance(parts, instance, &module)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn fill_instance(&mut self, parts: &Parts, instance: Instance, module: &GuestModule) -> Result<(), Error> {
        let layout = &module.layout;
        let memories = own_memories(&mut self.store.as_context_mut(), instance, module);
        for (memory, bytes) in memories.into_iter().zip(&parts.memories) {
            bytes.fill(&mut self.store.as_context_mut(), memory.ok_or_else(nonsense)?)?;
        }
        let tables = own_tables(&mut self.store.as_context_mut(), instance, module);
        for (table, elements) in tables.into_iter().zip(&parts.tables) {
            self.fill_table(elements, table.ok_or_else(nonsense)?)?;
        }
        let globals = layout.mutable_globals.iter().filter(|index| !layout.globals.is_imported(**index));
        for (index, value) in globals.zip(&parts.globals) {
            let global = instance.get_global(&self.store, &layout.global(*index)).ok_or_else(nonsense)?;
            self.fill_global(*value, global)?;
        }
        for segment in &parts.dropped {
            let drop = instance.get_func(&self.store, &layout.drop(*segment)).ok_or_else(nonsense)?;
            slices::set_fuel(&mut self.store, PROBE);
            drop.call(&mut self.store, &[], &mut []).map_err(refused)?;
        }
        Ok(())
    }

    fn fill_table(&mut self, Elements(runs): &Elements, table: Table) -> Result<(), Error> {
        let mut index: u64 = 0;
        for (count, held) in runs {
            let element = match self.value(*held)? {
                Val::FuncRef(function) => Ref::Func(function),
                Val::ExternRef(reference) => Ref::Extern(reference),
                _ => return Err(nonsense()),
            };
            slices::set_fuel(&mut self.store, u64::MAX >> 1);
            table.fill(&mut self.store, index, element, *count).map_err(|_| nonsense())?;
            index = index.checked_add(*count).ok_or_else(nonsense)?;
        }
        Ok(())
    }

    fn fill_global(&mut self, held: Held, global: Global) -> Result<(), Error> {
        let value = self.value(held)?;
        global.set(&mut self.store, value).map_err(|_| nonsense())
    }
}

pub(super) fn own_memories(
    context: &mut StoreContextMut<'_, Guest>,
    instance: Instance,
    GuestModule { layout, .. }: &GuestModule,
) -> Vec<Option<Memory>> {
    let own = layout.memories.indices().filter(|index| !layout.memories.is_imported(*index));
    own.map(|index| instance.get_memory(&*context, &layout.memory(index))).collect()
}

pub(super) fn own_tables(
    context: &mut StoreContextMut<'_, Guest>,
    instance: Instance,
    GuestModule { layout, .. }: &GuestModule,
) -> Vec<Option<Table>> {
    let own = layout.tables.indices().filter(|index| !layout.tables.is_imported(*index));
    own.map(|index| instance.get_table(&*context, &layout.table(index))).collect()
}

impl Bytes {
    pub(super) fn grow(&self, context: &mut StoreContextMut<'_, Guest>, memory: Memory) -> Result<(), Error> {
        let more = self.size.checked_sub(memory.size(&*context)).ok_or_else(nonsense)?;
        match more {
            0 => Ok(()),
            more => memory.grow(context, more).map(drop).map_err(|_| no_room()),
        }
    }

    fn fill(&self, context: &mut StoreContextMut<'_, Guest>, memory: Memory) -> Result<(), Error> {
        let data = memory.data_mut(context);
        let mut pages = self.pages.iter().peekable();
        for (number, place) in (0u32..).zip(data.chunks_mut(PAGE)) {
            match pages.next_if(|(other, _)| *other == number) {
                Some((_, page)) if page.len() == place.len() => place.copy_from_slice(page),
                Some(_) => return Err(nonsense()),
                // Segments of the module may have written here once more.
                None if !is_zero(place) => place.fill(0),
                None => {}
            }
        }
        if pages.next().is_some() { Err(nonsense()) } else { Ok(()) }
    }
}

impl Elements {
    pub(super) fn grow(&self, context: &mut StoreContextMut<'_, Guest>, table: Table) -> Result<(), Error> {
        let size = self.0.iter().try_fold(0u64, |sum, (count, _)| sum.checked_add(*count)).ok_or_else(nonsense)?;
        let more = size.checked_sub(table.size(&*context)).ok_or_else(nonsense)?;
        if more == 0 {
            return Ok(());
        }
        slices::set_fuel(&mut *context, u64::MAX >> 1);
        let null = Ref::null(table.ty(&*context).element());
        table.grow(context, more, null).map(drop).map_err(|_| no_room())
    }
}
