//! Answers to what the core asks of its guests' engine.

use std::sync::Arc;

use serde::Serialize;
use wasmi::{Caller, Extern, ExternRef, Global, Instance, Memory, Module, Mutability, Table};

use super::calls::{CROSSING, define, items, pay, run};
use super::fill::{own_memories, own_tables};
use super::growth;
use super::guest::Guest;
use super::lent::{Place, enter};
use super::module::{GuestEngine, GuestModule, ModuleSlot};
use super::request::{Failure, Item, MemoryFault, ModuleInfo, Request, TableFault, Type};
use super::slot::object_of;
use super::store::{GuestStore, Items, Recipe, get};
use super::types::{func_type, memory_type, table_type};
use super::unknown;
use crate::error::{Error, Limit};
use crate::fuel::BYTES_PER_FUEL;
use crate::isolated::image::slice_mut;
use crate::isolated::message::encode;
use crate::isolated::room::Room;
use crate::slices;

/// What a byte of a module costs: to be validated, and to be compiled. In units of fuel, for a time that is about theirs.
const VALIDATE: u64 = 5;
const COMPILE: u64 = 40;
/// What a byte of other requests costs.
const BYTE: u64 = 1;
/// The core has one for each of its sandboxes, which are one or two.
const MAX_ENGINES: usize = 16;

/// What a page of a memory costs that is made, and how many elements of a table cost one unit.
const PAGE: u64 = (1 << 16) / BYTES_PER_FUEL;
const ELEMENTS: u64 = 16;

/// The core asks. Returns the length of the answer.
pub(in super::super) fn ask(mut caller: Caller<'_, Room>, address: u32, length: u32) -> Result<u32, wasmi::Error> {
    pay(&mut caller, CROSSING.saturating_add(u64::from(length).saturating_mul(BYTE)))?;
    let memory = caller.data().memory.ok_or_else(unknown)?;
    let message = slice_mut(memory.data_mut(&mut caller), address, length).ok_or_else(unknown)?;
    let request: Request = postcard::from_bytes(message).map_err(|_| unknown())?;
    let answer = answer(&mut caller, request)?;
    caller.data_mut().set_answer(answer)
}

