//! Numbers and vectors between the two languages. Knows no handles: `api::function` handles references.

use starlark::values::bytes::StarlarkBytes;
use starlark::values::float::{StarlarkFloat, UnpackFloat};
use starlark::values::{AllocValue, Heap, UnpackValue, Value, ValueLike};
use wasmi::{F32, F64, V128, Val, ValType};

use crate::error::Error;

/// What a value is expected to be, in words that finish "expected …".
pub(crate) type Expected = &'static str;

/// Converts a Starlark number or vector to `ty`. Integers wrap to the type's bits within the range that its signed and
/// unsigned interpretations span together.
#[inline]
pub(crate) fn to_wasm(value: Value<'_>, ty: ValType) -> Result<Val, Expected> {
    match ty {
        ValType::I32 => to_i32(value).map(Val::I32),
        ValType::I64 => to_i64(value).map(Val::I64),
        ValType::F32 => to_f32(value).map(Val::F32),
        ValType::F64 => to_f64(value).map(Val::F64),
        ValType::V128 => to_v128(value).map(Val::V128),
        ValType::FuncRef | ValType::ExternRef => Err("a reference"),
    }
}

#[inline]
pub(crate) fn to_i32(value: Value<'_>) -> Result<i32, Expected> {
    match value.unpack_i32() {
        Some(x) => Ok(x),
        None => wide_i32(value),
    }
}

#[inline]
pub(crate) fn to_i64(value: Value<'_>) -> Result<i64, Expected> {
    match value.unpack_i32() {
        Some(x) => Ok(x.into()),
        None => wide_i64(value),
    }
}

/// Converts a number or vector to a Starlark value; `None` for a reference.
#[inline]
pub(crate) fn to_starlark<'v>(val: &Val, heap: Heap<'v>) -> Option<Value<'v>> {
    Some(match val {
        Val::I32(x) => heap.alloc(*x),
        Val::I64(x) => int(*x, heap),
        Val::F32(x) => heap.alloc(float(f64::from(x.to_float()))),
        Val::F64(x) => heap.alloc(float(x.to_float())),
        Val::V128(x) => heap.alloc(StarlarkBytes::new(&x.as_u128().to_le_bytes())),
        Val::FuncRef(_) | Val::ExternRef(_) => return None,
    })
}

