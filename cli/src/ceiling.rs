//! A ceiling on the memory of the process.
//!
//! The library's limits do not see all that a script makes the host allocate: the content of dicts and sets, say. Where
//! the system has no more memory, starlark may even write through a null pointer. So the allocator of the command
//! counts, and ends the process with a message before either can happen.
#![allow(unsafe_code)] // A global allocator is unsafe to write.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmlark::{Limit, Limits};

use crate::exit;

/// Bytes that a process may take beside what its limits count: its own code's data, and what a file holds before a
/// limit is asked.
const ALLOWANCE: u64 = 256 << 20;

static USED: AtomicUsize = AtomicUsize::new(0);
static CEILING: AtomicUsize = AtomicUsize::new(usize::MAX);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Sets the ceiling to what the process holds now, and what these limits allow `runs` scripts at a time: `memory`, `files`
/// and `output`, and `heap` twice, since a collector of garbage copies it; and 256 MiB.
pub fn set(limits: &Limits, runs: usize) {
    let bytes = [Limit::Memory, Limit::Files, Limit::Output, Limit::Heap, Limit::Heap]
        .iter()
        .map(|limit| limits.get(*limit).unwrap_or(u64::MAX))
        .fold(0, u64::saturating_add);
    let bytes = bytes.saturating_mul(runs as u64).saturating_add(ALLOWANCE);
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    CEILING.store(USED.load(Ordering::Relaxed).saturating_add(bytes), Ordering::Relaxed);
}

/// Lifts the ceiling while the command copies the host's files in or out: their sizes are no guest's to choose, or within
/// its limits.
pub fn lift() {
    CEILING.store(usize::MAX, Ordering::Relaxed);
}

struct Counting;

impl Counting {
    /// Counts `bytes` that are about to be allocated.
    fn add(bytes: usize) {
        let used = USED.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if used > CEILING.load(Ordering::Relaxed) {
            end(
                "error: the process takes more memory than the limits allow (`memory`, `files`, `output`, twice `heap`, and 256 MiB)\n",
            );
        }
    }

    fn remove(bytes: usize) {
        USED.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn checked(pointer: *mut u8) -> *mut u8 {
        if pointer.is_null() {
            end("error: the system has no memory left for this process\n");
        }
        pointer
    }
}

/// Ends the process. Allocates nothing.
#[cold]
fn end(message: &str) -> ! {
    // What follows may allocate in a library; it must not come back here.
    CEILING.store(usize::MAX, Ordering::Relaxed);
    let _ = std::io::stderr().write_all(message.as_bytes());
    std::process::exit(exit::LIMIT.into())
}

// SAFETY: every request goes to `System` as it is, and what that returns is returned.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::add(layout.size());
        // SAFETY: as the caller promises.
        Self::checked(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::add(layout.size());
        // SAFETY: as the caller promises.
        Self::checked(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::add(size);
        Self::remove(layout.size());
        // SAFETY: as the caller promises.
        Self::checked(unsafe { System.realloc(pointer, layout, size) })
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::remove(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}
