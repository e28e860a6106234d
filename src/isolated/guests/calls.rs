//! What the core does often: calls, the bytes of memories, fuel.

use wasmi::{AsContextMut, Caller, Func, FuncType, Memory, StoreContextMut, TrapCode, Val};

use super::failure::CoreFailed;
use super::guest::{self, Guest};
use super::lent::{enter, leave};
use super::request::{DONE, FAILED, Failure, HOST_FAILED, SLOT_BYTES};
use super::store::{Items, get};
use super::{slot, stack, unknown};
use crate::error::{Error, Limit};
use crate::fuel::BYTES_PER_FUEL;
use crate::isolated::image::slice_mut;
use crate::isolated::room::{Room, guest_stopped};
use crate::slices::{self, Stopped};

/// What each crossing costs beside the work that it does.
pub(super) const CROSSING: u64 = 100;

/// How often guests and the core may call each other, one call in another. The core's own stack has room for fewer calls of
/// functions of a script.
const NESTED: u32 = 1000;

/// The core calls a function, whose parameters are in slots.
pub(in super::super) fn call(
    mut caller: Caller<'_, Room>,
    store: u32,
    function: u32,
    slots: u32,
    params: u32,
    results: u32,
) -> Result<u32, wasmi::Error> {
    pay(&mut caller, CROSSING)?;
    let function = get(&items(&mut caller, store)?.functions, function).ok_or_else(unknown)?;
    let inputs = read_slots(&mut caller, store, slots, params)?;
    let mut outputs = vec![Val::I32(0); usize::try_from(results).map_err(|_| unknown())?];
    match run(&mut caller, store, |context| slices::call(&function, context, &inputs, &mut outputs))? {
        Ok(()) => {
            write_slots(&mut caller, store, slots, &outputs)?;
            Ok(DONE)
        }
        Err(Failure::Host) => Ok(HOST_FAILED),
        Err(failure) => {
            let length = caller.data_mut().answer_with(&failure)?;
            length.checked_add(FAILED).ok_or_else(unknown)
        }
    }
}

/// Runs something in a store, within its fuel and what the core may cost.
///
/// # Errors
///
/// Those that end the core. The others are in the result.
pub(super) fn run<T>(
    caller: &mut Caller<'_, Room>,
    store: u32,
    f: impl FnOnce(&mut StoreContextMut<'_, Guest>) -> Result<T, wasmi::Error>,
) -> Result<Result<T, Failure>, wasmi::Error> {
    let cost = slices::fuel(&*caller).unwrap_or_default();
    let (outcome, spent, is_limited_by_cost) = enter(caller, store, |context| {
        guest::begin(context, cost);
        let outcome = f(context);
        let spent = guest::end(context);
        (outcome, spent, context.data().is_limited_by_cost())
    })?;
    spend(caller, spent);
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(error) if is_limited_by_cost && error.as_trap_code() == Some(TrapCode::OutOfFuel) => {
            slices::set_fuel(caller, 0);
            Err(TrapCode::OutOfFuel.into())
        }
        Err(error) => {
            if let Some(stop) = Stopped::of(&error) {
                guest_stopped(&mut caller.as_context_mut(), stop);
            }
            Ok(Err(Failure::of(&error)))
        }
    }
}

/// Makes a function of a guest's store that is one of the core's.
pub(super) fn define(context: &mut StoreContextMut<'_, Guest>, ty: FuncType, address: u32, slots: u32) -> Func {
    Func::new(context, ty, move |mut guest, params, results| call_core(&mut guest, (address, slots), params, results))
}

