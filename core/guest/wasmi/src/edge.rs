//! The imports by which this module reaches its guests, and the exports by which they reach it.
#![allow(unsafe_code)]

use crate::store::Erased;
use crate::value::Slot;

#[link(wasm_import_module = "wasmlark")]
unsafe extern "C" {
    /// Takes an encoded `Request`. Returns the length of the answer.
    pub(crate) safe fn guest_ask(address: *const u8, length: usize) -> usize;
    /// Copies the answer to `address`, where there is room for all of it.
    pub(crate) fn guest_answer(address: *mut u8);
    /// Calls a function. The parameters are in the slots, where the results go.
    fn guest_call(store: u32, function: u32, slots: *mut Slot, params: usize, results: usize) -> u32;
    /// Copies bytes from a memory. Returns 0, or 1 if they are out of bounds.
    fn guest_read(store: u32, memory: u32, offset: u64, address: *mut u8, length: usize) -> u32;
    /// Copies bytes to a memory. Returns 0, or 1 if they are out of bounds.
    fn guest_write(store: u32, memory: u32, offset: u64, address: *const u8, length: usize) -> u32;
    /// Returns the size of a memory in bytes.
    pub(crate) safe fn guest_size(store: u32, memory: u32) -> u64;
    /// Returns the fuel of a store.
    pub(crate) safe fn guest_fuel(store: u32) -> u64;
    /// Sets the fuel of a store.
    pub(crate) safe fn guest_set_fuel(store: u32, fuel: u64);
}

/// Calls a function with the parameters in `slots`, where its results go.
pub(crate) fn call(store: u32, function: u32, slots: &mut [Slot], params: usize, results: usize) -> u32 {
    // SAFETY: there are as many slots as parameters, and as results. Nothing else uses them until the host returns.
    unsafe { guest_call(store, function, slots.as_mut_ptr(), params, results) }
}

/// Copies bytes from a memory. Returns whether they are in bounds.
pub(crate) fn read(store: u32, memory: u32, offset: u64, buffer: &mut [u8]) -> bool {
    // SAFETY: the host writes as many bytes as the buffer has.
    unsafe { guest_read(store, memory, offset, buffer.as_mut_ptr(), buffer.len()) == 0 }
}

/// Copies bytes to a memory. Returns whether they are in bounds.
pub(crate) fn write(store: u32, memory: u32, offset: u64, buffer: &[u8]) -> bool {
    // SAFETY: the host reads as many bytes as the buffer has.
    unsafe { guest_write(store, memory, offset, buffer.as_ptr(), buffer.len()) == 0 }
}

/// A guest calls a function of this module, whose parameters are in its slots. Returns whether it fails.
#[unsafe(no_mangle)]
extern "C" fn host_call(store: *mut (), function: *const ()) -> u32 {
    // SAFETY: the host passes what it was given: a store that is calling a guest, and a function of that store.
    u32::from(unsafe { Erased::call(store, function) })
}

/// A memory or a table is about to grow. Returns whether it may. `maximum` is 2⁶⁴ − 1 where there is none.
#[unsafe(no_mangle)]
extern "C" fn host_growing(store: *mut (), is_table: u32, current: usize, desired: usize, maximum: u64) -> u32 {
    let maximum = (maximum != u64::MAX).then(|| usize::try_from(maximum).unwrap_or(usize::MAX));
    // SAFETY: the host passes what it was given: a store that waits for the host.
    u32::from(unsafe { Erased::growing(store, is_table != 0, current, desired, maximum) })
}

/// What was granted could not grow.
#[unsafe(no_mangle)]
extern "C" fn host_grow_failed(store: *mut (), is_table: u32) {
    // SAFETY: as above.
    unsafe { Erased::grow_failed(store, is_table != 0) }
}