fn answer(caller: &mut Caller<'_, Room>, request: Request) -> Result<Vec<u8>, wasmi::Error> {
    match request {
        Request::Engine { is_metered, depth, stack } => {
            let size = |size| usize::try_from(size).unwrap_or(usize::MAX);
            let engine = GuestEngine::checked(is_metered, size(depth), size(stack)).ok_or_else(unknown)?;
            let engines = &mut caller.data_mut().guests.engines;
            if engines.len() >= MAX_ENGINES {
                return Err(unknown());
            }
            reply(&add(engines, engine))
        }
        Request::Validate { engine, bytes } => {
            pay(caller, VALIDATE.saturating_mul(bytes.len() as u64))?;
            let engine = &caller.data().guests.engine(engine).ok_or_else(unknown)?.engine;
            reply(&Module::validate(engine, &bytes).map_err(|error| error.to_string()))
        }
        Request::Module { engine, bytes } => {
            pay(caller, COMPILE.saturating_mul(bytes.len() as u64))?;
            reply(&compile(caller, engine, bytes.into_vec())?)
        }
        Request::DropModule(module) => {
            let modules = &mut caller.data_mut().guests.modules;
            if let Some(module) = usize::try_from(module).ok().and_then(|module| modules.get_mut(module)) {
                module.held = None;
                module.forget();
            }
            reply(&())
        }
        Request::CustomSections(module) => {
            let module = caller.data().guests.module(module).ok_or_else(unknown)?;
            let sections = module.module.custom_sections();
            let sections: Vec<_> =
                sections.map(|section| (section.name(), serde_bytes::Bytes::new(section.data()))).collect();
            reply(&sections)
        }
        Request::Store { engine, address } => {
            let room = caller.data_mut();
            let number = u32::try_from(room.guests.stores.len()).map_err(|_| unknown())?;
            let used = room.guests.engine(engine).ok_or_else(unknown)?;
            let store = used.store(Guest::new(number, address, used.is_metered, room.interrupt()));
            let place = Place::Owned(Box::new(store));
            let store = GuestStore { place, engine, address, items: Items::default(), instances: 0 };
            reply(&add(&mut room.guests.stores, Some(Box::new(store))))
        }
        Request::DropStore(store) => {
            caller.data_mut().guests.drop_store(store);
            reply(&())
        }
        Request::Instantiate { store, module, externs } => reply(&instantiate(caller, store, module, &externs)?),
        Request::Export { store, instance, name } => {
            let (instance, _) = get(&items(caller, store)?.instances, instance).ok_or_else(unknown)?;
            let found = enter(caller, store, |context| instance.get_export(&*context, &name))?;
            let items = items(caller, store)?;
            reply(&found.map(|found| items.item(found)))
        }
        Request::CallerExport { store, name } => {
            let found = super::lent::caller_export(caller, store, &name);
            let items = items(caller, store)?;
            reply(&found.map(|found| items.item(found)))
        }
        Request::Func { store, address, slots, signature } => {
            let ty = func_type(&signature)?;
            let made = enter(caller, store, |context| define(context, ty, address, slots))?;
            let items = items(caller, store)?;
            let handle = items.function(made);
            items.made.push(Recipe::Func { handle, address, slots, signature });
            reply(&handle)
        }
        Request::Type { store, item } => {
            let found = items(caller, store)?.find(item).ok_or_else(unknown)?;
            reply(&Type::of(&enter(caller, store, |context| found.ty(&*context))?))
        }
        Request::Memory { store, sizes } => {
            let ty = memory_type(sizes);
            let made = run(caller, store, |context| Memory::new(&mut *context, ty?))?;
            if made.is_ok() {
                pay(caller, sizes.minimum.saturating_mul(PAGE))?;
            }
            let items = items(caller, store)?;
            reply(&made.map(|memory| {
                let handle = items.memory(memory);
                items.made.push(Recipe::Memory { handle, sizes });
                handle
            }))
        }
        Request::GrowMemory { store, memory, by } => {
            let memory = get(&items(caller, store)?.memories, memory).ok_or_else(unknown)?;
            let grown = enter(caller, store, |context| memory.grow(&mut *context, by))?;
            if grown.is_ok() {
                pay(caller, by.saturating_mul(PAGE))?;
            }
            reply(&grown.map_err(|error| Failure::Memory(MemoryFault::of(&error))))
        }
        Request::Table { store, element, sizes, init } => {
            let init = items(caller, store)?.reference_of_core(init).ok_or_else(unknown)?;
            let ty = table_type(element, sizes)?;
            let made = run(caller, store, |context| Table::new(&mut *context, ty, init))?;
            if made.is_ok() {
                pay(caller, sizes.minimum / ELEMENTS)?;
            }
            let items = items(caller, store)?;
            reply(&made.map(|table| {
                let handle = items.table(table);
                items.made.push(Recipe::Table { handle, element, sizes });
                handle
            }))
        }
        Request::TableSize { store, table } => {
            let table = get(&items(caller, store)?.tables, table).ok_or_else(unknown)?;
            reply(&enter(caller, store, |context| table.size(&*context))?)
        }
        Request::GrowTable { store, table, by, init } => {
            let init = items(caller, store)?.reference_of_core(init).ok_or_else(unknown)?;
            let table = get(&items(caller, store)?.tables, table).ok_or_else(unknown)?;
            let grown = enter(caller, store, |context| table.grow(&mut *context, by, init))?;
            if grown.is_ok() {
                pay(caller, by / ELEMENTS)?;
            }
            reply(&grown.map_err(|error| Failure::Table(TableFault::of(&error))))
        }
        Request::TableGet { store, table, index } => {
            let table = get(&items(caller, store)?.tables, table).ok_or_else(unknown)?;
            reply(&read(caller, store, |context| table.get(&*context, index).map(wasmi::Val::from))?)
        }
        Request::TableSet { store, table, index, value } => {
            let value = items(caller, store)?.reference_of_core(value).ok_or_else(unknown)?;
            let table = get(&items(caller, store)?.tables, table).ok_or_else(unknown)?;
            let set = enter(caller, store, |context| table.set(&mut *context, index, value))?;
            reply(&set.map_err(|error| Failure::Table(TableFault::of(&error))))
        }
        Request::Global { store, value, is_mutable } => {
            let value = items(caller, store)?.of_core(value).ok_or_else(unknown)?;
            let mutability = if is_mutable { Mutability::Var } else { Mutability::Const };
            let made = enter(caller, store, |context| Global::new(&mut *context, value, mutability))?;
            let items = items(caller, store)?;
            let handle = items.global(made);
            items.made.push(Recipe::Global { handle });
            reply(&handle)
        }
        Request::GlobalGet { store, global } => {
            let global = get(&items(caller, store)?.globals, global).ok_or_else(unknown)?;
            let value = read(caller, store, |context| Some(global.get(&*context)))?;
            reply(&value.ok_or_else(unknown)?)
        }
        Request::GlobalSet { store, global, value } => {
            let value = items(caller, store)?.of_core(value).ok_or_else(unknown)?;
            let global = get(&items(caller, store)?.globals, global).ok_or_else(unknown)?;
            reply(&enter(caller, store, |context| global.set(&mut *context, value).is_ok())?)
        }
        Request::ExternRef { store } => {
            let number = u32::try_from(items(caller, store)?.objects.len()).map_err(|_| unknown())?;
            let made = enter(caller, store, |context| ExternRef::new(&mut *context, number))?;
            items(caller, store)?.objects.push(made);
            reply(&number)
        }
    }
}

