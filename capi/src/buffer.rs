//! Room for what is handed over, in a module whose host has no other: a build for wasm32.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use crate::misuse::{Misuse, Status, guard, status};

/// By address, so that only what was given is freed.
static BUFFERS: Mutex<BTreeMap<usize, Vec<u8>>> = Mutex::new(BTreeMap::new());

fn buffers() -> MutexGuard<'static, BTreeMap<usize, Vec<u8>>> {
    BUFFERS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// `length` bytes, zeros, for the host to write to; at least one, so that each has an address of its own.
/// Null if there is not so much memory.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_buffer_new(length: usize) -> *mut u8 {
    guard(
        || {
            let mut buffer = Vec::new();
            let length = length.max(1);
            if buffer.try_reserve_exact(length).is_err() {
                return Err(Misuse::new(Status::Resources, format!("there is no memory for {length} bytes")));
            }
            buffer.resize(length, 0);
            let address = buffer.as_mut_ptr();
            buffers().insert(address as usize, buffer);
            Ok(address)
        },
        |_| std::ptr::null_mut(),
    )
}

/// Frees a buffer.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_buffer_free(address: *mut u8) -> Status {
    status(|| match buffers().remove(&(address as usize)) {
        Some(_) => Ok(()),
        None => Err(Misuse::new(Status::Handle, format!("there is no buffer at {}", address as usize))),
    })
}