/// Converts an int. It is mostly small and then does not go through starlark's integers of any size.
#[inline]
pub(crate) fn int<'v, T: Copy + TryInto<i32> + AllocValue<'v>>(x: T, heap: Heap<'v>) -> Value<'v> {
    match x.try_into() {
        Ok(small) => heap.alloc::<i32>(small),
        Err(_) => heap.alloc(x),
    }
}

/// Returns the single NaN that scripts see, whatever payload the guest made.
#[inline]
pub(crate) fn float(x: f64) -> f64 {
    if x.is_nan() { f64::from_bits(CANONICAL_NAN) } else { x }
}

const CANONICAL_NAN: u64 = 0x7ff8_0000_0000_0000;
const CANONICAL_NAN_F32: u32 = 0x7fc0_0000;

const I32: Expected = "an int from -2147483648 to 4294967295";
const I64: Expected = "an int from -9223372036854775808 to 18446744073709551615";

#[cold]
fn wide_i32(value: Value<'_>) -> Result<i32, Expected> {
    let x = integer(value).ok_or(I32)?;
    match (i32::try_from(x), u32::try_from(x)) {
        (Ok(x), _) => Ok(x),
        (_, Ok(x)) => Ok(x.cast_signed()),
        _ => Err(I32),
    }
}

fn wide_i64(value: Value<'_>) -> Result<i64, Expected> {
    let x = integer(value).ok_or(I64)?;
    match (i64::try_from(x), u64::try_from(x)) {
        (Ok(x), _) => Ok(x),
        (_, Ok(x)) => Ok(x.cast_signed()),
        _ => Err(I64),
    }
}

fn number(value: Value<'_>) -> Option<f64> {
    if let Some(x) = value.downcast_ref::<StarlarkFloat>() {
        return Some(x.0);
    }
    UnpackFloat::unpack_value_opt(value).map(|x| x.0)
}

pub(crate) fn to_f64(value: Value<'_>) -> Result<F64, Expected> {
    let x = number(value).ok_or("a float or int")?;
    if x.is_infinite() && value.downcast_ref::<StarlarkFloat>().is_none() {
        return Err("a number that fits an f64");
    }
    Ok(F64::from_bits(float(x).to_bits()))
}

pub(crate) fn to_f32(value: Value<'_>) -> Result<F32, Expected> {
    let x = number(value).ok_or("a float or int")?;
    if x.is_nan() {
        return Ok(F32::from_bits(CANONICAL_NAN_F32));
    }
    // Rounds to nearest, ties to even, as `f32.demote_f64` does.
    let narrow = x as f32;
    if narrow.is_infinite() && (x.is_finite() || value.downcast_ref::<StarlarkFloat>().is_none()) {
        return Err("a number that fits an f32");
    }
    Ok(F32::from_float(narrow))
}

fn to_v128(value: Value<'_>) -> Result<V128, Expected> {
    let lanes = bytes(value).and_then(|b| <[u8; 16]>::try_from(b).ok());
    lanes.map(|b| V128::from(u128::from_le_bytes(b))).ok_or("bytes of length 16")
}

/// Returns an `int` of any size: those beyond 64 bits become `i128::MAX`, which is outside every range asked for.
/// `None` for a value that is not an `int`, including a `bool`.
pub(crate) fn integer(value: Value<'_>) -> Option<i128> {
    if let Some(x) = value.unpack_i32() {
        return Some(x.into());
    }
    match i64::unpack_value_impl(value) {
        Ok(x) => x.map(i128::from),
        Err(_) => match u64::unpack_value_impl(value) {
            Ok(x) => x.map(i128::from),
            Err(_) => Some(i128::MAX),
        },
    }
}

/// Returns the content of a `bytes` value.
#[inline]
pub(crate) fn bytes<'v>(value: Value<'v>) -> Option<&'v [u8]> {
    value.downcast_ref::<StarlarkBytes>().map(StarlarkBytes::as_bytes)
}

/// Converts an argument that is a count or an offset: an `int` that is not negative.
#[inline]
pub(crate) fn size(value: Value<'_>, what: &str) -> Result<u64, Error> {
    match value.unpack_i32() {
        Some(x) if x >= 0 => Ok(u64::from(x.cast_unsigned())),
        _ => big_size(value, what),
    }
}

#[cold]
fn big_size(value: Value<'_>, what: &str) -> Result<u64, Error> {
    match integer(value) {
        None => Err(Error::value(format!("`{what}` must be an int, got {}", describe(value)))),
        Some(x) => u64::try_from(x).map_err(|_| {
            let why = if x < 0 { "must not be negative" } else { "does not fit in 64 bits" };
            // A guest's results are signed, so its pointers above 2 GiB are negative here.
            let is_place = matches!(what, "offset" | "ptr" | "index" | "dst" | "src");
            let hint = if is_place && i32::try_from(x).is_ok() {
                " (a pointer as i32? `& 0xFFFFFFFF` makes it unsigned)"
            } else {
                ""
            };
            Error::value(format!("`{what}` {why}, got {}{hint}", short(value)))
        }),
    }
}

/// Describes a value for an error message: its type, and the value itself if that is short and safe to print. Lists and
/// the like are not printed, since they may be nested to any depth.
pub(crate) fn describe(value: Value<'_>) -> String {
    if value.is_none() {
        return "None".to_owned();
    }
    match value.get_type() {
        ty @ ("int" | "float" | "bool" | "string" | "bytes") => {
            let ty = if ty == "string" { "str" } else { ty };
            format!("{ty} {}", short(value))
        }
        ty => format!("a value of type {ty}"),
    }
}

fn short(value: Value<'_>) -> String {
    const MAX_CHARS: usize = 60;
    if value.unpack_str().is_some_and(|s| s.len() > MAX_CHARS) || bytes(value).is_some_and(|b| b.len() > MAX_CHARS) {
        return "too long to show".to_owned();
    }
    let text = value.to_repr();
    match text.char_indices().nth(MAX_CHARS) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
