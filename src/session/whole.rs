//! A session's object graph, which moves between threads as a whole: the only `unsafe` of sessions.
//!
//! The heap of a script is full of pointers into itself, and files and mailbox are shared by `Rc` between the session and
//! its evaluation. None of these types is `Send` by itself. Together they are:
//!
//! 1. **The graph is closed.** A `Whole` owns the evaluation, a future that owns the heap, the evaluator and everything
//!    that points to them. The other owners of the two `Rc`s are in that future. Neither leaves this module but as a
//!    reference that ends with the `&mut Session` or `&Session` it was asked through, and what a session gives away, a
//!    `Value` or an `Error`, is owned and `Send`.
//! 2. **What is in the heap may move.** starlark admits only values to a heap that are `Send` but for the pointers to
//!    other values of the same heap (`HeapSendable`), for this very purpose: a future of `Module::with_temp_heap_async`
//!    is to be moved. `wasmi::Store` and
//!    the functions of the application are `Send`. The pointers that a store keeps of its entry are set only while
//!    WebAssembly runs, which is within a `poll`.
//! 3. **Nothing stays behind in a thread.** Of starlark 0.14.3's thread-locals, the depth of the native stack and the
//!    cycle guards of `repr` and `json` are restored before a `poll` returns, and the free list of the allocator holds
//!    parts of chunks whose counts of references are atomic. wasmi 2.0.0 has none.
//! 4. **One thread at a time.** To poll takes `&mut Session`. What a `&Session` can reach is in cells, so `Whole` is not
//!    `Sync`.
#![allow(unsafe_code)]

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use super::files::Files;
use super::mailbox::Mailbox;

/// A session's evaluation, and what it shares with the session.
pub(super) struct Whole {
    pub(super) files: Rc<Files>,
    pub(super) mailbox: Rc<Mailbox>,
    /// The evaluation, which waits for the next request. It owns the heap and everything that refers to it. `None` once
    /// it has panicked.
    pub(super) evaluation: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

// SAFETY: invariants 1 to 4. The compiler checks, below, what the two `Rc`s hold.
unsafe impl Send for Whole {}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Files>();
    is_send::<Mailbox>();
};
