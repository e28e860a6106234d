//! Counts what is allocated, to say what an instance takes.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static ALLOCATED: AtomicU64 = AtomicU64::new(0);

/// Bytes that are allocated now.
pub fn allocated() -> u64 {
    ALLOCATED.load(Ordering::Relaxed)
}

struct Counting;

impl Counting {
    /// All measurements are on one thread: no need for the price of an atomic addition.
    fn count(&self, change: impl FnOnce(u64) -> u64) {
        ALLOCATED.store(change(ALLOCATED.load(Ordering::Relaxed)), Ordering::Relaxed);
    }
}

// SAFETY: all is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.count(|bytes| bytes.wrapping_add(layout.size() as u64));
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.count(|bytes| bytes.wrapping_add(layout.size() as u64));
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.count(|bytes| bytes.wrapping_sub(layout.size() as u64));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.count(|bytes| bytes.wrapping_sub(layout.size() as u64).wrapping_add(size as u64));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
