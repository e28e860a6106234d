//! Values and errors.

use std::fmt;

use wasmtime::{ExternRef, StoreContextMut, V128, Val, ValType};

use super::Data;
use crate::engine::{Failure, Trap};
use crate::value::{Type, UNKNOWN_FUNC, Value};

pub fn type_of(ty: &Type) -> ValType {
    match ty {
        Type::I32 => ValType::I32,
        Type::I64 => ValType::I64,
        Type::F32 => ValType::F32,
        Type::F64 => ValType::F64,
        Type::V128 => ValType::V128,
        Type::Func => ValType::FUNCREF,
        Type::Extern => ValType::EXTERNREF,
    }
}

pub fn value(mut store: StoreContextMut<'_, Data>, val: &Val) -> Value {
    match val {
        Val::I32(bits) => Value::I32(*bits as u32),
        Val::I64(bits) => Value::I64(*bits as u64),
        Val::F32(bits) => Value::F32(*bits),
        Val::F64(bits) => Value::F64(*bits),
        Val::V128(bits) => Value::V128(bits.as_u128()),
        Val::FuncRef(None) => Value::Func(None),
        Val::FuncRef(Some(func)) => {
            let raw = func.to_raw(&mut store) as usize;
            let place = store.data().places.get(&raw).filter(|_| !store.data().blurred);
            Value::Func(Some(place.copied().unwrap_or(UNKNOWN_FUNC)))
        }
        Val::ExternRef(Some(object)) => {
            let number = object.data(&store).ok().flatten().and_then(|data| data.downcast_ref::<u32>().copied());
            Value::Extern(Some(number.unwrap_or(u32::MAX)))
        }
        _ => Value::Extern(None),
    }
}

pub fn val(mut store: StoreContextMut<'_, Data>, value: Value) -> wasmtime::Result<Val> {
    Ok(match value {
        Value::I32(bits) => Val::I32(bits as i32),
        Value::I64(bits) => Val::I64(bits as i64),
        Value::F32(bits) => Val::F32(bits),
        Value::F64(bits) => Val::F64(bits),
        Value::V128(bits) => Val::V128(V128::from(bits)),
        Value::Func(place) => Val::FuncRef(place.and_then(|place| store.data().funcs.get(place as usize).copied())),
        Value::Extern(None) => Val::ExternRef(None),
        Value::Extern(Some(number)) => Val::ExternRef(Some(ExternRef::new(&mut store, number)?)),
    })
}

/// An error of the host, or a trap that it passes on.
#[derive(Debug)]
pub struct HostTrap(pub Trap);

impl fmt::Display for HostTrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for HostTrap {}

pub fn failure(error: wasmtime::Error) -> Failure {
    match trap(&error) {
        Trap::Other(why) => Failure::Rejected(why),
        trap => Failure::Trap(trap),
    }
}

pub fn trap(error: &wasmtime::Error) -> Trap {
    use wasmtime::Trap as Code;
    if let Some(HostTrap(trap)) = error.downcast_ref() {
        return trap.clone();
    }
    match error.downcast_ref::<Code>() {
        Some(Code::UnreachableCodeReached) => Trap::Unreachable,
        Some(Code::MemoryOutOfBounds) => Trap::MemoryBounds,
        Some(Code::TableOutOfBounds) => Trap::TableBounds,
        Some(Code::IndirectCallToNull) => Trap::NullCall,
        Some(Code::IntegerDivisionByZero) => Trap::DivisionByZero,
        Some(Code::IntegerOverflow) => Trap::Overflow,
        Some(Code::BadConversionToInteger) => Trap::Conversion,
        Some(Code::BadSignature) => Trap::Signature,
        Some(Code::StackOverflow) => Trap::Stack,
        Some(Code::OutOfFuel) => Trap::Fuel,
        Some(Code::AllocationTooLarge) => Trap::Resources("allocation too large".to_owned()),
        _ => Trap::Other(format!("{error:#}")),
    }
}
