//! What a store is at one time, as data: how each thing in it was made, and what changed since then.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::exposed::Segment;
use super::request::{Item, Signature, Sizes, Value};

/// A store.
#[derive(Serialize, Deserialize, Clone)]
pub(super) struct StoreState {
    pub(super) engine: u32,
    /// What the core calls it.
    pub(super) address: u32,
    pub(super) fuel: u64,
    /// In the order in which it was made, so that each needs only what comes before.
    pub(super) made: Vec<Made>,
    /// What the core has handles of, in their order.
    pub(super) functions: Vec<Origin>,
    pub(super) memories: Vec<Origin>,
    pub(super) tables: Vec<Origin>,
    pub(super) globals: Vec<Origin>,
    /// How many objects the core has given references to.
    pub(super) objects: u32,
}

/// How something was made, and what it holds.
#[derive(Serialize, Deserialize, Clone)]
pub(super) enum Made {
    Func { address: u32, slots: u32, signature: Signature },
    Memory(Sizes, Bytes),
    Table(u8, Sizes, Elements),
    Global { ty: u8, is_mutable: bool, value: Held },
    Instance { module: u32, externs: Vec<Item>, parts: Parts },
}

/// What the memories, tables and mutable globals hold that an instance does not import, and which of its segments were
/// dropped.
#[derive(Serialize, Deserialize, Clone, Default)]
pub(super) struct Parts {
    pub(super) memories: Vec<Bytes>,
    pub(super) tables: Vec<Elements>,
    pub(super) globals: Vec<Held>,
    pub(super) dropped: Vec<Segment>,
}

/// Where something comes from: a place in the list of what was made, and for what an instance exports, its index there.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) made: u32,
    pub(super) part: Option<u32>,
}

/// A memory, without its pages of zeros.
#[derive(Serialize, Deserialize, Clone)]
pub(super) struct Bytes {
    /// In pages of WebAssembly.
    pub(super) size: u64,
    /// By their number, in the order of numbers. Each has `image::PAGE` bytes.
    pub(super) pages: Vec<(u32, ByteBuf)>,
}

/// A table, as runs of equal elements.
#[derive(Serialize, Deserialize, Clone)]
pub(super) struct Elements(pub(super) Vec<(u64, Held)>);

/// A value.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Number(Value),
    NullFunc,
    NullExtern,
    Func(Origin),
    Object(u32),
}
