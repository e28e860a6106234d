//! Isolated sandboxes: the evaluator runs as a WebAssembly module, the *core*, in wasmi.
//!
//! The core is this crate itself, compiled to wasm32 (`core/guest`), with another crate in place of wasmi. In the core's
//! linear memory are the heap of the script, the files of WASI and the meters. So a limit on that memory and the core's own
//! fuel hold whatever a script does. The stores of its [`guests`] are beside it, in the same wasmi, and what runs in them is
//! paid from the core's fuel. A copy of the core's memory, and of what its guests were made of and hold, is a copy of the
//! session.
//!
//! Both sides exchange [messages](message). The host sends an `Order` and waits for its `Outcome`; while the core works on
//! it, it puts an `Ask` to the host wherever it needs something that the application has given it: a file, standard input, a
//! function. The [`inside`] is what the core runs. On the host, a [`remote`] session holds an [`instance`] of the
//! [`image`] that all sandboxes begin with, and a [`host`] answers.

#[cfg(feature = "isolated")]
mod guests;
#[cfg(feature = "isolated")]
mod host;
#[cfg(feature = "isolated")]
mod image;
#[cfg(feature = "core")]
pub(crate) mod inside;
#[cfg(feature = "isolated")]
mod instance;
mod message;
#[cfg(feature = "isolated")]
pub(crate) mod prepared;
#[cfg(feature = "isolated")]
pub(crate) mod remote;
#[cfg(feature = "isolated")]
mod room;
#[cfg(feature = "isolated")]
mod saved;
#[cfg(feature = "isolated")]
pub(crate) mod terms;
