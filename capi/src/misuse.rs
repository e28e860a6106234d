//! Invalid calls and panics, and how they are reported.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Whether a call was valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum Status {
    /// Success.
    Ok = 0,
    /// There is no such text or number: the run has no exit code, for example.
    Absent = 1,
    /// A pointer is null although its length is not 0, or the place for a result is null.
    Null = 2,
    /// A text is not UTF-8.
    Utf8 = 3,
    /// The object was freed, was never made, or is of another kind.
    Handle = 4,
    /// A number does not belong to the enumeration, or a value is out of range.
    Argument = 5,
    /// The sandbox is running a script and cannot be changed, or the session is in a call.
    Busy = 6,
    /// No memory, thread or object number is left for it.
    Resources = 7,
    /// wasmlark has a defect: it panicked.
    Panic = 8,
}

/// Why a call was invalid.
#[derive(Debug)]
pub(crate) struct Misuse {
    pub(crate) status: Status,
    pub(crate) message: String,
}

impl Misuse {
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// Reports a number that does not belong to an enumeration.
    pub(crate) fn unknown(what: &str, which: u32) -> Self {
        Self::new(Status::Argument, format!("there is no {what} {which}: see `wasmlark_{what}`"))
    }
}

thread_local! {
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs the body of an exported function and returns its result. If the body fails, keeps the
/// message for [`wasmlark_last_error`] and returns `otherwise(status)`.
pub(crate) fn guard<R>(body: impl FnOnce() -> Result<R, Misuse>, otherwise: impl FnOnce(Status) -> R) -> R {
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    crate::constructors::run_once();
    // A panic can only leave a poisoned lock behind, and every lock here is taken even if poisoned.
    let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
        Err(Misuse::new(Status::Panic, format!("wasmlark panicked: {}", text.unwrap_or("for no stated reason"))))
    });
    outcome.unwrap_or_else(|misuse| {
        // A thread that is ending keeps no message.
        let _ = LAST.try_with(|last| *last.borrow_mut() = misuse.message);
        otherwise(misuse.status)
    })
}

/// [`guard`] for a function that returns only its status.
pub(crate) fn status(body: impl FnOnce() -> Result<(), Misuse>) -> Status {
    guard(|| body().map(|()| Status::Ok), |status| status)
}

/// Returns why the last failed call on this thread failed: one that returned a status other than OK,
/// 0 for an object, or null for a text. The length in bytes goes to `length`. Empty if none failed.
/// Valid until the next failure on this thread.
///
/// # Safety
///
/// `length` is null, or a `size_t` can be written there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_last_error(length: *mut usize) -> *const u8 {
    let (start, count) = LAST
        .try_with(|last| {
            let last = last.borrow();
            (last.as_ptr(), last.len())
        })
        .unwrap_or(("".as_ptr(), 0));
    // SAFETY: the caller's duty, above.
    unsafe { tell(length, count) };
    start
}

/// Writes a length to the place that the caller gave, if any.
///
/// # Safety
///
/// `place` is null, or a `size_t` can be written there.
pub(crate) unsafe fn tell(place: *mut usize, length: usize) {
    if !place.is_null() {
        // SAFETY: the caller's duty, above.
        unsafe { place.write(length) };
    }
}

/// Returns the bytes that a caller points to; `what` names them in messages.
///
/// # Safety
///
/// If `pointer` is not null, `length` bytes can be read there during `'a`.
pub(crate) unsafe fn bytes<'a>(pointer: *const u8, length: usize, what: &str) -> Result<&'a [u8], Misuse> {
    if length == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(Misuse::new(Status::Null, format!("the {what} is a null pointer with length {length}")));
    }
    if isize::try_from(length).is_err() {
        return Err(Misuse::new(Status::Argument, format!("the {what} is too long: {length} bytes")));
    }
    // SAFETY: not null, and no longer than an object can be; the rest is the caller's duty, above.
    Ok(unsafe { std::slice::from_raw_parts(pointer, length) })
}

/// Returns the text that a caller points to.
///
/// # Safety
///
/// As [`bytes`].
pub(crate) unsafe fn text<'a>(pointer: *const u8, length: usize, what: &str) -> Result<&'a str, Misuse> {
    // SAFETY: the caller's duty, above.
    let bytes = unsafe { bytes(pointer, length, what) }?;
    std::str::from_utf8(bytes).map_err(|error| {
        Misuse::new(Status::Utf8, format!("the {what} is not UTF-8: invalid at byte {}", error.valid_up_to()))
    })
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_status() {
        assert_eq!(status(|| panic!("on {}", "purpose")), Status::Panic);
        assert_eq!(LAST.with(|last| last.borrow().clone()), "wasmlark panicked: on purpose");
    }
}
