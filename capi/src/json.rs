//! Values as JSON text, for an application that has its own JSON parser.

use wasmlark::Value;

use crate::misuse::{Misuse, Status, guard, text};
use crate::objects::{self, Handle};
use crate::value;

/// Makes a value from a JSON text. An object becomes a dict in the same order and an array a list. A number with a fraction or an
/// exponent, or beyond 64 bits, becomes a float. 0 if the text is not JSON, or is nested deeper than 127 levels:
/// `wasmlark_last_error` says where.
///
/// # Safety
///
/// `length` bytes can be read at `start`, which may be null if that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_value_from_json(start: *const u8, length: usize) -> Handle {
    guard(
        || {
            // SAFETY: the caller's duty, above.
            let json = unsafe { text(start, length, "JSON text") }?;
            let made: Value = serde_json::from_str(json)
                .map_err(|error| Misuse::new(Status::Argument, format!("the text cannot be read as JSON: {error}")))?;
            value::add(made)
        },
        |_| 0,
    )
}

/// Makes a string from a value: its JSON text, on one line. Tuples and sets become arrays, structs objects, and bytes arrays of
/// numbers. An infinite or NaN float becomes `null`; an int beyond 128 bits and a function become strings. 0 if a dict has a key that
/// is not a string, int, float or bool. Free it.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_value_to_json(value: Handle) -> Handle {
    guard(
        || {
            let held = objects::value(value)?;
            let json = serde_json::to_string(&held.value).map_err(|error| {
                Misuse::new(Status::Argument, format!("the value cannot be written as JSON: {error}"))
            })?;
            value::add(Value::Str(json))
        },
        |_| 0,
    )
}
