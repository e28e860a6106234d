//! Values and errors. Like `machine`, this file is compiled twice.

use std::fmt;

use super::Reference;
use super::api::errors::{ErrorKind, HostError, InstantiationError};
use super::api::{AsContext, AsContextMut, Error, ExternRef, F32, F64, TrapCode, V128, Val, ValType};
use super::machine::Data;
use crate::engine::{Failure, Trap};
use crate::value::{Type, UNKNOWN_FUNC, Value};

pub fn type_of(ty: &Type) -> ValType {
    match ty {
        Type::I32 => ValType::I32,
        Type::I64 => ValType::I64,
        Type::F32 => ValType::F32,
        Type::F64 => ValType::F64,
        Type::V128 => ValType::V128,
        Type::Func => ValType::FuncRef,
        Type::Extern => ValType::ExternRef,
    }
}

pub fn value(context: &impl AsContext<Data = Data>, val: &Val) -> Value {
    match val {
        Val::I32(bits) => Value::I32(*bits as u32),
        Val::I64(bits) => Value::I64(*bits as u64),
        Val::F32(float) => Value::F32(float.to_bits()),
        Val::F64(float) => Value::F64(float.to_bits()),
        Val::V128(bits) => Value::V128(bits.as_u128()),
        Val::FuncRef(Reference::Null) => Value::Func(None),
        Val::FuncRef(Reference::Val(func)) => {
            let context = context.as_context();
            let place = context.data().places.get(&format!("{func:?}")).filter(|_| !context.data().blurred);
            Value::Func(Some(place.copied().unwrap_or(UNKNOWN_FUNC)))
        }
        Val::ExternRef(Reference::Null) => Value::Extern(None),
        Val::ExternRef(Reference::Val(object)) => {
            Value::Extern(Some(object.data(context.as_context()).downcast_ref::<u32>().copied().unwrap_or(u32::MAX)))
        }
    }
}

pub fn val(mut context: impl AsContextMut<Data = Data>, value: Value) -> Val {
    match value {
        Value::I32(bits) => Val::I32(bits as i32),
        Value::I64(bits) => Val::I64(bits as i64),
        Value::F32(bits) => Val::F32(F32::from_bits(bits)),
        Value::F64(bits) => Val::F64(F64::from_bits(bits)),
        Value::V128(bits) => Val::V128(V128::from(bits)),
        Value::Func(place) => {
            let context = context.as_context();
            let func = place.and_then(|place| context.data().funcs.get(place as usize).copied());
            Val::FuncRef(func.map_or(Reference::Null, Reference::Val))
        }
        Value::Extern(number) => {
            let object = number.map(|number| ExternRef::new(&mut context, number));
            Val::ExternRef(object.map_or(Reference::Null, Reference::Val))
        }
    }
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
impl HostError for HostTrap {}

pub fn failure(error: Error) -> Failure {
    match error.kind() {
        ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { .. }) => {
            Failure::Trap(Trap::TableBounds)
        }
        ErrorKind::Instantiation(error) => Failure::Rejected(error.to_string()),
        _ => Failure::Trap(trap(&error)),
    }
}

pub fn trap(error: &Error) -> Trap {
    if let Some(HostTrap(trap)) = error.downcast_ref() {
        return trap.clone();
    }
    let Some(code) = error.as_trap_code() else {
        return Trap::Other(error.to_string());
    };
    match code {
        TrapCode::UnreachableCodeReached => Trap::Unreachable,
        TrapCode::MemoryOutOfBounds => Trap::MemoryBounds,
        TrapCode::TableOutOfBounds => Trap::TableBounds,
        TrapCode::IndirectCallToNull => Trap::NullCall,
        TrapCode::IntegerDivisionByZero => Trap::DivisionByZero,
        TrapCode::IntegerOverflow => Trap::Overflow,
        TrapCode::BadConversionToInteger => Trap::Conversion,
        TrapCode::BadSignature => Trap::Signature,
        TrapCode::StackOverflow => Trap::Stack,
        TrapCode::OutOfFuel => Trap::Fuel,
        code => Trap::Resources(code.to_string()),
    }
}
