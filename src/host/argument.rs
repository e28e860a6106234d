//! The types of a host function's arguments and result.

use std::collections::BTreeMap;
use std::error::Error as StdError;

use num_bigint::BigInt;
use starlark::values::bytes::StarlarkBytes;
use starlark::values::dict::DictRef;
use starlark::values::float::{StarlarkFloat, UnpackFloat};
use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{Heap, UnpackValue, Value as Starlark, ValueLike};

use crate::error::Error;
use crate::value::{Int, Value};

/// A type that an argument of a host function may have: `bool`, the integers, `f32` and `f64`, `char`, `&str` and `String`, `&[u8]`
/// and `Vec<u8>` for bytes, [`Int`], [`Value`], `Option`, `Vec`, tuples, `BTreeMap` with `String` keys, and with the feature
/// `serde` [`Serde`](crate::Serde) of any type that it can deserialise.
///
/// An `Option` is `None` for `None` and for an argument that is not passed. Types outside this
/// crate cannot implement this trait.
pub trait Argument<'a>: Sized {
    /// The type itself; for a reference, with the lifetime of the call.
    type Output;

    #[doc(hidden)]
    fn from_starlark(slot: Slot<'a>) -> Result<Self::Output, Mismatch>;

    /// Whether it takes all remaining arguments.
    #[doc(hidden)]
    const IS_REST: bool = false;

    /// Takes what it needs of the remaining arguments, or returns what is wrong with one of them.
    #[doc(hidden)]
    fn take(slots: &mut std::slice::Iter<'_, Slot<'a>>) -> Result<Self::Output, (usize, Mismatch)> {
        let slot = slots.next().ok_or_else(|| (0, Mismatch::new("is missing")))?;
        Self::from_starlark(*slot).map_err(|mismatch| (0, mismatch))
    }

    /// Converts a list of this type; bytes have a conversion of their own.
    #[doc(hidden)]
    fn list_from_starlark(slot: Slot<'a>) -> Result<Vec<Self::Output>, Mismatch> {
        let items = elements(&slot, "list")?;
        let item = |(at, item): (usize, &Starlark<'a>)| {
            Self::from_starlark(slot.part(*item)).map_err(|mismatch| mismatch.within(format!("[{at}]")))
        };
        items.iter().enumerate().map(item).collect()
    }
}

/// An argument as the script passes it.
#[derive(Clone, Copy)]
pub struct Slot<'a> {
    value: Option<Starlark<'a>>,
    heap: Heap<'a>,
}

impl<'a> Slot<'a> {
    pub(crate) fn new(value: Option<Starlark<'a>>, heap: Heap<'a>) -> Self {
        Self { value, heap }
    }

    fn part(&self, value: Starlark<'a>) -> Self {
        Self { value: Some(value), heap: self.heap }
    }

    fn value(&self) -> Result<Starlark<'a>, Mismatch> {
        self.value.ok_or_else(|| Mismatch::new("is missing"))
    }

    fn copied(&self) -> Result<Value, Mismatch> {
        Value::from_starlark(self.value()?, self.heap).map_err(|error| Mismatch::new(format!(": {}", error.message())))
    }

    /// Returns a copy of the argument, `None` if it is not passed.
    #[cfg(feature = "core")]
    pub(super) fn forwarded(&self) -> Result<Option<Value>, Mismatch> {
        self.value.map(|_| self.copied()).transpose()
    }

    fn must_be<T>(&self, wanted: &str) -> Result<T, Mismatch> {
        Err(Mismatch::new(format!("must be {wanted}, not {}", type_name(self.value()?))))
    }
}

/// What is wrong with an argument, in words that follow its name in a message.
pub struct Mismatch {
    /// The path to the place in it, innermost step first.
    path: Vec<String>,
    message: String,
}

impl Mismatch {
    fn new(message: impl Into<String>) -> Self {
        Self { path: Vec::new(), message: message.into() }
    }

    fn within(mut self, step: String) -> Self {
        self.path.push(step);
        self
    }

    /// Returns the message about the argument of this name.
    pub(crate) fn about(self, name: &str) -> String {
        let path: String = self.path.into_iter().rev().collect();
        let place = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
        let joint = if self.message.starts_with(':') { "" } else { " " };
        format!("{name}{place}{joint}{}", self.message)
    }
}

