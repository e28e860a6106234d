//! Types of what modules import and export.

use wasmi_core::{FuncType as CoreFuncType, GlobalType, MemoryType, Mutability, RefType, TableType, ValType};

use crate::func::Func;
use crate::items::{Global, Memory, Table};
use crate::request::{EXTERN_REF, F32, F64, FUNC_REF, I32, I64, Item, Signature, Sizes, Type, V128};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FuncType(CoreFuncType);

impl FuncType {
    /// # Panics
    ///
    /// If there are more than 1,000 parameters or results.
    #[allow(clippy::panic)]
    pub fn new<P, R>(params: P, results: R) -> Self
    where
        P: IntoIterator,
        R: IntoIterator,
        P::IntoIter: Iterator<Item = ValType> + ExactSizeIterator,
        R::IntoIter: Iterator<Item = ValType> + ExactSizeIterator,
    {
        match CoreFuncType::new(params, results) {
            Ok(ty) => Self(ty),
            Err(error) => panic!("failed to create function type: {error}"),
        }
    }

    pub fn params(&self) -> &[ValType] {
        self.0.params()
    }

    pub fn results(&self) -> &[ValType] {
        self.0.results()
    }

    pub(crate) fn signature(&self) -> Signature {
        let types = |all: &[ValType]| all.iter().map(|ty| number(*ty)).collect();
        Signature { params: types(self.params()), results: types(self.results()) }
    }

    pub(crate) fn of(signature: &Signature) -> Self {
        let types = |all: &[u8]| all.iter().map(|ty| value_type(*ty)).collect::<Vec<_>>();
        Self::new(types(&signature.params), types(&signature.results))
    }
}

#[derive(Debug, Clone)]
pub enum ExternType {
    Global(GlobalType),
    Table(TableType),
    Memory(MemoryType),
    Func(FuncType),
}

#[derive(Debug, Copy, Clone)]
pub enum Extern {
    Global(Global),
    Table(Table),
    Memory(Memory),
    Func(Func),
}

macro_rules! from {
    ($($name:ident)*) => {$(
        impl From<$name> for Extern {
            fn from(item: $name) -> Self {
                Self::$name(item)
            }
        }
    )*};
}

from! { Global Table Memory Func }

impl Extern {
    pub(crate) fn of(store: u32, item: Item) -> Self {
        match item {
            Item::Func(index) => Self::Func(Func { store, index }),
            Item::Memory(index) => Self::Memory(Memory { store, index }),
            Item::Table(index) => Self::Table(Table { store, index }),
            Item::Global(index) => Self::Global(Global { store, index }),
        }
    }

    pub(crate) fn item(&self) -> Item {
        match self {
            Self::Func(Func { index, .. }) => Item::Func(*index),
            Self::Memory(Memory { index, .. }) => Item::Memory(*index),
            Self::Table(Table { index, .. }) => Item::Table(*index),
            Self::Global(Global { index, .. }) => Item::Global(*index),
        }
    }
}

/// Returns the byte for a type.
pub(crate) fn number(ty: ValType) -> u8 {
    match ty {
        ValType::I32 => I32,
        ValType::I64 => I64,
        ValType::F32 => F32,
        ValType::F64 => F64,
        ValType::V128 => V128,
        ValType::FuncRef => FUNC_REF,
        ValType::ExternRef => EXTERN_REF,
    }
}

/// Returns the type for a byte. The host sends no others.
pub(crate) fn value_type(number: u8) -> ValType {
    match number {
        I64 => ValType::I64,
        F32 => ValType::F32,
        F64 => ValType::F64,
        V128 => ValType::V128,
        FUNC_REF => ValType::FuncRef,
        EXTERN_REF => ValType::ExternRef,
        _ => ValType::I32,
    }
}

pub(crate) fn ref_type(number: u8) -> RefType {
    match number {
        EXTERN_REF => RefType::Extern,
        _ => RefType::Func,
    }
}

pub(crate) fn ref_number(ty: RefType) -> u8 {
    match ty {
        RefType::Func => FUNC_REF,
        RefType::Extern => EXTERN_REF,
    }
}

pub(crate) fn memory_type(Sizes { is_64, minimum, maximum }: Sizes) -> MemoryType {
    let mut ty = MemoryType::builder();
    ty.memory64(is_64).min(minimum).max(maximum);
    match ty.build() {
        Ok(ty) => ty,
        // It was the type of a memory.
        Err(_) => core::arch::wasm32::unreachable(),
    }
}

pub(crate) fn table_type(element: u8, Sizes { is_64, minimum, maximum }: Sizes) -> TableType {
    let narrow = (u32::try_from(minimum), maximum.map(u32::try_from).transpose());
    match (is_64, narrow) {
        (false, (Ok(minimum), Ok(maximum))) => TableType::new(ref_type(element), minimum, maximum),
        _ => TableType::new64(ref_type(element), minimum, maximum),
    }
}

impl ExternType {
    pub fn func(&self) -> Option<&FuncType> {
        match self {
            Self::Func(ty) => Some(ty),
            _ => None,
        }
    }

    pub(crate) fn of(ty: &Type) -> Self {
        match ty {
            Type::Func(signature) => Self::Func(FuncType::of(signature)),
            Type::Memory(sizes) => Self::Memory(memory_type(*sizes)),
            Type::Table(element, sizes) => Self::Table(table_type(*element, *sizes)),
            Type::Global(content, is_mutable) => {
                let mutability = if *is_mutable { Mutability::Var } else { Mutability::Const };
                Self::Global(GlobalType::new(value_type(*content), mutability))
            }
        }
    }
}
