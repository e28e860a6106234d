//! What a store is now, as data.

use std::collections::BTreeMap;

use serde_bytes::ByteBuf;
use wasmi::{AsContextMut, Instance, Memory, Nullable, StoreContextMut, Table, Val};

use super::frozen::{PROBE, nonsense};
use super::guest::Guest;
use super::lent::Place;
use super::module::GuestModule;
use super::request::Value;
use super::slot;
use super::state::{Bytes, Elements, Held, Made, Origin, Parts, StoreState};
use super::store::{GuestStore, Recipe, get};
use crate::api::identity::{Identifiable, Identity};
use crate::error::Error;
use crate::isolated::image::{PAGE, is_zero};
use crate::slices;

/// Where each thing of a store comes from.
#[derive(Default)]
struct Origins(BTreeMap<Identity, Origin>);

impl Origins {
    fn note(&mut self, thing: &impl Identifiable, made: u32, part: Option<u32>) {
        self.0.entry(Identity::of(thing)).or_insert(Origin { made, part });
    }

    fn of(&self, thing: &impl Identifiable) -> Result<Origin, Error> {
        self.0.get(&Identity::of(thing)).copied().ok_or_else(|| {
            Error::value(
                "cannot save or fork the session: something of an instance is in use that could not be made, since its \
                 segments did not fit",
            )
        })
    }
}

impl GuestStore {
    pub(super) fn freeze(&mut self) -> Result<StoreState, Error> {
        let Self { place, engine, address, items, .. } = self;
        // A session is saved between two calls.
        let Place::Owned(store) = place else { return Err(Error::value("the session is running")) };
        let mut context = store.as_context_mut();
        let mut origins = Origins::default();
        for (number, recipe) in (0..).zip(&items.made) {
            match recipe {
                Recipe::Func { handle, .. } => note(&mut origins, &items.functions, *handle, number),
                Recipe::Memory { handle, .. } => note(&mut origins, &items.memories, *handle, number),
                Recipe::Table { handle, .. } => note(&mut origins, &items.tables, *handle, number),
                Recipe::Global { handle } => note(&mut origins, &items.globals, *handle, number),
                Recipe::Instance { handle, .. } => {
                    if let Some((instance, module)) = get(&items.instances, *handle) {
                        origins.note_instance(&context, instance, &module, number);
                    }
                }
            }
        }
        let mut made = Vec::new();
        for recipe in &items.made {
            made.push(match recipe {
                Recipe::Func { address, slots, signature, .. } => {
                    Made::Func { address: *address, slots: *slots, signature: signature.clone() }
                }
                Recipe::Memory { handle, sizes } => {
                    Made::Memory(*sizes, Bytes::of(&context, found(&items.memories, *handle)?))
                }
                Recipe::Table { handle, element, sizes } => {
                    Made::Table(*element, *sizes, Elements::of(&context, found(&items.tables, *handle)?, &origins)?)
                }
                Recipe::Global { handle } => {
                    let global = found(&items.globals, *handle)?;
                    let ty = global.ty(&context);
                    let value = Held::of(&context, &global.get(&context), &origins)?;
                    Made::Global { ty: slot::number(ty.content()), is_mutable: ty.mutability().is_mut(), value }
                }
                Recipe::Instance { handle, externs } => {
                    let (instance, module) = found(&items.instances, *handle)?;
                    let parts = Parts::of(&mut context, instance, &module, &origins)?;
                    Made::Instance { module: module.number, externs: externs.clone(), parts }
                }
            });
        }
        Ok(StoreState {
            engine: *engine,
            address: *address,
            fuel: context.data().fuel(),
            made,
            functions: origins.all(&items.functions)?,
            memories: origins.all(&items.memories)?,
            tables: origins.all(&items.tables)?,
            globals: origins.all(&items.globals)?,
            objects: u32::try_from(items.objects.len()).unwrap_or(u32::MAX),
        })
    }
}

fn note<T: Identifiable + Clone>(origins: &mut Origins, list: &[T], handle: u32, made: u32) {
    if let Some(thing) = get(list, handle) {
        origins.note(&thing, made, None);
    }
}

fn found<T: Clone>(list: &[T], handle: u32) -> Result<T, Error> {
    get(list, handle).ok_or_else(|| Error::value("a handle of nothing"))
}