/// Returns a type's name as a script writes it.
pub(crate) fn type_name(value: Starlark<'_>) -> &'static str {
    match value.get_type() {
        "string" => "str",
        "NoneType" => "None",
        name => name,
    }
}

fn elements<'a>(slot: &Slot<'a>, wanted: &str) -> Result<&'a [Starlark<'a>], Mismatch> {
    let value = slot.value()?;
    if let Some(list) = ListRef::from_value(value) {
        return Ok(list.content());
    }
    match TupleRef::from_value(value) {
        Some(tuple) => Ok(tuple.content()),
        None => slot.must_be(wanted),
    }
}

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

/// The last argument of a host function, which takes all remaining positional arguments.
///
/// ```
/// use wasmlark::{Error, Rest, Sandbox, Value};
///
/// let mut sandbox = Sandbox::new();
/// sandbox.function("join", |with: &str, Rest(parts): Rest<&str>| Ok::<_, Error>(parts.join(with)));
/// assert_eq!(sandbox.run("main.star", "join('-', 'a', 'b', 'c')")?.value, Value::from("a-b-c"));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rest<T>(pub Vec<T>);

impl<'a, T: Argument<'a>> Argument<'a> for Rest<T> {
    type Output = Rest<T::Output>;

    const IS_REST: bool = true;

    fn from_starlark(slot: Slot<'a>) -> Result<Self::Output, Mismatch> {
        T::from_starlark(slot).map(|only| Rest(vec![only]))
    }

    fn take(slots: &mut std::slice::Iter<'_, Slot<'a>>) -> Result<Self::Output, (usize, Mismatch)> {
        let rest = slots.enumerate().map(|(at, slot)| T::from_starlark(*slot).map_err(|mismatch| (at, mismatch)));
        rest.collect::<Result<_, _>>().map(Rest)
    }
}

/// An argument or result of a host function that serde converts.
///
/// ```
/// use wasmlark::{Error, Sandbox, Serde};
///
/// #[derive(serde::Deserialize, serde::Serialize)]
/// struct Point { x: f64, y: f64 }
///
/// let mut sandbox = Sandbox::new();
/// sandbox.function("flip", |Serde(p): Serde<Point>| Ok::<_, Error>(Serde(Point { x: p.y, y: p.x })));
/// let run = sandbox.run("main.star", "flip({'x': 1.5, 'y': 2.5})")?;
/// assert_eq!(run.value.to_string(), r#"{"x": 2.5, "y": 1.5}"#);
/// # Ok::<(), Error>(())
/// ```
#[cfg(feature = "serde")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Serde<T>(pub T);

#[cfg(feature = "serde")]
impl<'a, T: serde::de::DeserializeOwned> Argument<'a> for Serde<T> {
    type Output = Self;

    fn from_starlark(slot: Slot<'a>) -> Result<Self, Mismatch> {
        slot.copied()?.to().map(Self).map_err(|error| Mismatch::new(format!(": {}", error.message())))
    }
}

/// A type that the result of a host function may have: all that have `Into<Value>`, and with the feature `serde`
/// [`Serde`](crate::Serde) of any type that it can serialise.
pub trait IntoValue {
    /// Converts into a value.
    ///
    /// # Errors
    ///
    /// If serde cannot serialise it.
    fn into_value(self) -> Result<Value, Error>;
}

impl<T: Into<Value>> IntoValue for T {
    fn into_value(self) -> Result<Value, Error> {
        Ok(self.into())
    }
}

#[cfg(feature = "serde")]
impl<T: serde::Serialize> IntoValue for Serde<T> {
    fn into_value(self) -> Result<Value, Error> {
        Value::from_serialize(&self.0)
    }
}

/// What a host function returns: a `Result` whose error is of any error type, or a string.
pub trait FunctionResult {
    #[doc(hidden)]
    fn into_result(self) -> Result<Value, Error>;
}

impl<T: IntoValue, E: Into<Box<dyn StdError + Send + Sync>>> FunctionResult for Result<T, E> {
    fn into_result(self) -> Result<Value, Error> {
        self.map_err(Error::host)?.into_value()
    }
}
