//! A session's object graph, which moves between threads as a whole. This is the only `unsafe` of sessions.
//!
//! The heap of a script is full of pointers into itself, and the session and its evaluation share the files and the mailbox
//! by `Rc`. None of these types is `Send`, but all of them together may be sent:
//!
//! 1. **The graph is closed.** A `Whole` owns the evaluation. That is a future, which owns the heap, the evaluator and
//!    everything that points to them. It also has the only other owners of the two `Rc`s. Both leave this module only as
//!    references that end with the borrow of the session. What a session returns, a `Value` or an `Error`, is owned and
//!    `Send`.
//! 2. **What is in the heap may move.** Apart from pointers to other values of the same heap, starlark admits to a heap only
//!    values that are `Send` (`HeapSendable`). It does so for this purpose: so that a future of
//!    `Module::with_temp_heap_async` can be moved. `wasmi::Store` and the functions of the application are `Send`. A store
//!    keeps pointers to its entry only while WebAssembly runs, and that is within a `poll`.
//! 3. **Nothing stays behind in a thread.** starlark 0.14.3 has a few thread-locals. The depth of the native stack and the
//!    cycle guards of `repr` and `json` are restored before a `poll` returns. The free list of the allocator holds parts of
//!    chunks whose reference counts are atomic. wasmi 2.0.0 has no thread-locals.
//! 4. **One thread at a time.** Polling takes `&mut Session`. A `&Session` reaches only cells, so `Whole` is not `Sync`.
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
    /// The evaluation, which waits for the next request. It owns the heap and everything that refers to it. `None` after a
    /// panic.
    pub(super) evaluation: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

// SAFETY: invariants 1 to 4. The compiler checks below that the contents of the two `Rc`s are `Send`.
unsafe impl Send for Whole {}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Files>();
    is_send::<Mailbox>();
};
