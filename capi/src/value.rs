//! Values that go into and come out of scripts, as objects.

use std::sync::{Arc, OnceLock};

use wasmlark::{Int, Value};

use crate::misuse::{Misuse, Status, bytes, guard, status, tell, text};
use crate::objects::{self, Handle, Object};

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum Type {
    /// `None`.
    None = 0,
    /// `True` or `False`: `wasmlark_value_get_int` gives 1 or 0.
    Bool = 1,
    /// An int of any size.
    Int = 2,
    /// A float.
    Float = 3,
    /// A string: `wasmlark_value_text` returns it.
    String = 4,
    /// Bytes: `wasmlark_value_text` returns them.
    Bytes = 5,
    /// A list.
    List = 6,
    /// A tuple.
    Tuple = 7,
    /// A dict, with its entries in order.
    Dict = 8,
    /// A set, with its elements in order.
    Set = 9,
    /// A struct or record: the names of its fields are the keys.
    Struct = 10,
    /// A function or another value that cannot leave its script: only its name does.
    Opaque = 11,
    /// The object is not a value.
    NoValue = -1,
}

pub(crate) fn add(value: Value) -> Result<Handle, Misuse> {
    objects::add(Object::Value(Arc::new(Held { value, text: OnceLock::new() })))
}

/// A value, and its `repr` if it is neither a string nor bytes, made on demand.
pub(crate) struct Held {
    pub(crate) value: Value,
    text: OnceLock<String>,
}

fn made(body: impl FnOnce() -> Result<Value, Misuse>) -> Handle {
    guard(|| body().and_then(add), |_| 0)
}

/// Makes `None`. Free it, like every value, with `wasmlark_free`, even after passing it to a call.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_value_none() -> Handle {
    made(|| Ok(Value::None))
}

/// Makes a bool: `True` unless `value` is 0.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_value_bool(value: u32) -> Handle {
    made(|| Ok(Value::Bool(value != 0)))
}

/// Makes an int.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_value_int(value: i64) -> Handle {
    made(|| Ok(Value::Int(Int::from(value))))
}

/// Makes a float.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_value_float(value: f64) -> Handle {
    made(|| Ok(Value::Float(value)))
}

/// Makes a string from UTF-8.
///
/// # Safety
///
/// `length` bytes can be read at `start`, which may be null if that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_value_string(start: *const u8, length: usize) -> Handle {
    // SAFETY: the caller's duty, above.
    made(|| Ok(Value::Str(unsafe { text(start, length, "string") }?.to_owned())))
}

/// Makes bytes.
///
/// # Safety
///
/// As `wasmlark_value_string`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_value_bytes(start: *const u8, length: usize) -> Handle {
    // SAFETY: the caller's duty, above.
    made(|| Ok(Value::Bytes(unsafe { bytes(start, length, "bytes") }?.to_vec())))
}

/// Makes a list of copies of `count` values.
///
/// # Safety
///
/// `count` objects can be read at `items`, which may be null if that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_value_list(items: *const Handle, count: usize) -> Handle {
    // SAFETY: the caller's duty, above.
    made(|| Ok(Value::List(unsafe { copies(items, count) }?)))
}

/// Makes a dict of copies of `count` keys and `count` values. `entries` has a key, its value, the next key, and so on.
///
/// # Safety
///
/// Twice `count` objects can be read at `entries`, which may be null if that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_value_dict(entries: *const Handle, count: usize) -> Handle {
    made(|| {
        let all = count.checked_mul(2).ok_or_else(|| Misuse::new(Status::Argument, "too many entries"))?;
        // SAFETY: the caller's duty, above.
        let mut values = unsafe { copies(entries, all) }?.into_iter();
        let mut dict = Vec::with_capacity(count);
        while let (Some(key), Some(value)) = (values.next(), values.next()) {
            dict.push((key, value));
        }
        Ok(Value::Dict(dict))
    })
}

/// # Safety
///
/// As [`wasmlark_value_list`].
pub(crate) unsafe fn copies(items: *const Handle, count: usize) -> Result<Vec<Value>, Misuse> {
    let length = count.saturating_mul(size_of::<Handle>());
    // SAFETY: the caller's duty, above. Read as bytes, so that any alignment is allowed.
    let all = unsafe { bytes(items.cast(), length, "list of values") }?;
    let handle = |chunk: &[u8]| chunk.try_into().map(Handle::from_ne_bytes).unwrap_or_default();
    all.chunks_exact(size_of::<Handle>()).map(|chunk| Ok(objects::value(handle(chunk))?.value.clone())).collect()
}

/// Returns the type of a value.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_value_type(value: Handle) -> Type {
    let found = || {
        Ok(match &objects::value(value)?.value {
            Value::None => Type::None,
            Value::Bool(_) => Type::Bool,
            Value::Int(_) => Type::Int,
            Value::Float(_) => Type::Float,
            Value::Str(_) => Type::String,
            Value::Bytes(_) => Type::Bytes,
            Value::List(_) => Type::List,
            Value::Tuple(_) => Type::Tuple,
            Value::Dict(_) => Type::Dict,
            Value::Set(_) => Type::Set,
            Value::Struct(_) => Type::Struct,
            _ => Type::Opaque,
        })
    };
    guard(found, |_| Type::NoValue)
}

