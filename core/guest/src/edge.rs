//! The edge of the module: what it exports and imports.

use std::cell::RefCell;

use wasmlark::core::{Host, Inside};

use crate::allocator;

#[link(wasm_import_module = "wasmlark")]
unsafe extern "C" {
    /// Asks the host. Returns the length of the answer.
    safe fn ask(address: *const u8, length: usize) -> usize;
    /// Copies the answer to `address`, where there is room for all of it.
    fn answer(address: *mut u8);
    /// Takes the message of a panic.
    safe fn panicked(address: *const u8, length: usize);
    /// Notes that there is no more memory, which is about to end the module.
    pub(crate) safe fn full();
}

unsafe extern "C" {
    /// Runs the constructors of statics, which register Starlark's types. The linker makes it.
    ///
    /// Where a module names it, the linker leaves the call to the module. Elsewhere it wraps each exported function in one
    /// that runs all constructors first, so that each call would register everything once more.
    safe fn __wasm_call_ctors();
}

struct Outside;

impl Host for Outside {
    fn ask(&self, message: &[u8]) -> Vec<u8> {
        let mut reply = vec![0; ask(message.as_ptr(), message.len())];
        // SAFETY: the host copies as many bytes as it said that the answer has.
        unsafe { answer(reply.as_mut_ptr()) };
        reply
    }

    fn allow(&self, bytes: u64) {
        allocator::allow(bytes);
    }
}

#[derive(Default)]
struct State {
    message: Vec<u8>,
    reply: Vec<u8>,
    inside: Option<Inside>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Makes all that every sandbox needs. Is called once, before all else.
#[unsafe(no_mangle)]
pub extern "C" fn warm() {
    __wasm_call_ctors();
    std::panic::set_hook(Box::new(|panic| {
        // Not where it was: that is a path of the machine that built the module.
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text =
            text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason is known");
        panicked(text.as_ptr(), text.len());
    }));
    STATE.with_borrow_mut(|state| {
        let mut inside = Inside::new(Outside);
        inside.warm();
        state.inside = Some(inside);
    });
    allocator::is_warm();
}

/// Makes room for a message of `length` bytes, and returns its address. It is good until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn room(length: usize) -> *mut u8 {
    STATE.with_borrow_mut(|state| {
        state.reply = Vec::new();
        state.message = vec![0; length];
        state.message.as_mut_ptr()
    })
}

/// Takes the message in the room. Returns the address of the answer in the upper half, and its length in the lower one.
#[unsafe(no_mangle)]
pub extern "C" fn exchange() -> u64 {
    STATE.with_borrow_mut(|state| {
        let message = std::mem::take(&mut state.message);
        state.reply = state.inside.as_mut().map(|inside| inside.exchange(&message)).unwrap_or_default();
        ((state.reply.as_ptr() as u64) << 32) | state.reply.len() as u64
    })
}

/// Returns where the flag is that ends what runs.
#[unsafe(no_mangle)]
pub extern "C" fn stop_flag() -> *const bool {
    STATE.with_borrow(|state| state.inside.as_ref().map_or(std::ptr::null(), Inside::stop_flag))
}

/// Returns where the flag is that says that a guest was told to end.
#[unsafe(no_mangle)]
pub extern "C" fn told_flag() -> *const bool {
    STATE.with_borrow(|state| state.inside.as_ref().map_or(std::ptr::null(), Inside::told_flag))
}