/// A guest calls a function of the core.
fn call_core(
    guest: &mut Caller<'_, Guest>,
    (address, slots): (u32, u32),
    params: &[Val],
    results: &mut [Val],
) -> Result<(), wasmi::Error> {
    let spent = guest::end(&mut guest.as_context_mut());
    let (number, store) = (guest.data().number, guest.data().address);
    let objects: Vec<_> = params.iter().map(|param| slot::object_of(param, &*guest)).collect();
    let called = leave(guest, |core| {
        spend(core, spent);
        pay(core, CROSSING)?;
        let nested = core.data().guests.nested;
        if nested >= NESTED {
            return Err(too_deep(nested));
        }
        core.data_mut().guests.nested = nested.saturating_add(1);
        let items = items(core, number)?;
        let values: Vec<_> =
            params.iter().zip(objects).map(|(param, object)| items.for_core(param, |_| object)).collect();
        put(core, slots, &values)?;
        let function = core.data().exports().ok_or_else(unknown)?.call;
        let call = || slices::call_typed(&function, &mut core.as_context_mut(), (store, address));
        let failed = stack::at_level(nested, call).map_err(|_| too_deep(nested))??;
        core.data_mut().guests.nested = nested;
        if failed != 0 {
            return Ok((false, slices::fuel(&*core)));
        }
        let returned = read_slots(core, number, slots, u32::try_from(results.len()).map_err(|_| unknown())?)?;
        for (place, value) in results.iter_mut().zip(returned) {
            // wasmi panics at a result of another type.
            if place.ty() != value.ty() {
                return Err(unknown());
            }
            *place = value;
        }
        Ok((true, slices::fuel(&*core)))
    });
    match called.unwrap_or_else(|| Err(unknown())) {
        Ok((is_done, cost)) => {
            guest::begin(&mut guest.as_context_mut(), cost.unwrap_or_default());
            if is_done { Ok(()) } else { Err(wasmi::Error::host(CoreFailed)) }
        }
        Err(fault) => {
            guest.data_mut().ended = Some(fault);
            Err(wasmi::Error::host(CoreFailed))
        }
    }
}

fn too_deep(nested: u32) -> wasmi::Error {
    let why =
        format!("guests and the script call each other {nested} levels deep: an isolated evaluator allows no more");
    Error::limit(Limit::CallDepth, why).into_wasmi()
}

/// The core reads bytes of a memory.
pub(in super::super) fn read(
    mut caller: Caller<'_, Room>,
    store: u32,
    memory: u32,
    offset: u64,
    address: u32,
    length: u32,
) -> Result<u32, wasmi::Error> {
    let memory = begin_copy(&mut caller, (store, memory), length)?;
    copy(&mut caller, store, |context, core| match range(memory.data(&*context), offset, length) {
        Some(bytes) => place(core, address, length).map(|place| place.copy_from_slice(bytes)).map(|()| true),
        None => Ok(false),
    })
}

/// The core writes bytes of a memory.
pub(in super::super) fn write(
    mut caller: Caller<'_, Room>,
    store: u32,
    memory: u32,
    offset: u64,
    address: u32,
    length: u32,
) -> Result<u32, wasmi::Error> {
    let memory = begin_copy(&mut caller, (store, memory), length)?;
    copy(&mut caller, store, |context, core| {
        let bytes = place(core, address, length)?;
        let guest = usize::try_from(offset).ok().and_then(|start| memory.data_mut(&mut *context).get_mut(start..));
        let guest = guest.and_then(|guest| guest.get_mut(..bytes.len()));
        Ok(guest.map(|guest| guest.copy_from_slice(bytes)).is_some())
    })
}

/// Copies between the memories of a guest and of the core. `f` returns whether the bytes are in the guest's; the core gets 0
/// if they are, and 1 if not.
fn copy(
    caller: &mut Caller<'_, Room>,
    store: u32,
    f: impl FnOnce(&mut StoreContextMut<'_, Guest>, &mut Caller<'_, Room>) -> Result<bool, wasmi::Error>,
) -> Result<u32, wasmi::Error> {
    let is_inside = enter(caller, store, |context| {
        let mut core = std::mem::take(&mut context.data_mut().core);
        let copied = core.with(|core| f(context, core));
        context.data_mut().core = core;
        copied.unwrap_or_else(|| Err(unknown()))
    })??;
    Ok(u32::from(!is_inside))
}

/// Takes the cost of copying bytes, and returns the memory.
fn begin_copy(caller: &mut Caller<'_, Room>, (store, memory): (u32, u32), length: u32) -> Result<Memory, wasmi::Error> {
    pay(caller, CROSSING.saturating_add(u64::from(length) / BYTES_PER_FUEL))?;
    get(&items(caller, store)?.memories, memory).ok_or_else(unknown)
}

fn range(data: &[u8], offset: u64, length: u32) -> Option<&[u8]> {
    data.get(usize::try_from(offset).ok()?..)?.get(..usize::try_from(length).ok()?)
}

