//! The C interface of wasmlark, declared in `include/wasmlark.h`; in a build for wasm32, what the module exports.
//!
//! A sandbox gets limits, arguments and files, runs scripts, and each run is an object of its own that
//! is asked for texts and numbers. Objects are numbers that are never given twice, so one that was
//! freed, or never made, is told from one that lives. A call that makes no sense returns a status, or 0,
//! or null, and [`wasmlark_last_error`] says in words what was wrong with it.
//!
//! ```c
//! wasmlark_object sandbox = wasmlark_sandbox_new();
//! wasmlark_sandbox_limit(sandbox, WASMLARK_LIMIT_FUEL, 1000000);
//! wasmlark_sandbox_file(sandbox, (const uint8_t *)"add.wasm", 8, bytes, size);
//! wasmlark_object run = wasmlark_sandbox_run(sandbox, (const uint8_t *)"main.star", 9, script, length);
//! size_t count;
//! const uint8_t *output = wasmlark_run_text(run, WASMLARK_TEXT_OUTPUT, &count);
//! wasmlark_free(run);
//! wasmlark_free(sandbox);
//! ```
//!
//! # Values and functions
//!
//! A value is an object too: made by a call for its type, asked for its kind and content, and freed, also where it was passed on. A function
//! of the application gets values, and returns one that it made, or an error. JSON text becomes a value, and a value JSON text.
//!
//! # Imports
//!
//! A module imports a function of the application with no script between. It gets numbers, writes its result, and
//! copies from and to the memory of the guest that called it, with the `wasmlark_caller` that is good until it returns.
//!
//! # Sessions and interrupts
//!
//! A session is a script that was run and is kept: its functions are called with values, and find all
//! as the last call left it. A load and a call each have a run as their result, as a whole script has.
//! An interrupt ends what runs, from another thread:
//!
//! ```c
//! wasmlark_object session;
//! wasmlark_object loaded = wasmlark_session_load(sandbox, (const uint8_t *)"main.star", 9, script, length, &session);
//! wasmlark_object stop = wasmlark_session_interrupt(session); // For another thread: wasmlark_interrupt_now(stop).
//! wasmlark_object call = wasmlark_session_call(session, (const uint8_t *)"decide", 6, arguments, 2);
//! wasmlark_object decision = wasmlark_run_value(call);
//! ```
//!
//! # Strings and bytes
//!
//! A pointer and a length in bytes, no NUL; names and scripts are UTF-8. A null pointer is allowed with
//! the length 0. What a call is given is copied. What [`wasmlark_run_text`] returns lives until the run
//! is freed.
//!
//! # Threads
//!
//! Any function may be called from any thread. A sandbox may run several scripts at a time; it cannot
//! be changed meanwhile. A session has one call at a time. What comes too early is
//! `WASMLARK_STATUS_BUSY`. A script, and each call of a session, runs in a thread of its own, with
//! room on its stack for all that the limits allow, whatever thread asks for it; but on the thread that
//! asks in a build for wasm32, which has no other.
//!
//! # Panics
//!
//! None crosses the interface: `WASMLARK_STATUS_PANIC` says that there was one, which is a defect of
//! wasmlark. A build with `panic = "abort"`, and so one for wasm32, has none to catch.
#![allow(unsafe_code)] // The edge of the library: pointers from C, and names for it.

#[cfg(target_family = "wasm")]
mod buffer;
mod callback;
mod caller;
mod function;
mod import;
mod interrupt;
mod json;
mod loader;
mod misuse;
mod objects;
mod run;
mod sandbox;
mod session;
mod stack;
#[cfg(test)]
mod tests;
mod value;

#[cfg(target_family = "wasm")]
pub use buffer::{wasmlark_buffer_free, wasmlark_buffer_new};
pub use callback::Drop;
pub use caller::{CallerNumber, wasmlark_caller_memory_size, wasmlark_caller_read, wasmlark_caller_write};
pub use function::{Function, wasmlark_error, wasmlark_sandbox_function, wasmlark_sandbox_value};
pub use import::{Import, Wasm, WasmType, wasmlark_sandbox_import};
pub use interrupt::{
    wasmlark_interrupt_after, wasmlark_interrupt_now, wasmlark_interrupt_reset, wasmlark_sandbox_interrupt,
};
pub use json::{wasmlark_value_from_json, wasmlark_value_to_json};
pub use loader::{Loader, wasmlark_sandbox_loader};
pub use misuse::{Status, wasmlark_last_error};
pub use objects::{Handle, wasmlark_free};
pub use run::{Kind, RunNumber, Text, wasmlark_run_kind, wasmlark_run_number, wasmlark_run_text, wasmlark_run_value};
pub use sandbox::{
    Print, wasmlark_sandbox_argument, wasmlark_sandbox_backtrace, wasmlark_sandbox_file,
    wasmlark_sandbox_interruptible, wasmlark_sandbox_keep_code, wasmlark_sandbox_limit, wasmlark_sandbox_new,
    wasmlark_sandbox_on_print, wasmlark_sandbox_run,
};
pub use session::{
    wasmlark_session_call, wasmlark_session_call_within, wasmlark_session_get, wasmlark_session_interrupt,
    wasmlark_session_load, wasmlark_session_refill,
};
pub use value::{
    Type, wasmlark_value_bool, wasmlark_value_bytes, wasmlark_value_count, wasmlark_value_dict, wasmlark_value_float,
    wasmlark_value_get, wasmlark_value_get_float, wasmlark_value_get_int, wasmlark_value_int, wasmlark_value_item,
    wasmlark_value_key, wasmlark_value_list, wasmlark_value_none, wasmlark_value_string, wasmlark_value_text,
    wasmlark_value_type,
};

/// The version of the library, as in "0.1.0"; its length in bytes goes to `length`, which may be null.
///
/// # Safety
///
/// `length` is null, or a `size_t` can be written there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_version(length: *mut usize) -> *const u8 {
    let version = env!("CARGO_PKG_VERSION");
    // SAFETY: the caller's duty, above.
    unsafe { misuse::tell(length, version.len()) };
    version.as_ptr()
}
