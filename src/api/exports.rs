//! `wasm.Exports`: the exports of an instance, by name.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::sync::Arc;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::collections::Hashed;
use starlark::typing::Ty;
use starlark::values::tuple::AllocTuple;
use starlark::values::{Heap, NoSerialize, StarlarkValue, Trace, Value, starlark_value};

use super::convert;
use super::crossing::GuestName;
use super::function::Function;
use super::global::Global;
use super::handle::ended;
use super::identity;
use super::memory::Memory;
use super::store::Store;
use super::store_ref::StoreRef;
use super::table::Table;
use crate::error::{Error, ErrorKind};
use crate::linear_memory;
use crate::module::Compiled;
use crate::wording;

#[derive(ProvidesStaticType, NoSerialize, Allocative, Trace)]
#[allocative(skip)]
pub(crate) struct Exports<'v> {
    pub(crate) owner: StoreRef<Value<'v>>,
    #[trace(unsafe_ignore)]
    compiled: Arc<Compiled>,
    /// The guest's name for an observer.
    #[trace(unsafe_ignore)]
    guest: GuestName,
    /// Set when instantiation is complete. Until then, in a start function, an export can be reached only through the host
    /// function that is running.
    #[trace(unsafe_ignore)]
    instance: Cell<Option<wasmi::Instance>>,
    /// An exported memory that identifies these exports, with its place. Found on first use.
    #[trace(unsafe_ignore)]
    mark: OnceCell<Option<(usize, wasmi::Memory)>>,
    /// A handle for each export that was looked up, in the module's order.
    handles: RefCell<Vec<Option<Value<'v>>>>,
}

impl<'v> Exports<'v> {
    pub(crate) fn new(owner: StoreRef<Value<'v>>, compiled: Arc<Compiled>, guest: GuestName) -> Self {
        let (instance, mark, handles) = Default::default();
        Self { owner, compiled, guest, instance, mark, handles }
    }

    pub(crate) fn complete(&self, instance: wasmi::Instance) {
        self.instance.set(Some(instance));
    }

    pub(crate) fn compiled(&self) -> &Arc<Compiled> {
        &self.compiled
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.compiled.exports.keys().map(String::as_str)
    }

    /// Returns the names of the exported memories.
    pub(crate) fn memories(&self) -> impl Iterator<Item = &str> {
        let is_memory = |ty: &wasmi::ExternType| matches!(ty, wasmi::ExternType::Memory(_));
        self.compiled.exports.iter().filter(move |(_, ty)| is_memory(ty)).map(|(name, _)| name.as_str())
    }

