//! Buffers for a host of the wasm32 build, which has no other memory to pass data in.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use crate::misuse::{Misuse, Status, guard, status};

/// Keyed by address, so that only allocated buffers are freed.
static BUFFERS: Mutex<BTreeMap<usize, Vec<u8>>> = Mutex::new(BTreeMap::new());

fn buffers() -> MutexGuard<'static, BTreeMap<usize, Vec<u8>>> {
    BUFFERS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Returns a buffer of `length` zero bytes for the host to write to; at least one byte, so that each has
/// an address of its own. Null if there is not enough memory.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_buffer_new(length: usize) -> *mut u8 {
    guard(
        || {
            let mut buffer = Vec::new();
            let length = length.max(1);
            if buffer.try_reserve_exact(length).is_err() {
                return Err(Misuse::new(Status::Resources, format!("there is not enough memory for {length} bytes")));
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