impl Origins {
    fn all(&self, things: &[impl Identifiable]) -> Result<Vec<Origin>, Error> {
        things.iter().map(|thing| self.of(thing)).collect()
    }

    fn note_instance(
        &mut self,
        context: &StoreContextMut<'_, Guest>,
        instance: Instance,
        GuestModule { layout, .. }: &GuestModule,
        made: u32,
    ) {
        for index in layout.memories.indices() {
            if let Some(memory) = instance.get_memory(context, &layout.memory(index)) {
                self.note(&memory, made, Some(index));
            }
        }
        for index in layout.tables.indices() {
            if let Some(table) = instance.get_table(context, &layout.table(index)) {
                self.note(&table, made, Some(index));
            }
        }
        for index in layout.globals.indices() {
            if let Some(global) = instance.get_global(context, &layout.global(index)) {
                self.note(&global, made, Some(index));
            }
        }
        for index in &layout.functions {
            if let Some(function) = instance.get_func(context, &layout.function(*index)) {
                self.note(&function, made, Some(*index));
            }
        }
    }
}

impl Parts {
    fn of(
        context: &mut StoreContextMut<'_, Guest>,
        instance: Instance,
        GuestModule { layout, .. }: &GuestModule,
        origins: &Origins,
    ) -> Result<Self, Error> {
        let mut parts = Self::default();
        for index in layout.memories.indices().filter(|index| !layout.memories.is_imported(*index)) {
            let memory = instance.get_memory(&*context, &layout.memory(index)).ok_or_else(nonsense)?;
            parts.memories.push(Bytes::of(context, memory));
        }
        for index in layout.tables.indices().filter(|index| !layout.tables.is_imported(*index)) {
            let table = instance.get_table(&*context, &layout.table(index)).ok_or_else(nonsense)?;
            parts.tables.push(Elements::of(context, table, origins)?);
        }
        for index in layout.mutable_globals.iter().filter(|index| !layout.globals.is_imported(**index)) {
            let global = instance.get_global(&*context, &layout.global(*index)).ok_or_else(nonsense)?;
            parts.globals.push(Held::of(context, &global.get(&*context), origins)?);
        }
        for segment in &layout.segments {
            let probe = instance.get_func(&*context, &layout.probe(*segment)).ok_or_else(nonsense)?;
            slices::set_fuel(&mut *context, PROBE);
            if probe.call(&mut *context, &[], &mut []).is_err() {
                parts.dropped.push(*segment);
            }
        }
        Ok(parts)
    }
}

impl Bytes {
    fn of(context: &StoreContextMut<'_, Guest>, memory: Memory) -> Self {
        let pages = (0..).zip(memory.data(context).chunks(PAGE)).filter(|(_, page)| !is_zero(page));
        Self { size: memory.size(context), pages: pages.map(|(number, page)| (number, ByteBuf::from(page))).collect() }
    }
}

impl Elements {
    fn of(context: &StoreContextMut<'_, Guest>, table: Table, origins: &Origins) -> Result<Self, Error> {
        let mut runs: Vec<(u64, Held)> = Vec::new();
        for index in 0..table.size(context) {
            let Some(element) = table.get(context, index) else { break };
            let held = Held::of(context, &Val::from(element), origins)?;
            match runs.last_mut() {
                Some((count, last)) if *last == held => *count = count.saturating_add(1),
                _ => runs.push((1, held)),
            }
        }
        Ok(Self(runs))
    }
}

impl Held {
    fn of(context: &StoreContextMut<'_, Guest>, value: &Val, origins: &Origins) -> Result<Self, Error> {
        let bits = match value {
            Val::I32(value) => value.cast_unsigned().into(),
            Val::I64(value) => value.cast_unsigned().into(),
            Val::F32(value) => value.to_bits().into(),
            Val::F64(value) => value.to_bits().into(),
            Val::V128(value) => value.as_u128(),
            Val::FuncRef(Nullable::Null) => return Ok(Self::NullFunc),
            Val::ExternRef(Nullable::Null) => return Ok(Self::NullExtern),
            Val::FuncRef(Nullable::Val(function)) => return origins.of(function).map(Self::Func),
            Val::ExternRef(Nullable::Val(reference)) => {
                return slot::object(reference, context).map(Self::Object).ok_or_else(nonsense);
            }
        };
        Ok(Self::Number(Value { ty: slot::number(value.ty()), bits }))
    }
}
