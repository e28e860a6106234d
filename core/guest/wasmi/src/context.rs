//! The ways to borrow a store.
#![allow(unsafe_code)]

use std::any::Any;
use std::marker::PhantomData;
use std::ptr::NonNull;

use wasmi_core::FuelError;

use crate::edge;
use crate::error::Error;
use crate::func::Entry;
use crate::module::Engine;
use crate::store::{Inner, Store};

/// A shared borrow of a store.
pub struct StoreContext<'a, T> {
    inner: NonNull<Inner<T>>,
    borrow: PhantomData<&'a Store<T>>,
}

/// A borrow of a store.
pub struct StoreContextMut<'a, T> {
    inner: NonNull<Inner<T>>,
    borrow: PhantomData<&'a mut Store<T>>,
}

impl<T> Clone for StoreContext<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for StoreContext<'_, T> {}

impl<'a, T> StoreContext<'a, T> {
    fn inner(&self) -> &'a Inner<T> {
        // SAFETY: the store is borrowed for `'a`.
        unsafe { self.inner.as_ref() }
    }

    pub fn data(&self) -> &'a T {
        &self.inner().data
    }

    pub fn engine(&self) -> &'a Engine {
        &self.inner().engine
    }

    pub fn get_fuel(&self) -> Result<u64, Error> {
        fuel(&self.inner().engine, self.id())
    }

    pub(crate) fn id(&self) -> u32 {
        self.inner().id
    }

    pub(crate) fn object(&self, number: u32) -> &'a dyn Any {
        let object = usize::try_from(number).ok().and_then(|number| self.inner().objects.get(number));
        match object {
            Some(object) => &**object,
            None => &(),
        }
    }
}

impl<T> StoreContextMut<'_, T> {
    /// Borrows the store for the lifetime of the result, which the caller chooses as its own borrow says.
    pub(crate) fn new(inner: NonNull<Inner<T>>) -> Self {
        Self { inner, borrow: PhantomData }
    }

    fn inner(&self) -> &Inner<T> {
        // SAFETY: the store is borrowed, and so is this.
        unsafe { self.inner.as_ref() }
    }

    pub(crate) fn inner_mut(&mut self) -> &mut Inner<T> {
        // SAFETY: the store is borrowed, and so is this.
        unsafe { self.inner.as_mut() }
    }

    pub fn data(&self) -> &T {
        &self.inner().data
    }

    pub fn data_mut(&mut self) -> &mut T {
        &mut self.inner_mut().data
    }

    pub fn engine(&self) -> &Engine {
        &self.inner().engine
    }

    pub fn get_fuel(&self) -> Result<u64, Error> {
        fuel(&self.inner().engine, self.id())
    }

    pub fn set_fuel(&mut self, fuel: u64) -> Result<(), Error> {
        metered(&self.inner().engine)?;
        edge::guest_set_fuel(self.id(), fuel);
        Ok(())
    }

    pub(crate) fn id(&self) -> u32 {
        self.inner().id
    }

    pub(crate) fn keep_object(&mut self, object: Box<dyn Any + Send + Sync>) {
        self.inner_mut().objects.push(object);
    }

    /// Keeps a function, and returns its address.
    pub(crate) fn keep_function(&mut self, function: Box<Entry<T>>) -> u32 {
        let address = std::ptr::from_ref(&*function) as u32;
        self.inner_mut().functions.push(function);
        address
    }

    pub(crate) fn take_pending(&mut self) -> Option<Error> {
        self.inner_mut().pending.take()
    }
}

fn metered(engine: &Engine) -> Result<(), Error> {
    match engine.is_metered() {
        true => Ok(()),
        false => Err(Error::new(FuelError::FuelMeteringDisabled.to_string())),
    }
}

fn fuel(engine: &Engine, store: u32) -> Result<u64, Error> {
    metered(engine).map(|()| edge::guest_fuel(store))
}

pub trait AsContext {
    type Data;

    fn as_context(&self) -> StoreContext<'_, Self::Data>;
}

pub trait AsContextMut: AsContext {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, Self::Data>;
}

impl<T> AsContext for Store<T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { inner: self.inner, borrow: PhantomData }
    }
}

impl<T> AsContextMut for Store<T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut { inner: self.inner, borrow: PhantomData }
    }
}

impl<T> AsContext for StoreContext<'_, T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        *self
    }
}

impl<T> AsContext for StoreContextMut<'_, T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { inner: self.inner, borrow: PhantomData }
    }
}

impl<T> AsContextMut for StoreContextMut<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut { inner: self.inner, borrow: PhantomData }
    }
}

impl<C: AsContext> AsContext for &C {
    type Data = C::Data;

    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContext> AsContext for &mut C {
    type Data = C::Data;

    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContextMut> AsContextMut for &mut C {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        C::as_context_mut(self)
    }
}

impl<'a, C: AsContext> From<&'a C> for StoreContext<'a, C::Data> {
    fn from(context: &'a C) -> Self {
        context.as_context()
    }
}

impl<'a, C: AsContext> From<&'a mut C> for StoreContext<'a, C::Data> {
    fn from(context: &'a mut C) -> Self {
        C::as_context(context)
    }
}

impl<'a, C: AsContextMut> From<&'a mut C> for StoreContextMut<'a, C::Data> {
    fn from(context: &'a mut C) -> Self {
        context.as_context_mut()
    }
}
