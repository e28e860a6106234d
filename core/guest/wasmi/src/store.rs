//! Stores.
//!
//! The host knows a store by a number and by the address of its [`Inner`], and gives the address back where a guest calls a
//! function of this module or is about to grow. It does so only while this module waits for the host in a call that borrows
//! the store, and what it lends then is used before that call goes on: so there is one use of an `Inner` at a time.
#![allow(unsafe_code)]

use std::any::Any;
use std::marker::PhantomData;
use std::ptr::NonNull;

use wasmi_core::{MemoryError, ResourceLimiter, TableError};

use crate::context::{AsContext, AsContextMut, StoreContextMut};
use crate::error::Error;
use crate::func::Entry;
use crate::module::Engine;
use crate::outside::ask;
use crate::request::Request;

/// Returns the limiter in the data of a store.
type Limiter<T> = Box<dyn (Fn(&mut T) -> &mut dyn ResourceLimiter) + Send + Sync>;

/// What the host can do with a store, whatever its data is.
#[repr(C)]
struct Dispatch {
    call: unsafe fn(*mut (), *const ()) -> bool,
    growing: unsafe fn(*mut (), bool, usize, usize, Option<usize>) -> bool,
    grow_failed: unsafe fn(*mut (), bool),
}

/// A store, where the host knows it.
#[repr(C)]
pub(crate) struct Inner<T> {
    dispatch: Dispatch,
    pub(crate) id: u32,
    pub(crate) engine: Engine,
    pub(crate) data: T,
    limiter: Option<Limiter<T>>,
    /// What the host calls. Boxed, since it knows their addresses.
    #[allow(clippy::vec_box)]
    pub(crate) functions: Vec<Box<Entry<T>>>,
    /// What external references refer to, by number.
    pub(crate) objects: Vec<Box<dyn Any + Send + Sync>>,
    /// The error of a function, until the call that it ends has returned.
    pub(crate) pending: Option<Error>,
}

/// A store that the host names.
pub(crate) struct Erased;

impl Erased {
    /// # Safety
    ///
    /// `store` is the address of an `Inner` that is borrowed by a call that waits for the host.
    pub(crate) unsafe fn call(store: *mut (), function: *const ()) -> bool {
        // SAFETY: by the caller; an `Inner` begins with its `Dispatch`.
        unsafe { ((*store.cast::<Dispatch>()).call)(store, function) }
    }

    /// # Safety
    ///
    /// As [`call`](Self::call).
    pub(crate) unsafe fn growing(
        store: *mut (),
        is_table: bool,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> bool {
        // SAFETY: as in `call`.
        unsafe { ((*store.cast::<Dispatch>()).growing)(store, is_table, current, desired, maximum) }
    }

    /// # Safety
    ///
    /// As [`call`](Self::call).
    pub(crate) unsafe fn grow_failed(store: *mut (), is_table: bool) {
        // SAFETY: as in `call`.
        unsafe { ((*store.cast::<Dispatch>()).grow_failed)(store, is_table) }
    }
}

impl<T> Inner<T> {
    /// # Safety
    ///
    /// As [`Erased::call`], and the data of the store is a `T`.
    unsafe fn call(store: *mut (), function: *const ()) -> bool {
        let Some(store) = NonNull::new(store.cast::<Self>()) else { return true };
        // SAFETY: by the caller, this is the address of one of the store's functions, which are never dropped before it.
        let function = unsafe { &*function.cast::<Entry<T>>() };
        let outcome = function.call(StoreContextMut::new(store));
        let failed = outcome.is_err();
        if let Err(error) = outcome {
            // SAFETY: by the caller.
            unsafe { (*store.as_ptr()).pending = Some(error) };
        }
        failed
    }

    /// # Safety
    ///
    /// As [`call`](Self::call).
    unsafe fn limiter<'a>(store: *mut ()) -> Option<&'a mut dyn ResourceLimiter>
    where
        T: 'a,
    {
        // SAFETY: by the caller.
        let inner = unsafe { &mut *store.cast::<Self>() };
        inner.limiter.as_ref().map(|limiter| limiter(&mut inner.data))
    }

    unsafe fn growing(store: *mut (), is_table: bool, current: usize, desired: usize, maximum: Option<usize>) -> bool {
        // SAFETY: by the caller.
        let Some(limiter) = (unsafe { Self::limiter(store) }) else { return true };
        let granted = match is_table {
            true => limiter.table_growing(current, desired, maximum),
            false => limiter.memory_growing(current, desired, maximum),
        };
        granted.unwrap_or(false)
    }

    unsafe fn grow_failed(store: *mut (), is_table: bool) {
        // SAFETY: by the caller.
        let Some(limiter) = (unsafe { Self::limiter(store) }) else { return };
        // The guest gets the number for a failure, whatever the limiter says.
        let _ = match is_table {
            true => limiter.table_grow_failed(&TableError::OutOfSystemMemory),
            false => limiter.memory_grow_failed(&MemoryError::OutOfSystemMemory),
        };
    }
}

pub struct Store<T> {
    pub(crate) inner: NonNull<Inner<T>>,
    owned: PhantomData<Inner<T>>,
}

// SAFETY: the pointer is to a box that the store owns alone.
unsafe impl<T: Send> Send for Store<T> {}
// SAFETY: a shared store gives shared access to what it owns.
unsafe impl<T: Sync> Sync for Store<T> {}

impl<T> Store<T> {
    pub fn new(engine: &Engine, data: T) -> Self {
        let dispatch =
            Dispatch { call: Inner::<T>::call, growing: Inner::<T>::growing, grow_failed: Inner::<T>::grow_failed };
        let (functions, objects) = Default::default();
        let inner =
            Inner { dispatch, id: 0, engine: engine.clone(), data, limiter: None, functions, objects, pending: None };
        let inner = NonNull::from(Box::leak(Box::new(inner)));
        let id = ask(&Request::Store { engine: engine.id(), address: inner.as_ptr() as u32 });
        let mut store = Self { inner, owned: PhantomData };
        store.as_context_mut().inner_mut().id = id;
        store
    }

    pub fn limiter(&mut self, limiter: impl (Fn(&mut T) -> &mut dyn ResourceLimiter) + Send + Sync + 'static) {
        self.as_context_mut().inner_mut().limiter = Some(Box::new(limiter));
    }

    pub fn data(&self) -> &T {
        // SAFETY: borrowed as the result is.
        unsafe { &(*self.inner.as_ptr()).data }
    }

    pub fn data_mut(&mut self) -> &mut T {
        // SAFETY: borrowed as the result is.
        unsafe { &mut (*self.inner.as_ptr()).data }
    }
}

impl<T> Drop for Store<T> {
    fn drop(&mut self) {
        ask::<()>(&Request::DropStore(self.as_context().id()));
        // SAFETY: `new` made it from a box, and nobody else has it now.
        drop(unsafe { Box::from_raw(self.inner.as_ptr()) });
    }
}
