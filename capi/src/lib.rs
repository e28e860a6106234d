//! The C interface of wasmlark, declared in `include/wasmlark.h`. In a build for wasm32, these functions are the
//! module's exports.
//!
//! A sandbox holds limits, arguments and files, and runs scripts. Each run is an object, whose texts and
//! numbers can be read. An object is a number that is never reused, so the library detects
//! one that was freed or never made. An invalid call returns a status, 0 or null, and
//! [`wasmlark_last_error`] then says what was wrong.
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
//! A value is an object too: one call per type makes it, others return its type and content, and the application frees it, even after
//! passing it to a call. A function of the application receives values and returns a value that it made, or an error. Values convert from
//! and to JSON text.
//!
//! # Imports
//!
//! A module can import a function of the application directly, with no script in between. The function receives
//! numbers, writes its results, and copies to and from the memory of the calling guest through a `wasmlark_caller`,
//! which is valid until the function returns.
//!
//! # Files and streams
//!
//! Scripts find the files that were added to the sandbox, and files that a loader provides; a lister names the latter. Standard
//! input is set before a run. The run has standard output, standard error and, if the sandbox is writable, the files that the
//! script wrote.
//!
//! # Sessions and interrupts
//!
//! A session keeps a script that has run, so that its functions can be called with values. Each call
//! sees the state that the last one left. Like a whole script, a load and a call each result in a run.
//! Another thread can stop what is running with an interrupt:
//!
//! ```c
//! wasmlark_object session;
//! wasmlark_object loaded = wasmlark_session_load(sandbox, (const uint8_t *)"main.star", 9, script, length, &session);
//! wasmlark_object stop = wasmlark_session_interrupt(session); // In another thread: wasmlark_interrupt_now(stop).
//! wasmlark_object call = wasmlark_session_call(session, (const uint8_t *)"decide", 6, arguments, 2);
//! wasmlark_object decision = wasmlark_run_value(call);
//! ```
//!
//! # Strings and bytes
//!
//! Strings and bytes are passed as a pointer and a length in bytes, without a NUL; names and scripts
//! are UTF-8. A null pointer is allowed if the length is 0. The library copies what it is passed. A
//! text from [`wasmlark_run_text`] is valid until the run is freed.
//!
//! # Threads
//!
//! Any function may be called from any thread. A sandbox may run several scripts at a time, but cannot
//! be changed while one runs. A session runs one call at a time. A call that comes too early returns
//! `WASMLARK_STATUS_BUSY`. Each script, and each call of a session, runs in a thread of its own, with a
//! stack large enough for all that the limits allow, whichever thread asks for it. A build for wasm32
//! has no other thread and runs it on the calling one.
//!
//! # Panics
//!
//! No panic crosses the interface: `WASMLARK_STATUS_PANIC` reports one, which is a defect of
//! wasmlark. A build with `panic = "abort"`, such as one for wasm32, cannot catch panics.
#![allow(unsafe_code)] // The edge of the library: pointers from C, and exported names.

#[cfg(target_family = "wasm")]
mod buffer;
mod callback;
mod caller;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod constructors;
mod function;
mod import;
mod interrupt;
mod isolated;
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
pub use isolated::{wasmlark_sandbox_isolated, wasmlark_sandbox_restore, wasmlark_session_fork, wasmlark_session_save};
pub use json::{wasmlark_value_from_json, wasmlark_value_to_json};
pub use loader::{Lister, Loader, wasmlark_sandbox_lister, wasmlark_sandbox_loader};
pub use misuse::{Status, wasmlark_last_error};
pub use objects::{Handle, wasmlark_free};
pub use run::{
    Kind, RunNumber, Text, wasmlark_run_files, wasmlark_run_kind, wasmlark_run_number, wasmlark_run_text,
    wasmlark_run_value,
};
pub use sandbox::{
    Print, wasmlark_sandbox_argument, wasmlark_sandbox_backtrace, wasmlark_sandbox_file,
    wasmlark_sandbox_interruptible, wasmlark_sandbox_keep_code, wasmlark_sandbox_limit, wasmlark_sandbox_new,
    wasmlark_sandbox_on_print, wasmlark_sandbox_profile, wasmlark_sandbox_run, wasmlark_sandbox_stdin,
    wasmlark_sandbox_writable,
};
pub use session::{
    wasmlark_session_call, wasmlark_session_call_with, wasmlark_session_get, wasmlark_session_interrupt,
    wasmlark_session_load, wasmlark_session_refill,
};
pub use value::{
    Type, wasmlark_value_bool, wasmlark_value_bytes, wasmlark_value_count, wasmlark_value_dict, wasmlark_value_float,
    wasmlark_value_get, wasmlark_value_get_float, wasmlark_value_get_int, wasmlark_value_int, wasmlark_value_item,
    wasmlark_value_key, wasmlark_value_list, wasmlark_value_none, wasmlark_value_string, wasmlark_value_text,
    wasmlark_value_type,
};

/// Returns the version of the library, such as "0.1.0". Its length in bytes goes to `length`, which may be null.
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
