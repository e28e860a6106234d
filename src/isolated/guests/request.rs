//! What the core asks of the engine outside. The core's `wasmi` (`core/guest/wasmi`) has this file too, so it names nothing of
//! either side.
//!
//! Frequent requests have imports of their own, whose arguments are numbers and `Slot`s; the others are a `Request`,
//! encoded by postcard, whose answer is of the type that its comment says.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// A value in the memory of the core: its type in 4 bytes, 4 bytes of nothing, the value in 16.
pub(crate) const SLOT_BYTES: usize = 24;

/// Types as bytes: those of values in slots, and those of `Type::Value`.
pub(crate) const I32: u8 = 0;
pub(crate) const I64: u8 = 1;
pub(crate) const F32: u8 = 2;
pub(crate) const F64: u8 = 3;
pub(crate) const V128: u8 = 4;
/// As a value: 0 for null, otherwise the handle + 1.
pub(crate) const FUNC_REF: u8 = 5;
/// As a value: 0 for null, otherwise the number of the object + 1.
pub(crate) const EXTERN_REF: u8 = 6;

/// A call went well.
pub(crate) const DONE: u32 = 0;
/// A function of the core failed, and the core has the error.
pub(crate) const HOST_FAILED: u32 = 1;
/// The answer is a `Failure`, and its length is what exceeds this.
pub(crate) const FAILED: u32 = 2;

/// Something of a store, by its kind and its handle.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Func(u32),
    Memory(u32),
    Table(u32),
    Global(u32),
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) params: Vec<u8>,
    pub(crate) results: Vec<u8>,
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) is_64: bool,
    pub(crate) minimum: u64,
    pub(crate) maximum: Option<u64>,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Func(Signature),
    Memory(Sizes),
    /// The type of the elements.
    Table(u8, Sizes),
    /// The type of the value, and whether it can change.
    Global(u8, bool),
}

/// A value with its type, as in a slot.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) ty: u8,
    pub(crate) bits: u128,
}

/// Why something failed.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub(crate) enum Failure {
    /// The number of a trap code.
    Trap(u8),
    Text(String),
    Memory(MemoryFault),
    Table(TableFault),
    /// While a memory or table of a new instance is made.
    NewMemory(MemoryFault),
    NewTable(TableFault),
    /// An element segment of so many elements does not fit at an index.
    Elements {
        index: u64,
        len: u32,
    },
    Link(String),
    /// A function of the core failed, and the core has the error.
    Host,
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub(crate) enum MemoryFault {
    OutOfSystemMemory,
    OutOfBoundsGrowth,
    OutOfBoundsAccess,
    InvalidMemoryType,
    InvalidStaticBufferSize,
    ResourceLimiterDeniedAllocation,
    MinimumSizeOverflow,
    MaximumSizeOverflow,
    OutOfFuel,
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub(crate) enum TableFault {
    OutOfSystemMemory,
    MinimumSizeOverflow,
    MaximumSizeOverflow,
    ResourceLimiterDeniedAllocation,
    GrowOutOfBounds,
    InitOutOfBounds,
    FillOutOfBounds,
    SetOutOfBounds,
    CopyOutOfBounds,
    ElementTypeMismatch,
    OutOfFuel,
}

/// A compiled module.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub(crate) struct ModuleInfo {
    pub(crate) handle: u32,
    pub(crate) imports: Vec<(String, String, Type)>,
    pub(crate) exports: Vec<(String, Type)>,
}

/// A request. Stores, modules, engines and instances are handles, each the number of one more of its kind.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub(crate) enum Request {
    /// `u32`: an engine, with a limit on the depth of calls.
    Engine { is_metered: bool, depth: u64, stack: u64 },
    /// `Result<(), String>`
    Validate { engine: u32, bytes: ByteBuf },
    /// `Result<ModuleInfo, String>`
    Module { engine: u32, bytes: ByteBuf },
    /// `()`
    DropModule(u32),
    /// `Vec<(String, ByteBuf)>`: names and contents.
    CustomSections(u32),
    /// `u32`: a store. `address` is what the core calls it.
    Store { engine: u32, address: u32 },
    /// `()`
    DropStore(u32),
    /// `Result<u32, Failure>`
    Instantiate { store: u32, module: u32, externs: Vec<Item> },
    /// `Option<Item>`
    Export { store: u32, instance: u32, name: String },
    /// `Option<Item>`: of the instance whose function has called the core.
    CallerExport { store: u32, name: String },
    /// `u32`: a function of the core. `address` is what the core calls it, and `slots` is where its parameters and results go.
    Func { store: u32, address: u32, slots: u32, signature: Signature },
    /// `Type`
    Type { store: u32, item: Item },
    /// `Result<u32, Failure>`
    Memory { store: u32, sizes: Sizes },
    /// `Result<u64, Failure>`: the size before, in pages.
    GrowMemory { store: u32, memory: u32, by: u64 },
    /// `Result<u32, Failure>`
    Table { store: u32, element: u8, sizes: Sizes, init: Value },
    /// `u64`
    TableSize { store: u32, table: u32 },
    /// `Result<u64, Failure>`
    GrowTable { store: u32, table: u32, by: u64, init: Value },
    /// `Option<Value>`
    TableGet { store: u32, table: u32, index: u64 },
    /// `Result<(), Failure>`
    TableSet { store: u32, table: u32, index: u64, value: Value },
    /// `u32`
    Global { store: u32, value: Value, is_mutable: bool },
    /// `Value`
    GlobalGet { store: u32, global: u32 },
    /// `bool`: whether the global is mutable and has this type.
    GlobalSet { store: u32, global: u32, value: Value },
    /// `u32`: the number of an object that only the core knows.
    ExternRef { store: u32 },
}
