//! What a core may allocate: the limit `heap` with a constant for its evaluator, and what its files hold beside that. Its
//! guests are elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};

use once_cell::sync::OnceCell;

/// What is told of it.
type Allow = Box<dyn Fn(u64) + Send + Sync>;

static ALLOW: OnceCell<Allow> = OnceCell::new();
/// What the evaluator needs beside a script's heap, in bytes: syntax trees, messages, stacks, the bytes of modules. Without it,
/// a small heap would end elsewhere than where a script is not isolated.
const BESIDE_HEAP: u64 = 32 << 20;

/// The limit `heap`. A core has one session, so it needs one of each.
static HEAP: AtomicU64 = AtomicU64::new(u64::MAX);
/// The most that files have held at once. It stays theirs, since what they give back is freed later.
static PEAK: AtomicU64 = AtomicU64::new(0);

/// Sets who is told how many bytes may be allocated.
pub(crate) fn on_change(allow: impl Fn(u64) + Send + Sync + 'static) {
    // Only the first counts: a core calls this once.
    let _ = ALLOW.set(Box::new(allow));
}

/// Sets the limit `heap`.
pub(crate) fn set_heap(bytes: u64) {
    HEAP.store(bytes, Ordering::Relaxed);
    tell();
}

/// Notes what files are about to hold.
pub(super) fn note(files: u64) {
    if files > PEAK.load(Ordering::Relaxed) {
        PEAK.store(files, Ordering::Relaxed);
        tell();
    }
}

fn tell() {
    if let Some(allow) = ALLOW.get() {
        let evaluator = HEAP.load(Ordering::Relaxed).saturating_add(BESIDE_HEAP);
        allow(evaluator.saturating_add(PEAK.load(Ordering::Relaxed)));
    }
}
