//! The types that implement [`Argument`].

use std::collections::BTreeMap;

use num_bigint::BigInt;
use starlark::values::bytes::StarlarkBytes;
use starlark::values::dict::DictRef;
use starlark::values::float::{StarlarkFloat, UnpackFloat};
use starlark::values::{UnpackValue, Value as Starlark, ValueLike};

use super::{Argument, Mismatch, Slot, elements};
use crate::value::{Int, Value};

macro_rules! arguments {
    ($($type:ty as $wanted:literal => |$value:ident| $get:expr;)*) => {$(
        impl<'a> Argument<'a> for $type {
            type Output = Self;

            #[inline]
            fn from_starlark(slot: Slot<'a>) -> Result<Self, Mismatch> {
                let $value = slot.value()?;
                match $get {
                    Some(value) => Ok(value),
                    None => slot.must_be($wanted),
                }
            }
        }
    )*};
}

fn bytes(value: Starlark<'_>) -> Option<&[u8]> {
    value.downcast_ref::<StarlarkBytes>().map(StarlarkBytes::as_bytes)
}

fn float(value: Starlark<'_>) -> Option<f64> {
    value
        .downcast_ref::<StarlarkFloat>()
        .map(|float| float.0)
        .or_else(|| UnpackFloat::unpack_value_opt(value).map(|float| float.0))
}

fn letter(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

arguments! {
    bool as "bool" => |value| value.unpack_bool();
    f64 as "float" => |value| float(value);
    f32 as "float" => |value| float(value).map(|value| value as f32);
    char as "a str of one character" => |value| value.unpack_str().and_then(letter);
    String as "str" => |value| value.unpack_str().map(str::to_owned);
    Int as "int" => |value| BigInt::unpack_value(value).ok().flatten().map(Int::from_big);
}

impl<'a> Argument<'a> for &str {
    type Output = &'a str;

    #[inline]
    fn from_starlark(slot: Slot<'a>) -> Result<&'a str, Mismatch> {
        slot.value()?.unpack_str().map_or_else(|| slot.must_be("str"), Ok)
    }
}

impl<'a> Argument<'a> for &[u8] {
    type Output = &'a [u8];

    #[inline]
    fn from_starlark(slot: Slot<'a>) -> Result<&'a [u8], Mismatch> {
        bytes(slot.value()?).map_or_else(|| slot.must_be("bytes"), Ok)
    }
}

/// Converts an int that fits `T`; `range` describes that range.
fn integer<'a, T: TryFrom<i32> + for<'i> TryFrom<&'i Int>>(slot: Slot<'a>, range: String) -> Result<T, Mismatch> {
    let value = slot.value()?;
    if let Some(small) = value.unpack_i32() {
        return T::try_from(small).map_err(|_| Mismatch::new(format!("must be an int {range}, not {small}")));
    }
    match BigInt::unpack_value(value) {
        Ok(Some(big)) => T::try_from(&Int::from_big(big)).map_err(|_| {
            let text = value.to_repr();
            let shown = if text.len() > 60 { "a larger one" } else { &text };
            Mismatch::new(format!("must be an int {range}, not {shown}"))
        }),
        _ => slot.must_be("int"),
    }
}

macro_rules! integers {
    ($($int:ty),*) => {$(
        impl<'a> Argument<'a> for $int {
            type Output = Self;

            #[inline]
            fn from_starlark(slot: Slot<'a>) -> Result<Self, Mismatch> {
                match slot.value.and_then(|value| value.unpack_i32()).and_then(|small| small.try_into().ok()) {
                    Some(value) => Ok(value),
                    None => integer(slot, format!("from {} to {}", Self::MIN, Self::MAX)),
                }
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, i128, isize, u16, u32, u64, u128, usize);

impl<'a> Argument<'a> for u8 {
    type Output = Self;

    fn from_starlark(slot: Slot<'a>) -> Result<Self, Mismatch> {
        integer(slot, "from 0 to 255".to_owned())
    }

    /// Bytes.
    fn list_from_starlark(slot: Slot<'a>) -> Result<Vec<Self>, Mismatch> {
        <&[u8]>::from_starlark(slot).map(<[u8]>::to_vec)
    }
}

impl<'a> Argument<'a> for Value {
    type Output = Self;

    fn from_starlark(slot: Slot<'a>) -> Result<Self, Mismatch> {
        slot.copied()
    }
}

impl<'a, T: Argument<'a>> Argument<'a> for Option<T> {
    type Output = Option<T::Output>;

    fn from_starlark(slot: Slot<'a>) -> Result<Self::Output, Mismatch> {
        match slot.value {
            None => Ok(None),
            Some(value) if value.is_none() => Ok(None),
            Some(_) => T::from_starlark(slot).map(Some),
        }
    }
}

impl<'a, T: Argument<'a>> Argument<'a> for Vec<T> {
    type Output = Vec<T::Output>;

    fn from_starlark(slot: Slot<'a>) -> Result<Self::Output, Mismatch> {
        T::list_from_starlark(slot)
    }
}

impl<'a, T: Argument<'a>> Argument<'a> for BTreeMap<String, T> {
    type Output = BTreeMap<String, T::Output>;

    fn from_starlark(slot: Slot<'a>) -> Result<Self::Output, Mismatch> {
        let Some(dict) = DictRef::from_value(slot.value()?) else { return slot.must_be("dict") };
        let entry = |(key, value): (Starlark<'a>, Starlark<'a>)| {
            let key =
                String::from_starlark(slot.part(key)).map_err(|mismatch| mismatch.within(".keys()".to_owned()))?;
            match T::from_starlark(slot.part(value)) {
                Ok(value) => Ok((key, value)),
                Err(mismatch) => Err(mismatch.within(format!("[{key:?}]"))),
            }
        };
        dict.iter().map(entry).collect()
    }
}

macro_rules! tuples {
    ($($count:literal: $($type:ident $at:tt),*;)*) => {$(
        impl<'a, $($type: Argument<'a>),*> Argument<'a> for ($($type,)*) {
            type Output = ($($type::Output,)*);

            fn from_starlark(slot: Slot<'a>) -> Result<Self::Output, Mismatch> {
                let items = elements(&slot, "tuple")?;
                let Ok(items) = <[Starlark<'a>; $count]>::try_from(items) else {
                    return Err(Mismatch::new(format!("must have {} elements, not {}", $count, items.len())));
                };
                Ok(($(
                    $type::from_starlark(slot.part(items[$at]))
                        .map_err(|mismatch| mismatch.within(format!("[{}]", $at)))?,
                )*))
            }
        }
    )*};
}

#[allow(clippy::indexing_slicing)] // constants, into an array
mod of_tuples {
    use super::*;

    tuples! {
        2: A 0, B 1;
        3: A 0, B 1, C 2;
        4: A 0, B 1, C 2, D 3;
    }
}
