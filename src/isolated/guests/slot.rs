//! Values of guests as the core has them: see `request`.

use wasmi::{ExternRef, F32, F64, Nullable, Ref, RefType, StoreContext, V128, Val, ValType};

use super::request::{self, EXTERN_REF, FUNC_REF, SLOT_BYTES, Value};
use super::store::Items;

/// Returns the byte for a type.
pub(super) fn number(ty: ValType) -> u8 {
    match ty {
        ValType::I32 => request::I32,
        ValType::I64 => request::I64,
        ValType::F32 => request::F32,
        ValType::F64 => request::F64,
        ValType::V128 => request::V128,
        ValType::FuncRef => FUNC_REF,
        ValType::ExternRef => EXTERN_REF,
    }
}

/// Returns the type for a byte.
pub(super) fn value_type(number: u8) -> Option<ValType> {
    Some(match number {
        request::I32 => ValType::I32,
        request::I64 => ValType::I64,
        request::F32 => ValType::F32,
        request::F64 => ValType::F64,
        request::V128 => ValType::V128,
        FUNC_REF => ValType::FuncRef,
        EXTERN_REF => ValType::ExternRef,
        _ => return None,
    })
}

pub(super) fn ref_type(number: u8) -> RefType {
    if number == EXTERN_REF { RefType::Extern } else { RefType::Func }
}

/// Returns the number of the object that a value refers to, if it is such a reference.
pub(super) fn object_of<'a, T: 'a>(value: &Val, context: impl Into<StoreContext<'a, T>>) -> Option<u32> {
    match value {
        Val::ExternRef(Nullable::Val(reference)) => object(reference, context),
        _ => None,
    }
}

/// Returns the number of the object that a reference refers to.
pub(super) fn object<'a, T: 'a>(reference: &ExternRef, context: impl Into<StoreContext<'a, T>>) -> Option<u32> {
    reference.data(context).downcast_ref::<u32>().copied()
}

impl Items {
    /// Returns the value for the core. `object` tells the number of an object.
    pub(super) fn for_core(&mut self, value: &Val, object: impl FnOnce(&ExternRef) -> Option<u32>) -> Value {
        let plus_one = |number: Option<u32>| number.map_or(0, |number| u128::from(number).wrapping_add(1));
        let bits = match value {
            Val::I32(value) => value.cast_unsigned().into(),
            Val::I64(value) => value.cast_unsigned().into(),
            Val::F32(value) => value.to_bits().into(),
            Val::F64(value) => value.to_bits().into(),
            Val::V128(value) => value.as_u128(),
            Val::FuncRef(Nullable::Val(function)) => plus_one(Some(self.function(*function))),
            Val::ExternRef(Nullable::Val(reference)) => plus_one(object(reference)),
            Val::FuncRef(Nullable::Null) | Val::ExternRef(Nullable::Null) => 0,
        };
        Value { ty: number(value.ty()), bits }
    }

    /// Returns the value that the core means; `None` if it knows no such reference or type.
    pub(super) fn of_core(&self, value: Value) -> Option<Val> {
        let bits = value.bits;
        Some(match value_type(value.ty)? {
            ValType::I32 => Val::I32((bits as u32).cast_signed()),
            ValType::I64 => Val::I64((bits as u64).cast_signed()),
            ValType::F32 => Val::F32(F32::from_bits(bits as u32)),
            ValType::F64 => Val::F64(F64::from_bits(bits as u64)),
            ValType::V128 => Val::V128(V128::from(bits)),
            ValType::FuncRef => Val::FuncRef(found(bits, |handle| self.functions.get(handle).copied())?),
            ValType::ExternRef => Val::ExternRef(found(bits, |number| self.objects.get(number).copied())?),
        })
    }

    pub(super) fn reference_of_core(&self, value: Value) -> Option<Ref> {
        match self.of_core(value)? {
            Val::FuncRef(function) => Some(Ref::Func(function)),
            Val::ExternRef(reference) => Some(Ref::Extern(reference)),
            _ => None,
        }
    }
}

fn found<T>(bits: u128, find: impl FnOnce(usize) -> Option<T>) -> Option<Nullable<T>> {
    match bits.checked_sub(1) {
        None => Some(Nullable::Null),
        Some(number) => find(usize::try_from(number).ok()?).map(Nullable::Val),
    }
}

/// Reads a value from its slot.
pub(super) fn read(slot: &[u8]) -> Option<Value> {
    let (ty, bits) = slot.get(..SLOT_BYTES)?.split_at_checked(8)?;
    Some(Value { ty: *ty.first()?, bits: u128::from_le_bytes(bits.try_into().ok()?) })
}

/// Writes a value to its slot.
pub(super) fn write(slot: &mut [u8], value: Value) {
    if let Some((ty, bits)) = slot.split_at_mut_checked(8) {
        ty.copy_from_slice(&u64::from(value.ty).to_le_bytes());
        bits.copy_from_slice(&value.bits.to_le_bytes());
    }
}
