//! Calls that pause after each slice.

use wasmi::{
    Func, ResumableCall, StoreContextMut, TrapCode, TypedFunc, TypedResumableCall, Val, WasmParams, WasmResults,
};

use super::{Sliced, Stopped, fuel, set_fuel_for};
use crate::error::Error;
use crate::host_failure::HostFailure;

/// Calls a function in slices.
pub(super) fn call(
    func: &Func,
    mut context: &mut StoreContextMut<'_, impl Sliced>,
    inputs: &[Val],
    outputs: &mut [Val],
) -> Result<(), wasmi::Error> {
    let mut call = func.call_resumable(&mut context, inputs, outputs)?;
    loop {
        match call {
            ResumableCall::Finished => return Ok(()),
            // This is never resumed: after an error of the host, wasmi 2.0.0 resumes with wrong locals.
            ResumableCall::HostTrap(trap) => return Err(trap.into_host_error()),
            ResumableCall::OutOfFuel(paused) => {
                next_slice(context, paused.required_fuel())?;
                call = paused.resume(&mut context, outputs)?;
            }
        }
    }
}

/// Calls a function of a known type in slices.
#[inline]
pub(crate) fn call_typed<T: Sliced, Params: WasmParams, Results: WasmResults>(
    func: &TypedFunc<Params, Results>,
    context: &mut StoreContextMut<'_, T>,
    params: Params,
) -> Result<Results, wasmi::Error> {
    match func.call_resumable(&mut *context, params)? {
        TypedResumableCall::Finished(results) => Ok(results),
        paused => go_on(paused, context),
    }
}

#[cold]
fn go_on<T: Sliced, Results: WasmResults>(
    mut call: TypedResumableCall<Results>,
    context: &mut StoreContextMut<'_, T>,
) -> Result<Results, wasmi::Error> {
    loop {
        match call {
            TypedResumableCall::Finished(results) => return Ok(results),
            TypedResumableCall::HostTrap(trap) => return Err(taken(trap.host_error())),
            TypedResumableCall::OutOfFuel(paused) => {
                next_slice(context, paused.required_fuel())?;
                call = paused.resume(&mut *context)?;
            }
        }
    }
}

/// Makes an owned error of a host function's: for a typed call, wasmi 2.0.0 only lends it.
fn taken(error: &wasmi::Error) -> wasmi::Error {
    if let Some(failure) = error.downcast_ref::<HostFailure>() {
        return failure.take().into_wasmi();
    }
    if let Some(error) = Error::of_host(error) {
        return error.copy().into_wasmi();
    }
    match (error.i32_exit_status(), error.as_trap_code()) {
        (Some(code), _) => wasmi::Error::i32_exit(code),
        (None, Some(code)) => code.into(),
        (None, None) => wasmi::Error::new(error.to_string()),
    }
}

/// Moves the next slice to the counter.
fn next_slice<T: Sliced>(context: &mut wasmi::StoreContextMut<'_, T>, required: u64) -> Result<(), wasmi::Error> {
    if let Some(stop) = context.data().slices().and_then(|slices| slices.interrupt.tell())
        && !T::tell_stop(context, stop)
    {
        return Err(wasmi::Error::host(Stopped(stop)));
    }
    // The counter need not be zero: its rest does not pay for the next instruction.
    let size = context.data().slices().map_or(0, |slices| slices.size);
    context.data().pass_slice(size.saturating_sub(context.get_fuel().unwrap_or(0)));
    match fuel(&*context) {
        Some(left) if left >= required => {
            set_fuel_for(context, left, required);
            Ok(())
        }
        _ => Err(TrapCode::OutOfFuel.into()),
    }
}
