//! Counts allocated bytes, to measure what an instance takes; and lays out large blocks differently in each of a
//! figure's processes.
//!
//! A loop in a guest is slower by a twentieth if the addresses of its memory, its stack and the store have the same
//! lowest bits, so that the processor mistakes a load for one of what was just stored. The addresses depend on the sizes
//! of all earlier blocks, and would be the same in every process.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static ALLOCATED: AtomicU64 = AtomicU64::new(0);

/// The size in bytes from which a block is large, as a linear memory is.
const LARGE: usize = 32 << 10;

/// The number of bytes added to each large block.
static PADDING: AtomicUsize = AtomicUsize::new(0);

/// Chooses the layout of the process with this index. Must be called before the first large block is allocated.
pub fn lay_out_as(process: usize) {
    PADDING.store(process % 64 * 48, Ordering::Relaxed);
}

fn padded(layout: Layout) -> Layout {
    let size = match layout.size() {
        size @ ..LARGE => size,
        size => size.saturating_add(PADDING.load(Ordering::Relaxed)),
    };
    // A block that is too long to be padded is too long to be allocated.
    Layout::from_size_align(size, layout.align()).unwrap_or(layout)
}

/// Returns the number of bytes that are allocated now.
pub fn allocated() -> u64 {
    ALLOCATED.load(Ordering::Relaxed)
}

struct Counting;

impl Counting {
    /// Everything is measured on one thread, which avoids the price of an atomic addition.
    fn count(&self, change: impl FnOnce(u64) -> u64) {
        ALLOCATED.store(change(ALLOCATED.load(Ordering::Relaxed)), Ordering::Relaxed);
    }
}

// SAFETY: every call is passed on to the system's allocator, each time with the same padded size for a block: `PADDING`
// does not change while a large block exists.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.count(|bytes| bytes.wrapping_add(layout.size() as u64));
        // SAFETY: the caller promises what `System` asks for.
        unsafe { System.alloc(padded(layout)) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.count(|bytes| bytes.wrapping_add(layout.size() as u64));
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(padded(layout)) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.count(|bytes| bytes.wrapping_sub(layout.size() as u64));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, padded(layout)) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.count(|bytes| bytes.wrapping_sub(layout.size() as u64).wrapping_add(size as u64));
        // SAFETY: the caller promises that the new size is valid for a layout.
        let new = padded(unsafe { Layout::from_size_align_unchecked(size, layout.align()) });
        // SAFETY: as above.
        unsafe { System.realloc(pointer, padded(layout), new.size()) }
    }
}
