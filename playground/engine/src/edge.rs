//! The edge of the module: addresses from JavaScript, and functions of the page.
#![allow(unsafe_code)] // Exported and imported functions, and buffers that JavaScript fills.

use std::cell::RefCell;
use std::sync::Arc;

use wasmlark::Stats;

use crate::playground::{Page, Playground, Stream};
use crate::reply::Reply;

#[link(wasm_import_module = "page")]
unsafe extern "C" {
    /// Takes bytes that the script writes: 0 for output, 1 for error output, 2 for the message of a panic.
    safe fn write(stream: u32, address: *const u8, length: usize);
    /// Takes what the run has spent so far.
    safe fn progress(fuel: f64, ticks: f64, memory: f64);
}

unsafe extern "C" {
    /// Runs the constructors of statics. The linker makes it, and wraps each exported function in one that runs them all,
    /// unless the module names it.
    safe fn __wasm_call_ctors();
}

struct Worker;

impl Page for Worker {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        let stream = match stream {
            Stream::Output => 0,
            Stream::ErrorOutput => 1,
        };
        write(stream, bytes.as_ptr(), bytes.len());
    }

    fn progress(&self, spent: &Stats) {
        // Exact up to 2^53, which no limit reaches.
        progress(spent.fuel.unwrap_or(0) as f64, spent.ticks as f64, spent.memory_peak as f64);
    }
}

struct State {
    playground: Playground,
    request: Vec<u8>,
    reply: Reply,
    /// Addresses and lengths of the reply's head and body.
    place: [usize; 4],
}

thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

fn with_state<R>(use_it: impl FnOnce(&mut State) -> R) -> R {
    STATE.with_borrow_mut(|state| {
        let state = state.get_or_insert_with(|| {
            __wasm_call_ctors();
            std::panic::set_hook(Box::new(|panic| {
                let text = panic.to_string();
                write(2, text.as_ptr(), text.len());
            }));
            let playground = Playground::new(Arc::new(Worker));
            State { playground, request: Vec::new(), reply: Reply::default(), place: [0; 4] }
        });
        use_it(state)
    })
}

/// Makes room for a request of `length` bytes. Returns its address, which is valid until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn room(length: usize) -> *mut u8 {
    with_state(|state| {
        state.request = vec![0; length];
        state.request.as_mut_ptr()
    })
}

/// Serves the request in the room. Its head is `head` bytes long. Returns the address of four numbers: the address and the
/// length of the reply's head, then those of its body. All of them are valid until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn serve(head: usize) -> *const usize {
    with_state(|state| {
        let request = std::mem::take(&mut state.request);
        let (head, body) = request.split_at_checked(head).unwrap_or_default();
        state.reply = state.playground.serve(head, body);
        let Reply { head, body } = &state.reply;
        state.place = [head.as_ptr() as usize, head.len(), body.as_ptr() as usize, body.len()];
        state.place.as_ptr()
    })
}
