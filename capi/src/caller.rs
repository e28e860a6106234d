//! The guest that called an import, and copying to and from its memory.

use std::cell::RefCell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmlark::{Caller, Error, GuestMemory};

use crate::misuse::{Misuse, Status, bytes, status};

/// The guest that called an import: valid on the thread of that call until the call returns.
pub type CallerNumber = u64;

/// No number is reused, so that a caller whose call is over is never mistaken for a current one.
static LAST: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The callers of the imports that are running on this thread.
    static CALLERS: RefCell<Vec<(CallerNumber, NonNull<Caller<'static>>)>> = const { RefCell::new(Vec::new()) };
}

/// Runs a function of the application, which may use the memory of `caller` through the number that it receives.
pub(crate) fn lend<R>(caller: &mut Caller<'_>, function: impl FnOnce(CallerNumber) -> R) -> R {
    struct Lent(CallerNumber);
    impl Drop for Lent {
        fn drop(&mut self) {
            let _ = CALLERS.try_with(|callers| callers.borrow_mut().retain(|(number, _)| *number != self.0));
        }
    }
    let number = LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    CALLERS.with(|callers| callers.borrow_mut().push((number, NonNull::from(caller).cast())));
    let _lent = Lent(number);
    function(number)
}

fn memory<R>(caller: CallerNumber, work: impl FnOnce(GuestMemory<'_>) -> Result<R, Error>) -> Result<R, Misuse> {
    let found =
        CALLERS.with(|callers| callers.borrow().iter().find(|(number, _)| *number == caller).map(|(_, found)| *found));
    let mut found = found.ok_or_else(|| {
        Misuse::new(
            Status::Handle,
            format!("caller {caller} is not in a call on this thread: its call is over, or runs on another thread"),
        )
    })?;
    // SAFETY: it is in the list, so `lend` holds the only reference to it, and waits on this thread for the function that called
    // this. Nothing that runs from here on calls the application.
    let found = unsafe { found.as_mut() };
    let memory = found.memory().map_err(|error| Misuse::new(Status::Absent, error.message()))?;
    work(memory).map_err(|error| Misuse::new(Status::Argument, error.message()))
}

/// Writes the size in bytes of the memory of the guest that called an import to `size`: the memory exported as `memory`, otherwise
/// the first one imported or exported. `WASMLARK_STATUS_ABSENT` if it has none.
///
/// # Safety
///
/// `size` is null, which is an error, or a `uint64_t` can be written there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_caller_memory_size(caller: CallerNumber, size: *mut u64) -> Status {
    status(|| {
        let found = memory(caller, |memory| Ok(memory.size()))?;
        if size.is_null() {
            return Err(Misuse::new(Status::Null, "the place for the size is null"));
        }
        // SAFETY: not null; the rest is the caller's duty, above.
        unsafe { size.write(found) };
        Ok(())
    })
}

/// Copies `length` bytes from `address` in the calling guest's memory to `place`. If the range is not within the
/// memory, copies nothing and returns `WASMLARK_STATUS_ARGUMENT`: an address comes from the guest, so check this.
///
/// # Safety
///
/// `length` bytes can be written at `place`, which may be null if that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_caller_read(
    caller: CallerNumber,
    address: u64,
    place: *mut u8,
    length: usize,
) -> Status {
    status(|| {
        memory(caller, |memory| {
            let from = memory.slice(address, length as u64)?;
            if !place.is_null() {
                // SAFETY: `from` has `length` bytes and belongs to wasmlark; the rest is the caller's duty, above.
                unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), place, length) };
            }
            Ok(place.is_null() && length > 0)
        })
        .and_then(|is_null| match is_null {
            true => Err(Misuse::new(Status::Null, format!("the place for {length} bytes is null"))),
            false => Ok(()),
        })
    })
}

/// Copies `length` bytes from `start` to `address` in the calling guest's memory. If the range is not within the memory,
/// copies nothing and returns `WASMLARK_STATUS_ARGUMENT`.
///
/// # Safety
///
/// `length` bytes can be read at `start`, which may be null if that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_caller_write(
    caller: CallerNumber,
    address: u64,
    start: *const u8,
    length: usize,
) -> Status {
    status(|| {
        // SAFETY: the caller's duty, above.
        let content = unsafe { bytes(start, length, "content") }?;
        memory(caller, |mut memory| memory.write(address, content))
    })
}