/// The core asks for the size of a memory in bytes.
pub(in super::super) fn size(mut caller: Caller<'_, Room>, store: u32, memory: u32) -> Result<u64, wasmi::Error> {
    pay(&mut caller, CROSSING)?;
    let memory = get(&items(&mut caller, store)?.memories, memory).ok_or_else(unknown)?;
    enter(&mut caller, store, |context| memory.data_size(&*context) as u64)
}

/// The core asks for the fuel of a store.
pub(in super::super) fn fuel(mut caller: Caller<'_, Room>, store: u32) -> Result<u64, wasmi::Error> {
    enter(&mut caller, store, |context| context.data().fuel())
}

/// The core sets the fuel of a store.
pub(in super::super) fn set_fuel(mut caller: Caller<'_, Room>, store: u32, fuel: u64) -> Result<(), wasmi::Error> {
    enter(&mut caller, store, |context| context.data_mut().set_fuel(fuel))
}

/// Takes the cost of the host's work from the core's fuel.
pub(super) fn pay(caller: &mut Caller<'_, Room>, fuel: u64) -> Result<(), wasmi::Error> {
    let left = slices::fuel(&*caller).unwrap_or_default().checked_sub(fuel);
    slices::set_fuel(&mut *caller, left.unwrap_or_default());
    left.map(drop).ok_or_else(|| TrapCode::OutOfFuel.into())
}

/// Takes what a guest has spent from the core's fuel.
fn spend(caller: &mut Caller<'_, Room>, fuel: u64) {
    let left = slices::fuel(&*caller).unwrap_or_default().saturating_sub(fuel);
    slices::set_fuel(caller, left);
}

pub(super) fn items<'a>(caller: &'a mut Caller<'_, Room>, store: u32) -> Result<&'a mut Items, wasmi::Error> {
    caller.data_mut().guests.items_mut(store).ok_or_else(unknown)
}

fn core_memory(caller: &Caller<'_, Room>) -> Result<Memory, wasmi::Error> {
    caller.data().memory.ok_or_else(unknown)
}

/// Returns bytes of the core's memory.
fn place<'a>(caller: &'a mut Caller<'_, Room>, address: u32, length: u32) -> Result<&'a mut [u8], wasmi::Error> {
    let memory = core_memory(caller)?;
    Ok(slice_mut(memory.data_mut(caller), address, length).ok_or(TrapCode::MemoryOutOfBounds)?)
}

/// Reads values that the core has put into slots.
fn read_slots(caller: &mut Caller<'_, Room>, store: u32, address: u32, count: u32) -> Result<Vec<Val>, wasmi::Error> {
    let memory = core_memory(caller)?;
    let length = count.checked_mul(SLOT_BYTES as u32).ok_or_else(unknown)?;
    let (data, room) = memory.data_and_store_mut(caller);
    let bytes = slice_mut(data, address, length).ok_or(TrapCode::MemoryOutOfBounds)?;
    let items = room.guests.items_mut(store).ok_or_else(unknown)?;
    bytes
        .chunks_exact(SLOT_BYTES)
        .map(|slot| slot::read(slot).and_then(|value| items.of_core(value)).ok_or_else(unknown))
        .collect()
}

/// Puts the results of a call into slots.
fn write_slots(caller: &mut Caller<'_, Room>, store: u32, address: u32, values: &[Val]) -> Result<(), wasmi::Error> {
    let has_objects = values.iter().any(|value| matches!(value, Val::ExternRef(_)));
    let objects: Vec<Option<u32>> = match has_objects {
        false => Vec::new(),
        true => enter(caller, store, |context| values.iter().map(|value| slot::object_of(value, &*context)).collect())?,
    };
    let objects = objects.into_iter().chain(std::iter::repeat(None));
    let items = items(caller, store)?;
    let values: Vec<_> = values.iter().zip(objects).map(|(value, object)| items.for_core(value, |_| object)).collect();
    put(caller, address, &values)
}

fn put(caller: &mut Caller<'_, Room>, address: u32, values: &[super::request::Value]) -> Result<(), wasmi::Error> {
    let length = u32::try_from(values.len().saturating_mul(SLOT_BYTES)).map_err(|_| unknown())?;
    for (slot, value) in place(caller, address, length)?.chunks_exact_mut(SLOT_BYTES).zip(values) {
        slot::write(slot, *value);
    }
    Ok(())
}
