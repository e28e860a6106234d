//! The allocator: free lists by size for small blocks, and the system's allocator for the others.
//!
//! Each step of the system's allocator (dlmalloc) is interpreted here, some 140 for a block. Most blocks of a script are
//! small and soon freed, and a free list takes ten. What is freed stays with its size, so a run may take more memory than
//! with dlmalloc: at most the sum of the peaks of all sizes.
//!
//! What the system has given is counted, so that the limit `heap` holds at each allocation, whatever the evaluator does.
//!
//! It ends the core where there is no memory, or may be no more. starlark 0.14.3 writes through a null pointer where a dict cannot grow, and
//! address 0 can be written here.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::{self, NonNull};

use crate::edge;

/// Sizes are multiples of this, to which all blocks are aligned.
const GRAIN: usize = 16;
/// The size of the largest small block.
const SMALL: usize = 1024;
const LISTS: usize = SMALL / GRAIN + 1;
/// The bytes that are asked of the system at once, for small blocks.
const REGION: usize = 16 << 10;

/// What a free block begins with: the next one of its list.
type Free = Cell<Option<NonNull<Block>>>;

struct Block {
    next: Free,
}

/// The free small blocks.
struct Lists {
    /// By size in grains.
    free: [Free; LISTS],
    /// Where the unused part of the region begins, and its length in grains.
    unused: Cell<*mut u8>,
    grains: Cell<usize>,
    /// The bytes that the system has given: now, when the core was warm, and at most.
    given: Cell<usize>,
    given_warm: Cell<usize>,
    allowed: Cell<usize>,
}

// SAFETY: the module has one thread.
unsafe impl Sync for Lists {}

#[global_allocator]
static ALLOCATOR: Lists = Lists {
    free: [const { Cell::new(None) }; LISTS],
    unused: Cell::new(ptr::null_mut()),
    grains: Cell::new(0),
    given: Cell::new(0),
    given_warm: Cell::new(0),
    allowed: Cell::new(usize::MAX),
};

/// Notes that all is allocated that every sandbox needs.
pub(crate) fn is_warm() {
    ALLOCATOR.given_warm.set(ALLOCATOR.given.get());
}

/// Sets how many bytes may be allocated beside what there was when the core was warm.
pub(crate) fn allow(bytes: u64) {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    ALLOCATOR.allowed.set(ALLOCATOR.given_warm.get().saturating_add(bytes));
}

/// Returns the size in grains of a small block for this layout; `None` if the system's allocator has the block.
#[inline(always)]
fn small(layout: Layout) -> Option<usize> {
    (layout.size() <= SMALL && layout.align() <= GRAIN).then_some(layout.size().div_ceil(GRAIN))
}

/// Returns the pointer, which is not null.
fn checked(pointer: *mut u8) -> *mut u8 {
    if pointer.is_null() {
        core::arch::wasm32::unreachable();
    }
    pointer
}

impl Lists {
    /// Counts what the system is about to give, if that is allowed.
    fn charge(&self, bytes: usize) {
        let given = self.given.get().saturating_add(bytes);
        if given > self.allowed.get() {
            edge::full();
            core::arch::wasm32::unreachable();
        }
        self.given.set(given);
    }

    fn refund(&self, bytes: usize) {
        self.given.set(self.given.get().saturating_sub(bytes));
    }

    #[inline(always)]
    fn take(&self, grains: usize) -> *mut u8 {
        let Some(list) = self.free.get(grains) else { core::arch::wasm32::unreachable() };
        let Some(block) = list.get() else { return self.cut(grains) };
        // SAFETY: what is in a list is a block that nobody uses, and `put` made it begin with a `Block`.
        list.set(unsafe { block.as_ref() }.next.get());
        block.as_ptr().cast()
    }

    /// # Safety
    ///
    /// The block has this size, belongs to this allocator, and nobody uses it.
    #[inline(always)]
    unsafe fn put(&self, block: *mut u8, grains: usize) {
        let (Some(list), Some(block)) = (self.free.get(grains), NonNull::new(block.cast::<Block>())) else { return };
        // SAFETY: by the caller, the block is free, and each has at least the size and the alignment of a `Block`.
        unsafe { block.write(Block { next: Cell::new(list.get()) }) };
        list.set(Some(block));
    }

    /// Cuts a block off the region.
    #[cold]
    #[inline(never)]
    fn cut(&self, grains: usize) -> *mut u8 {
        if self.grains.get() < grains {
            self.renew();
        }
        let block = self.unused.get();
        // SAFETY: the region has as many grains.
        self.unused.set(unsafe { block.add(grains * GRAIN) });
        self.grains.set(self.grains.get() - grains);
        block
    }

    /// Begins a new region. The rest of the last one, which is less than a small block, becomes a block.
    fn renew(&self) {
        if self.grains.get() > 0 {
            // SAFETY: the rest is part of no block.
            unsafe { self.put(self.unused.get(), self.grains.get()) };
        }
        let Ok(layout) = Layout::from_size_align(REGION, GRAIN) else { core::arch::wasm32::unreachable() };
        self.charge(REGION);
        // SAFETY: the size of a region is not zero.
        self.unused.set(checked(unsafe { System.alloc(layout) }));
        self.grains.set(REGION / GRAIN);
    }
}

// SAFETY: a layout decides alone who has a block: the lists give blocks that fit it and that nobody uses, and the system's
// allocator keeps its own promises. No pointer is null, and nothing unwinds.
unsafe impl GlobalAlloc for Lists {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match small(layout) {
            Some(grains) => self.take(grains),
            None => {
                self.charge(layout.size());
                // SAFETY: the caller's duty.
                checked(unsafe { System.alloc(layout) })
            }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let Some(grains) = small(layout) else {
            self.charge(layout.size());
            // SAFETY: the caller's duty.
            return checked(unsafe { System.alloc_zeroed(layout) });
        };
        let block = self.take(grains);
        // SAFETY: the block has at least as many bytes.
        unsafe { block.write_bytes(0, layout.size()) };
        block
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: by the caller, the size is valid with this alignment.
        let new_layout = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (small(layout), small(new_layout)) {
            (None, None) => {
                self.charge(size.saturating_sub(layout.size()));
                self.refund(layout.size().saturating_sub(size));
                // SAFETY: the caller's duty.
                checked(unsafe { System.realloc(pointer, layout, size) })
            }
            (old, new) if old == new => pointer,
            _ => {
                // SAFETY: by the caller, the new size is not zero.
                let block = unsafe { self.alloc(new_layout) };
                // SAFETY: both blocks have as many bytes, and the new one is of its own.
                unsafe { block.copy_from_nonoverlapping(pointer, layout.size().min(size)) };
                // SAFETY: the caller's duty.
                unsafe { self.dealloc(pointer, layout) };
                block
            }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        match small(layout) {
            // SAFETY: by the caller, the block has this layout and nobody uses it.
            Some(grains) => unsafe { self.put(pointer, grains) },
            None => {
                self.refund(layout.size());
                // SAFETY: the caller's duty.
                unsafe { System.dealloc(pointer, layout) }
            }
        }
    }
}