fn reply(answer: &impl Serialize) -> Result<Vec<u8>, wasmi::Error> {
    encode(answer).map_err(Error::into_wasmi)
}

/// Adds to a list, and returns the place.
fn add<T>(list: &mut Vec<T>, new: T) -> u32 {
    list.push(new);
    u32::try_from(list.len().saturating_sub(1)).unwrap_or(u32::MAX)
}

/// Reads a value of a store.
fn read(
    caller: &mut Caller<'_, Room>,
    store: u32,
    f: impl FnOnce(&mut wasmi::StoreContextMut<'_, Guest>) -> Option<wasmi::Val>,
) -> Result<Option<super::request::Value>, wasmi::Error> {
    let found = enter(caller, store, |context| {
        f(context).map(|value| {
            let number = object_of(&value, &*context);
            (value, number)
        })
    })?;
    let items = items(caller, store)?;
    Ok(found.map(|(value, number)| items.for_core(&value, |_| number)))
}

fn compile(
    caller: &mut Caller<'_, Room>,
    engine: u32,
    bytes: Vec<u8>,
) -> Result<Result<ModuleInfo, String>, wasmi::Error> {
    let guests = &mut caller.data_mut().guests;
    let used = guests.engine(engine).ok_or_else(unknown)?;
    let number = u32::try_from(guests.modules.len()).map_err(|_| unknown())?;
    let module = match GuestModule::new(number, engine, used, bytes) {
        Ok(module) => module,
        Err(why) => return Ok(Err(why)),
    };
    let imports = module.module.imports();
    let imports = imports.map(|import| (import.module().to_owned(), import.name().to_owned(), Type::of(import.ty())));
    let exports = module.module.exports().filter(|export| !module.layout.is_private(export.name()));
    let exports = exports.map(|export| (export.name().to_owned(), Type::of(export.ty())));
    let (imports, exports) = (imports.collect(), exports.collect());
    let handle = add(&mut guests.modules, ModuleSlot::new(Arc::new(module), true));
    Ok(Ok(ModuleInfo { handle, imports, exports }))
}

/// Makes an instance, and runs its start function.
fn instantiate(
    caller: &mut Caller<'_, Room>,
    store: u32,
    module: u32,
    given: &[Item],
) -> Result<Result<u32, Failure>, wasmi::Error> {
    let module = caller.data().guests.module(module).ok_or_else(unknown)?.clone();
    // wasmi panics at a module of another engine.
    let guests = &mut caller.data_mut().guests;
    let left = guests.instances.checked_sub(module.instance_bytes());
    let owner = guests.store_mut(store).filter(|store| store.engine == module.engine).ok_or_else(unknown)?;
    let Some(left) = left else {
        let why = "the sandbox's limit `heap` is reached: the instances of its guests take no more";
        return Err(Error::limit(Limit::Heap, why).into_wasmi());
    };
    owner.instances = owner.instances.saturating_add(module.instance_bytes());
    guests.instances = left;
    pay(caller, module.price())?;
    let items_now = items(caller, store)?;
    let found: Option<Vec<Extern>> = given.iter().map(|item| items_now.find(*item)).collect();
    let externs = found.ok_or_else(unknown)?;
    let made = enter(caller, store, |context| {
        let instance = growth::instantiate(context, &module, &externs)?;
        let start = module.layout.start().and_then(|start| instance.get_func(&*context, &start));
        Ok::<_, wasmi::Error>((instance, start))
    })?;
    let (instance, start) = match made {
        Ok(made) => made,
        Err(error) => return Ok(Err(Failure::of(&error))),
    };
    let own = own_size(caller, store, instance, &module)?;
    pay(caller, own)?;
    let items = items(caller, store)?;
    let handle = add(&mut items.instances, (instance, module));
    items.made.push(Recipe::Instance { handle, externs: given.to_vec() });
    let started = match start {
        Some(start) => run(caller, store, |context| slices::call(&start, context, &[], &mut []))?,
        None => Ok(()),
    };
    Ok(started.map(|()| handle))
}

/// Returns what the memories and tables of a new instance cost.
fn own_size(
    caller: &mut Caller<'_, Room>,
    store: u32,
    instance: Instance,
    module: &GuestModule,
) -> Result<u64, wasmi::Error> {
    enter(caller, store, |context| {
        let memories = own_memories(context, instance, module).into_iter().flatten();
        let pages = memories.fold(0u64, |sum, memory| sum.saturating_add(memory.size(&*context)));
        let tables = own_tables(context, instance, module).into_iter().flatten();
        let elements = tables.fold(0u64, |sum, table| sum.saturating_add(table.size(&*context)));
        pages.saturating_mul(PAGE).saturating_add(elements / ELEMENTS)
    })
}
