//! Values as JSON text, for an application that has a parser of its own.

use wasmlark::Value;

use crate::misuse::{Misuse, Status, guard, text};
use crate::objects::{self, Handle};
use crate::value;

/// Makes a value of a JSON text: an object becomes a dict in its order, an array a list, a number with a fraction or an exponent, or
/// beyond 64 bits, a float. 0 if it is no JSON, or nested deeper than 127 levels: `wasmlark_last_error` says where.
///
/// # Safety
///
/// `length` bytes can be read at `start`, which may be null where that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_value_from_json(start: *const u8, length: usize) -> Handle {
    guard(
        || {
            // SAFETY: the caller's duty, above.
            let json = unsafe { text(start, length, "JSON text") }?;
            let made: Value = serde_json::from_str(json).map_err(|error| {
                Misuse::new(Status::Argument, format!("the text is not the JSON of a value: {error}"))
            })?;
            value::add(made)
        },
        |_| 0,
    )
}

/// Makes a string of a value: its JSON text, on one line. A tuple and a set become arrays, a struct an object; bytes an array of
/// their numbers, a float that is infinite or not a number `null`, an int beyond 128 bits and a function a string. 0 where a dict has
/// a key that is no string, int, float or bool. Free it.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_value_to_json(value: Handle) -> Handle {
    guard(
        || {
            let held = objects::value(value)?;
            let json = serde_json::to_string(&held.value)
                .map_err(|error| Misuse::new(Status::Argument, format!("the value has no JSON text: {error}")))?;
            value::add(Value::Str(json))
        },
        |_| 0,
    )
}
