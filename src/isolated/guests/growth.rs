//! Grows tables for the code of guests: see `exposed::grown`.

use wasmi::errors::TableError;
use wasmi::{Caller, Extern, Func, FuncType, Instance, Nullable, Ref, StoreContextMut, Table, TrapCode, Val, ValType};

use super::exposed::Layout;
use super::guest::Guest;
use super::module::GuestModule;
use crate::fuel::BYTES_PER_FUEL;
use crate::slices::{self, Sliced};

/// What wasmi charges for in each new element.
const BYTES_PER_ELEMENT: u64 = 4;

/// The fuel of the function that calls one of these: one unit for itself, and one for each of its instructions.
const EXTRA: u64 = 5;

/// Makes an instance, without its start function.
pub(super) fn instantiate(
    context: &mut StoreContextMut<'_, Guest>,
    GuestModule { module, layout, .. }: &GuestModule,
    externs: &[Extern],
) -> Result<Instance, wasmi::Error> {
    if !layout.grown.is_empty() {
        let own = layout.tables.indices().filter(|index| !layout.tables.is_imported(*index));
        context.data_mut().pass_table(u32::try_from(own.count()).unwrap_or(u32::MAX));
    }
    let instance = Instance::new(&mut *context, module, externs)?;
    define(context, instance, layout)?;
    Ok(instance)
}

/// Gives a new instance the functions that grow its tables.
pub(super) fn define<T: Sliced + 'static>(
    context: &mut StoreContextMut<'_, T>,
    instance: Instance,
    layout: &Layout,
) -> Result<(), wasmi::Error> {
    let Some(growers) = layout.growers().and_then(|growers| instance.get_table(&*context, &growers)) else {
        return Ok(());
    };
    for (place, index) in (0..).zip(&layout.grown) {
        let table = instance.get_table(&*context, &layout.table(*index)).ok_or_else(super::unknown)?;
        let ty = table.ty(&*context);
        let index = if ty.is_64() { ValType::I64 } else { ValType::I32 };
        let ty = FuncType::new([ty.element().into(), index], [index]);
        let grower =
            Func::new(&mut *context, ty, move |mut guest, params, results| grow(&mut guest, table, params, results));
        growers.set(&mut *context, place, Ref::Func(Nullable::Val(grower)))?;
    }
    Ok(())
}

/// Does what the instruction does, for the same fuel.
fn grow<T: Sliced>(
    guest: &mut Caller<'_, T>,
    table: Table,
    params: &[Val],
    results: &mut [Val],
) -> Result<(), wasmi::Error> {
    let ([init, by], [result]) = (params, results) else { return Err(super::unknown()) };
    let init = match init {
        Val::FuncRef(function) => Ref::Func(*function),
        Val::ExternRef(object) => Ref::Extern(*object),
        _ => return Err(super::unknown()),
    };
    let by = match by {
        Val::I32(by) => by.cast_unsigned().into(),
        Val::I64(by) => by.cast_unsigned(),
        _ => return Err(super::unknown()),
    };
    let left = slices::fuel(&*guest).unwrap_or_default().saturating_add(EXTRA);
    let price = by.saturating_mul(BYTES_PER_ELEMENT) / BYTES_PER_FUEL;
    let ty = table.ty(&*guest);
    let is_possible =
        table.size(&*guest).checked_add(by).is_some_and(|size| size <= ty.maximum().unwrap_or(u32::MAX.into()));
    if is_possible && price > left {
        return Err(TrapCode::OutOfFuel.into());
    }
    let (size, left) = match table.grow(&mut *guest, by, init) {
        Ok(size) => (size, left.saturating_sub(price)),
        Err(TableError::ResourceLimiterDeniedAllocation) => return Err(TrapCode::GrowthOperationLimited.into()),
        Err(_) => (u64::MAX, left),
    };
    slices::set_fuel(&mut *guest, left);
    *result = match result {
        Val::I64(_) => Val::I64(size.cast_signed()),
        _ => Val::I32((size as u32).cast_signed()),
    };
    Ok(())
}