/// Writes an int, or 1 or 0 for a bool, to `number`. `WASMLARK_STATUS_ABSENT` for another type and for an int that does not fit.
///
/// # Safety
///
/// `number` is null, or an `int64_t` can be written there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_value_get_int(value: Handle, number: *mut i64) -> Status {
    // SAFETY: the caller's duty, above.
    unsafe {
        give(number, || {
            let held = objects::value(value)?;
            Ok(held.value.as_bool().map(i64::from).or_else(|| held.value.as_i64()))
        })
    }
}

/// Writes a float to `number`. `WASMLARK_STATUS_ABSENT` for another type.
///
/// # Safety
///
/// `number` is null, or a `double` can be written there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_value_get_float(value: Handle, number: *mut f64) -> Status {
    // SAFETY: the caller's duty, above.
    unsafe { give(number, || Ok(objects::value(value)?.value.as_f64())) }
}

/// # Safety
///
/// `place` is null, or a `T` can be written there.
unsafe fn give<T>(place: *mut T, body: impl FnOnce() -> Result<Option<T>, Misuse>) -> Status {
    status(|| {
        if place.is_null() {
            return Err(Misuse::new(Status::Null, "the place for the number is null"));
        }
        let found = body()?.ok_or_else(|| Misuse::new(Status::Absent, "the value has another type or does not fit"))?;
        // SAFETY: not null; the rest is the caller's duty, above.
        unsafe { place.write(found) };
        Ok(())
    })
}

/// Returns the text of a string, the content of bytes, or Starlark's `repr` of any other value. Its length goes to
/// `length`, which may be null. Valid until the value is freed. Null if the object is not a value.
///
/// # Safety
///
/// `length` is null, or a `size_t` can be written there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_value_text(value: Handle, length: *mut usize) -> *const u8 {
    let found = guard(
        || {
            let held = objects::value(value)?;
            let bytes = match &held.value {
                Value::Str(text) => text.as_bytes(),
                Value::Bytes(bytes) => bytes,
                other => held.text.get_or_init(|| other.to_string()).as_bytes(),
            };
            Ok((bytes.as_ptr(), bytes.len()))
        },
        |_| (std::ptr::null(), 0),
    );
    // SAFETY: the caller's duty, above.
    unsafe { tell(length, found.1) };
    found.0
}

/// Returns the number of elements of a list, tuple or set, or of entries of a dict, struct or record; 0 for
/// all other types.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_value_count(value: Handle) -> usize {
    let count = || {
        Ok(match &objects::value(value)?.value {
            Value::List(values) | Value::Tuple(values) | Value::Set(values) => values.len(),
            Value::Dict(entries) => entries.len(),
            Value::Struct(value) => value.fields().len(),
            _ => 0,
        })
    };
    guard(count, |_| 0)
}

/// Returns a copy of the element at `index`, from 0, or of an entry's value. 0 if there is none. Free it.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_value_item(value: Handle, index: usize) -> Handle {
    made(|| {
        let held = objects::value(value)?;
        let found = match &held.value {
            Value::List(values) | Value::Tuple(values) | Value::Set(values) => values.get(index),
            Value::Dict(entries) => entries.get(index).map(|(_, value)| value),
            Value::Struct(value) => value.fields().get(index).map(|(_, value)| value),
            _ => None,
        };
        found.cloned().ok_or_else(|| nothing_at(index))
    })
}

/// Returns a copy of the key at `index`, from 0, of a dict, struct or record. 0 if there is none. Free it.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_value_key(value: Handle, index: usize) -> Handle {
    made(|| {
        let held = objects::value(value)?;
        let found = match &held.value {
            Value::Dict(entries) => entries.get(index).map(|(key, _)| key.clone()),
            Value::Struct(value) => value.fields().get(index).map(|(name, _)| name.as_str().into()),
            _ => None,
        };
        found.ok_or_else(|| nothing_at(index))
    })
}

fn nothing_at(index: usize) -> Misuse {
    Misuse::new(Status::Absent, format!("the value has nothing at {index}"))
}

/// Returns a copy of the value that a dict has under a string, or a struct or record under a field's name. 0 if there
/// is none. Free it.
///
/// # Safety
///
/// `length` bytes can be read at `name`, which may be null if that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_value_get(value: Handle, name: *const u8, length: usize) -> Handle {
    made(|| {
        // SAFETY: the caller's duty, above.
        let name = unsafe { text(name, length, "name") }?;
        let held = objects::value(value)?;
        held.value.get(name).cloned().ok_or_else(|| Misuse::new(Status::Absent, format!("the value has no `{name}`")))
    })
}
