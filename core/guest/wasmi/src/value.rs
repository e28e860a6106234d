//! Values and references.
#![allow(unsafe_code)]

use std::any::Any;
use std::cell::Cell;

use wasmi_core::{F32, F64, RefType, V128, ValType};

use crate::context::{AsContextMut, StoreContext};
use crate::func::Func;
use crate::outside::ask;
use crate::request::{Request, Value};
use crate::types::{number, value_type};

#[derive(Debug, Default, Copy, Clone)]
pub enum Nullable<T> {
    #[default]
    Null,
    Val(T),
}

#[derive(Debug, Copy, Clone)]
pub enum Ref {
    Func(Nullable<Func>),
    Extern(Nullable<ExternRef>),
}

#[derive(Debug, Copy, Clone)]
pub struct ExternRef {
    #[allow(dead_code)] // Told by `Debug`: two references are the same if they print the same.
    pub(crate) store: u32,
    pub(crate) number: u32,
}

#[derive(Clone, Debug)]
pub enum Val {
    I32(i32),
    I64(i64),
    F32(F32),
    F64(F64),
    V128(V128),
    FuncRef(Nullable<Func>),
    ExternRef(Nullable<ExternRef>),
}

/// A value where the host finds it: see `request::SLOT_BYTES`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(crate) struct Slot {
    ty: u32,
    nothing: u32,
    low: u64,
    high: u64,
}

impl<T> Nullable<T> {
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    fn bits(&self, number: impl FnOnce(&T) -> u32) -> u128 {
        match self {
            Self::Null => 0,
            Self::Val(value) => u128::from(number(value)).wrapping_add(1),
        }
    }

    fn of(bits: u128, value: impl FnOnce(u32) -> T) -> Self {
        match bits.checked_sub(1).and_then(|number| u32::try_from(number).ok()) {
            Some(number) => Self::Val(value(number)),
            None => Self::Null,
        }
    }
}

impl ExternRef {
    /// Makes a reference to `object`, which the store keeps.
    pub fn new<T: Any + Send + Sync>(mut context: impl AsContextMut, object: T) -> Self {
        let mut context = context.as_context_mut();
        let store = context.id();
        let number = ask(&Request::ExternRef { store });
        context.keep_object(Box::new(object));
        Self { store, number }
    }

    pub fn data<'a, T: 'a>(&self, context: impl Into<StoreContext<'a, T>>) -> &'a dyn Any {
        context.into().object(self.number)
    }
}

impl Ref {
    pub fn null(ty: RefType) -> Self {
        match ty {
            RefType::Func => Self::Func(Nullable::Null),
            RefType::Extern => Self::Extern(Nullable::Null),
        }
    }
}

impl Val {
    pub fn default_for_ty(ty: ValType) -> Self {
        match ty {
            ValType::I32 => Self::I32(0),
            ValType::I64 => Self::I64(0),
            ValType::F32 => Self::F32(F32::from_bits(0)),
            ValType::F64 => Self::F64(F64::from_bits(0)),
            ValType::V128 => Self::V128(V128::from(0)),
            ValType::FuncRef => Self::FuncRef(Nullable::Null),
            ValType::ExternRef => Self::ExternRef(Nullable::Null),
        }
    }

    pub fn ty(&self) -> ValType {
        match self {
            Self::I32(_) => ValType::I32,
            Self::I64(_) => ValType::I64,
            Self::F32(_) => ValType::F32,
            Self::F64(_) => ValType::F64,
            Self::V128(_) => ValType::V128,
            Self::FuncRef(_) => ValType::FuncRef,
            Self::ExternRef(_) => ValType::ExternRef,
        }
    }

    pub fn i32(&self) -> Option<i32> {
        match self {
            Self::I32(value) => Some(*value),
            _ => None,
        }
    }

    pub fn i64(&self) -> Option<i64> {
        match self {
            Self::I64(value) => Some(*value),
            _ => None,
        }
    }

    fn bits(&self) -> u128 {
        match self {
            Self::I32(value) => value.cast_unsigned().into(),
            Self::I64(value) => value.cast_unsigned().into(),
            Self::F32(value) => value.to_bits().into(),
            Self::F64(value) => value.to_bits().into(),
            Self::V128(value) => value.as_u128(),
            Self::FuncRef(function) => function.bits(|function| function.index),
            Self::ExternRef(object) => object.bits(|object| object.number),
        }
    }

