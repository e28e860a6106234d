//! Memories, tables and globals.

use wasmi_core::{GlobalError, GlobalType, MemoryError, MemoryType, Mutability, TableError, TableType};

use crate::context::{AsContext, AsContextMut};
use crate::edge;
use crate::error::Error;
use crate::outside::ask;
use crate::request::{Failure, Item, Request, Sizes};
use crate::types::{ExternType, ref_number};
use crate::value::{Ref, Val};

/// The bytes of a page.
const PAGE: u64 = 1 << 16;

#[derive(Debug, Copy, Clone)]
pub struct Memory {
    pub(crate) store: u32,
    pub(crate) index: u32,
}

#[derive(Debug, Copy, Clone)]
pub struct Table {
    pub(crate) store: u32,
    pub(crate) index: u32,
}

#[derive(Debug, Copy, Clone)]
pub struct Global {
    pub(crate) store: u32,
    pub(crate) index: u32,
}

impl Memory {
    /// Returns the store and the handle, as the host knows them. wasmi has no such function.
    pub fn handle(&self) -> (u32, u32) {
        (self.store, self.index)
    }

    pub fn new(mut context: impl AsContextMut, ty: MemoryType) -> Result<Self, Error> {
        let store = context.as_context_mut().id();
        let sizes = Sizes { is_64: ty.is_64(), minimum: ty.minimum(), maximum: ty.maximum() };
        let made: Result<u32, Failure> = ask(&Request::Memory { store, sizes });
        made.map(|index| Self { store, index }).map_err(|failure| Error::of(failure, None))
    }

    pub fn ty(&self, _context: impl AsContext) -> MemoryType {
        match ty(self.store, Item::Memory(self.index)) {
            ExternType::Memory(ty) => ty,
            _ => core::arch::wasm32::unreachable(),
        }
    }

    pub fn size(&self, _context: impl AsContext) -> u64 {
        edge::guest_size(self.store, self.index) / PAGE
    }

    pub fn data_size(&self, _context: impl AsContext) -> usize {
        // The host lets no memory grow beyond what a 32-bit machine can address.
        usize::try_from(edge::guest_size(self.store, self.index)).unwrap_or(usize::MAX)
    }

    pub fn grow(&self, mut context: impl AsContextMut, by: u64) -> Result<u64, MemoryError> {
        let store = context.as_context_mut().id();
        let grown: Result<u64, Failure> = ask(&Request::GrowMemory { store, memory: self.index, by });
        grown.map_err(|failure| match failure {
            Failure::Memory(fault) => crate::error::memory_error(fault),
            _ => MemoryError::OutOfSystemMemory,
        })
    }

    pub fn read(&self, _context: impl AsContext, offset: usize, buffer: &mut [u8]) -> Result<(), MemoryError> {
        match edge::read(self.store, self.index, offset as u64, buffer) {
            true => Ok(()),
            false => Err(MemoryError::OutOfBoundsAccess),
        }
    }

    pub fn write(&self, _context: impl AsContextMut, offset: usize, buffer: &[u8]) -> Result<(), MemoryError> {
        match edge::write(self.store, self.index, offset as u64, buffer) {
            true => Ok(()),
            false => Err(MemoryError::OutOfBoundsAccess),
        }
    }
}

impl Table {
    pub fn new(mut context: impl AsContextMut, ty: TableType, init: Ref) -> Result<Self, Error> {
        let store = context.as_context_mut().id();
        let sizes = Sizes { is_64: ty.is_64(), minimum: ty.minimum(), maximum: ty.maximum() };
        let request = Request::Table { store, element: ref_number(ty.element()), sizes, init: init.to_value() };
        let made: Result<u32, Failure> = ask(&request);
        made.map(|index| Self { store, index }).map_err(|failure| Error::of(failure, None))
    }

    pub fn ty(&self, _context: impl AsContext) -> TableType {
        match ty(self.store, Item::Table(self.index)) {
            ExternType::Table(ty) => ty,
            _ => core::arch::wasm32::unreachable(),
        }
    }

    pub fn size(&self, _context: impl AsContext) -> u64 {
        ask(&Request::TableSize { store: self.store, table: self.index })
    }

    pub fn get(&self, _context: impl AsContext, index: u64) -> Option<Ref> {
        let value: Option<_> = ask(&Request::TableGet { store: self.store, table: self.index, index });
        value.map(|value| Ref::of(self.store, value))
    }

    pub fn set(&self, _context: impl AsContextMut, index: u64, value: Ref) -> Result<(), TableError> {
        let request = Request::TableSet { store: self.store, table: self.index, index, value: value.to_value() };
        ask::<Result<(), Failure>>(&request).map_err(fault)
    }

    pub fn grow(&self, _context: impl AsContextMut, by: u64, init: Ref) -> Result<u64, TableError> {
        let request = Request::GrowTable { store: self.store, table: self.index, by, init: init.to_value() };
        ask::<Result<u64, Failure>>(&request).map_err(fault)
    }
}

fn fault(failure: Failure) -> TableError {
    match failure {
        Failure::Table(fault) => crate::error::table_error(fault),
        _ => TableError::OutOfSystemMemory,
    }
}

impl Global {
    pub fn new(mut context: impl AsContextMut, value: Val, mutability: Mutability) -> Self {
        let store = context.as_context_mut().id();
        let request = Request::Global { store, value: value.to_value(), is_mutable: mutability.is_mut() };
        Self { store, index: ask(&request) }
    }

    pub fn ty(&self, _context: impl AsContext) -> GlobalType {
        match ty(self.store, Item::Global(self.index)) {
            ExternType::Global(ty) => ty,
            _ => core::arch::wasm32::unreachable(),
        }
    }

    pub fn get(&self, _context: impl AsContext) -> Val {
        Val::of(self.store, ask(&Request::GlobalGet { store: self.store, global: self.index }))
    }

    pub fn set(&self, context: impl AsContextMut, value: Val) -> Result<(), GlobalError> {
        let request = Request::GlobalSet { store: self.store, global: self.index, value: value.to_value() };
        match ask(&request) {
            true => Ok(()),
            false if self.ty(&context).mutability().is_mut() => Err(GlobalError::TypeMismatch),
            false => Err(GlobalError::ImmutableWrite),
        }
    }
}

fn ty(store: u32, item: Item) -> ExternType {
    ExternType::of(&ask(&Request::Type { store, item }))
}
