//! A ceiling on the memory of the process.
//!
//! The library's limits do not count everything that a script makes the host allocate, such as the contents of dicts and
//! sets. And if the system has no memory left, starlark may write through a null pointer. So the command's allocator
//! counts, and ends the process with a message before either happens.
#![allow(unsafe_code)] // `GlobalAlloc` is an unsafe trait.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmlark::{Limit, Limits};

use crate::exit;

/// Bytes that a process may take beyond its limits: for its own data, and for files that it has read but not yet counted.
const ALLOWANCE: u64 = 256 << 20;

static USED: AtomicUsize = AtomicUsize::new(0);
static CEILING: AtomicUsize = AtomicUsize::new(usize::MAX);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Sets the ceiling to the memory that the process holds now, plus 256 MiB, plus what these limits allow `runs` scripts at
/// a time: `memory`, `files`, `output`, and twice `heap`, since the garbage collector copies it.
pub fn set(limits: &Limits, runs: usize) {
    let bytes = [Limit::Memory, Limit::Files, Limit::Output, Limit::Heap, Limit::Heap]
        .iter()
        .map(|limit| limits.get(*limit).unwrap_or(u64::MAX))
        .fold(0, u64::saturating_add);
    let bytes = bytes.saturating_mul(runs as u64).saturating_add(ALLOWANCE);
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    CEILING.store(USED.load(Ordering::Relaxed).saturating_add(bytes), Ordering::Relaxed);
}

/// Lifts the ceiling before the command copies files from or to the host: a guest does not choose the size of the former,
/// and the latter are within its limits.
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
    // What follows may allocate, and must not end up here again.
    CEILING.store(usize::MAX, Ordering::Relaxed);
    let _ = std::io::stderr().write_all(message.as_bytes());
    std::process::exit(exit::LIMIT.into())
}

// SAFETY: every request is passed to `System` unchanged, and so is its result to the caller.
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