    /// Returns the value of these bits in `store`. The lower ones count.
    fn of_bits(store: u32, ty: ValType, bits: u128) -> Self {
        match ty {
            ValType::I32 => Self::I32((bits as u32).cast_signed()),
            ValType::I64 => Self::I64((bits as u64).cast_signed()),
            ValType::F32 => Self::F32(F32::from_bits(bits as u32)),
            ValType::F64 => Self::F64(F64::from_bits(bits as u64)),
            ValType::V128 => Self::V128(V128::from(bits)),
            ValType::FuncRef => Self::FuncRef(Nullable::of(bits, |index| Func { store, index })),
            ValType::ExternRef => Self::ExternRef(Nullable::of(bits, |number| ExternRef { store, number })),
        }
    }

    pub(crate) fn to_value(&self) -> Value {
        Value { ty: number(self.ty()), bits: self.bits() }
    }

    pub(crate) fn of(store: u32, value: Value) -> Self {
        Self::of_bits(store, value_type(value.ty), value.bits)
    }
}

impl Slot {
    pub(crate) fn new(value: &Val) -> Self {
        let bits = value.bits();
        Self { ty: number(value.ty()).into(), nothing: 0, low: bits as u64, high: (bits >> 64) as u64 }
    }

    pub(crate) fn value(&self, store: u32) -> Val {
        let bits = u128::from(self.high) << 64 | u128::from(self.low);
        Val::of_bits(store, value_type(self.ty as u8), bits)
    }
}

/// Slots whose address the host knows: it writes the parameters of a call to them before the function begins, and reads the
/// results from them when it has returned.
pub(crate) struct Slots(Box<[Cell<Slot>]>);

// SAFETY: the module has one thread.
unsafe impl Sync for Slots {}

impl Slots {
    pub(crate) fn new(count: usize) -> Self {
        Self((0..count).map(|_| Cell::default()).collect())
    }

    pub(crate) fn address(&self) -> u32 {
        self.0.as_ptr() as u32
    }

    pub(crate) fn read(&self) -> impl Iterator<Item = Slot> {
        self.0.iter().map(Cell::get)
    }

    pub(crate) fn write(&self, values: &[Val]) {
        for (slot, value) in self.0.iter().zip(values) {
            slot.set(Slot::new(value));
        }
    }
}

macro_rules! from {
    ($($from:ty, |$value:ident| $made:expr;)*) => {$(
        impl From<$from> for Val {
            fn from($value: $from) -> Self {
                $made
            }
        }
    )*};
}

from! {
    i32, |value| Self::I32(value);
    i64, |value| Self::I64(value);
    F32, |value| Self::F32(value);
    F64, |value| Self::F64(value);
    f32, |value| Self::F32(value.into());
    f64, |value| Self::F64(value.into());
    V128, |value| Self::V128(value);
    Func, |value| Self::FuncRef(Nullable::Val(value));
    ExternRef, |value| Self::ExternRef(Nullable::Val(value));
    Nullable<Func>, |value| Self::FuncRef(value);
    Nullable<ExternRef>, |value| Self::ExternRef(value);
}

impl From<Ref> for Val {
    fn from(value: Ref) -> Self {
        match value {
            Ref::Func(function) => Self::FuncRef(function),
            Ref::Extern(object) => Self::ExternRef(object),
        }
    }
}

impl From<Nullable<Func>> for Ref {
    fn from(value: Nullable<Func>) -> Self {
        Self::Func(value)
    }
}

impl From<Nullable<ExternRef>> for Ref {
    fn from(value: Nullable<ExternRef>) -> Self {
        Self::Extern(value)
    }
}

impl Ref {
    pub(crate) fn to_value(self) -> Value {
        Val::from(self).to_value()
    }

    pub(crate) fn of(store: u32, value: Value) -> Self {
        match Val::of(store, value) {
            Val::FuncRef(function) => Self::Func(function),
            Val::ExternRef(object) => Self::Extern(object),
            // The host sends references where they are expected.
            _ => Self::Func(Nullable::Null),
        }
    }
}
