//! Threads that work on a list.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Does `work` on the items, `jobs` at a time, on stacks of `stack` bytes. Passes the results to `deliver` in the order of
/// the items, each as soon as all before it were passed.
pub fn in_order<T: Sync, R: Send>(
    items: &[T],
    jobs: usize,
    stack: usize,
    work: impl Fn(&T) -> R + Sync,
    mut deliver: impl FnMut(R) -> Result<(), String>,
) -> Result<(), String> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for _ in 0..jobs.min(items.len()) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            let worker = move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    if sender.send((index, work(item))).is_err() {
                        return;
                    }
                }
            };
            let thread = thread::Builder::new().stack_size(stack).spawn_scoped(scope, worker);
            thread.map_err(|error| format!("cannot make a thread with a stack of {stack} bytes: {error}"))?;
        }
        drop(sender);
        let (mut waiting, mut wanted) = (BTreeMap::new(), 0_usize);
        for (index, result) in results {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&wanted) {
                deliver(result)?;
                wanted = wanted.saturating_add(1);
            }
        }
        Ok(())
    })
}