    /// Returns the export with this name, or an error with the closest names.
    pub(crate) fn get(&self, name: &str, heap: Heap<'v>) -> Result<Value<'v>, Error> {
        match self.find(Hashed::new(name), heap) {
            Some(found) => found,
            None => Err(Error::new(ErrorKind::Link, self.no_export(name))),
        }
    }

    fn no_export(&self, name: &str) -> String {
        let hint = wording::did_you_mean(name, self.names());
        let name = wording::shown(name);
        let mut names: Vec<String> = self.names().take(11).map(wording::shown).collect();
        let more = if names.len() > 10 { ", …" } else { "" };
        names.truncate(10);
        match (names.as_slice(), hint) {
            ([], _) => format!("no export `{name}`: the module exports nothing"),
            (_, Some(hint)) => format!("no export `{name}`; {hint}"),
            _ => format!("no export `{name}`; the module exports {}{more}", names.join(", ")),
        }
    }

    pub(crate) fn find(&self, name: Hashed<&str>, heap: Heap<'v>) -> Option<Result<Value<'v>, Error>> {
        let index = self.compiled.exports.get_index_of_hashed(name)?;
        if let Some(Some(handle)) = self.handles.borrow().get(index) {
            return Some(Ok(*handle));
        }
        let handle = match self.make(name.key(), heap) {
            Ok(handle) => handle,
            Err(error) => return Some(Err(error)),
        };
        let mut handles = self.handles.borrow_mut();
        handles.resize(self.compiled.exports.len(), None);
        if let Some(slot) = handles.get_mut(index) {
            *slot = Some(handle);
        }
        Some(Ok(handle))
    }

    fn make(&self, name: &str, heap: Heap<'v>) -> Result<Value<'v>, Error> {
        let store = self.owner.store()?;
        let found = self.raw(&store, name)?.ok_or_else(|| {
            Error::new(
                ErrorKind::Link,
                format!("export `{name}`: the instance was not made, since its start function failed"),
            )
        })?;
        Ok(match found {
            wasmi::Extern::Func(func) => Function::wrap(store, func, Some(name), &self.guest, heap)?,
            wasmi::Extern::Memory(memory) => heap.alloc(Memory { owner: self.owner, memory }),
            wasmi::Extern::Global(global) => heap.alloc(Global { owner: self.owner, global }),
            wasmi::Extern::Table(table) => heap.alloc(Table { owner: self.owner, table }),
        })
    }

    fn raw(&self, store: &Store<'v>, name: &str) -> Result<Option<wasmi::Extern>, Error> {
        match self.instance.get() {
            Some(instance) => store.with(|context| instance.get_export(&context, name)),
            None => Ok(store.cell().caller_export(name)),
        }
    }

    /// Returns whether these are the exports of the instance whose code called the running host function.
    pub(crate) fn belong_to_caller(&self, store: &Store<'v>) -> bool {
        if self.instance.get().is_none() {
            return false;
        }
        let is_theirs = |name: &str| match (self.raw(store, name), store.cell().caller_export(name)) {
            (Ok(Some(ours)), Some(theirs)) => are_same(store, ours, theirs),
            _ => false,
        };
        if store.has_links.get() {
            return self.names().all(is_theirs);
        }
        // Without links, no two instances export the same thing, so one export is enough. Memories are compared fastest, and
        // most modules export theirs among the first.
        let Some((index, ours)) = self.mark.get_or_init(|| self.find_mark(store)) else {
            return self.names().next().is_none_or(is_theirs);
        };
        let name = self.compiled.exports.get_index(*index).map(|(name, _)| name.as_str());
        match name.and_then(|name| store.cell().caller_export(name)) {
            Some(theirs) => are_same(store, wasmi::Extern::Memory(*ours), theirs),
            None => false,
        }
    }

    fn find_mark(&self, store: &Store<'v>) -> Option<(usize, wasmi::Memory)> {
        let is_memory =
            |(_, (_, ty)): &(usize, (&String, &wasmi::ExternType))| matches!(ty, wasmi::ExternType::Memory(_));
        let (index, (name, _)) = self.compiled.exports.iter().enumerate().take(8).find(is_memory)?;
        match self.raw(store, name) {
            Ok(Some(wasmi::Extern::Memory(memory))) => Some((index, memory)),
            _ => None,
        }
    }
}

/// Returns whether two handles refer to the same thing. Memories are compared by their addresses, which is fast, and others
/// by their identities.
fn are_same(store: &Store<'_>, ours: wasmi::Extern, theirs: wasmi::Extern) -> bool {
    if let (wasmi::Extern::Memory(ours), wasmi::Extern::Memory(theirs)) = (ours, theirs) {
        let same = store.with(|context| linear_memory::are_same(ours, theirs, &context));
        if let Ok(Some(same)) = same {
            return same;
        }
    }
    identity::are_same(&ours, &theirs)
}

/// Supports `dir`, attributes, indexing, `in` and iteration over the names.
#[starlark_value(type = "wasm.Exports", UnpackValue, StarlarkTypeRepr)]
impl<'v> StarlarkValue<'v> for Exports<'v> {
    type Canonical = EndedExports;

    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        self.get_attr_hashed(Hashed::new(attribute), heap)
    }

    fn get_attr_hashed(&self, attribute: Hashed<&str>, heap: Heap<'v>) -> Option<Value<'v>> {
        self.find(attribute, heap)?.ok()
    }

    fn has_attr(&self, attribute: &str, _heap: Heap<'v>) -> bool {
        self.compiled.exports.contains_key(attribute)
    }

    fn dir_attr(&self) -> Vec<String> {
        self.names().map(str::to_owned).collect()
    }

    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        match index.unpack_str() {
            Some(name) => Ok(self.get(name, heap)?),
            None => {
                Err(Error::value(format!("exports are indexed by name, a str, got {}", convert::describe(index)))
                    .into())
            }
        }
    }

    fn is_in(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(other.unpack_str().is_some_and(|name| self.compiled.exports.contains_key(name)))
    }

    fn length(&self) -> starlark::Result<i32> {
        Ok(i32::try_from(self.compiled.exports.len()).unwrap_or(i32::MAX))
    }

    unsafe fn iterate(&self, _this: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(heap.alloc(AllocTuple(self.names())))
    }
}

ended! {
    /// The exports of an instance whose evaluation has ended. Their names are kept for messages.
    Exports becomes EndedExports { compiled: Arc<Compiled> } prints "<wasm.Exports>"
}

#[starlark_value(type = "wasm.Exports")]
impl<'v> StarlarkValue<'v> for EndedExports {
    fn at(&self, _index: Value<'v>, _heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Err(super::store::frozen().into())
    }

    fn is_in(&self, _other: Value<'v>) -> starlark::Result<bool> {
        Err(super::store::frozen().into())
    }

    fn length(&self) -> starlark::Result<i32> {
        Err(super::store::frozen().into())
    }

    unsafe fn iterate(&self, _this: Value<'v>, _heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Err(super::store::frozen().into())
    }

    /// No attribute can be read, but the names are listed, so that the message for an export differs from that for a typo.
    fn dir_attr(&self) -> Vec<String> {
        self.compiled.exports.keys().cloned().collect()
    }

    fn attr_ty(_name: &str) -> Option<Ty> {
        Some(Ty::any())
    }
}

impl fmt::Debug for Exports<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Exports<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<wasm.Exports {}>", self.names().map(wording::shown).collect::<Vec<_>>().join(", "))
    }
}
