//! The arguments of a host function, and how they are taken from those of a call.

mod types;

use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{Heap, Value as Starlark};

use crate::value::Value;

/// A type that an argument of a host function may have: `bool`, the integers, `f32` and `f64`, `char`, `&str` and `String`, `&[u8]`
/// and `Vec<u8>` for bytes, [`Int`](crate::Int), [`Value`], `Option`, `Vec`, tuples, `BTreeMap` with `String` keys, and with the feature
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
