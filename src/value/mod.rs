//! Values that outlive the script they come from.

mod from;
mod int;
#[cfg(feature = "serde")]
mod serde;
mod show;
mod starlark;

pub use int::Int;
#[cfg(feature = "serde")]
pub(crate) use serde::deserialize;
#[cfg(feature = "wire")]
pub(crate) use starlark::MAX_DEPTH;
pub(crate) use starlark::{Arguments, MakeSet, make_set};

/// An owned Starlark value: it belongs to no script and can be kept, compared, and sent to other threads.
///
/// [`Display`](std::fmt::Display) prints it as Starlark source, like `repr`. Equality is Rust's:
/// unlike in Starlark, an int never equals a float, and dicts and sets are equal only if they have
/// the same order. As in Starlark, a NaN equals itself.
///
/// ```
/// use wasmlark::{Sandbox, Value};
///
/// let run = Sandbox::new().run("main.star", "{'answer': 6 * 7, 'names': ['a', 'b']}")?;
/// assert_eq!(run.value.to_string(), r#"{"answer": 42, "names": ["a", "b"]}"#);
/// assert_eq!(run.value.get("answer"), Some(&Value::from(42)));
/// # Ok::<(), wasmlark::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Value {
    /// `None`.
    #[default]
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An int of any size.
    Int(Int),
    /// A float.
    Float(f64),
    /// A string.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Value>),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A dict, with its entries in order. Each key should occur once.
    Dict(Vec<(Value, Value)>),
    /// A set, with its elements in order. Each element should occur once.
    Set(Vec<Value>),
    /// A struct or a record.
    Struct(Struct),
    /// A function, a handle of something in WebAssembly, or another value that cannot leave its script: the result of
    /// `repr`. It cannot be passed to a script.
    Opaque(String),
}

/// A struct or a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Struct {
    record: Option<String>,
    fields: Vec<(String, Value)>,
}

impl Struct {
    /// Makes a struct of these fields. Each name should occur once.
    pub fn new(fields: impl IntoIterator<Item = (impl Into<String>, impl Into<Value>)>) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { record: None, fields }
    }

    /// Makes a struct, or a record of a type with this name.
    #[cfg(feature = "wire")]
    pub(crate) fn of(record: Option<String>, fields: Vec<(String, Value)>) -> Self {
        Self { record, fields }
    }

    /// Returns the name of the record's type; `None` for a struct. A record passed to a script becomes a struct.
    pub fn record(&self) -> Option<&str> {
        self.record.as_deref()
    }

    /// Returns the names and values of the fields in order.
    pub fn fields(&self) -> &[(String, Value)] {
        &self.fields
    }
}

impl Value {
    /// Returns the name of the value's type, as Starlark's `type` does.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) => "dict",
            Self::Set(_) => "set",
            Self::Struct(value) if value.record.is_some() => "record",
            Self::Struct(_) => "struct",
            Self::Opaque(_) => "opaque",
        }
    }

    /// Returns whether this is `None`.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Returns the bool, or `None` for another type.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the int, or `None` for another type or one that does not fit.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => value.try_into().ok(),
            _ => None,
        }
    }

    /// Returns the float, or `None` for another type.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the string, or `None` for another type.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the bytes, or `None` for another type.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the elements of a list, tuple or set, or `None` for another type.
    pub fn as_slice(&self) -> Option<&[Self]> {
        match self {
            Self::List(values) | Self::Tuple(values) | Self::Set(values) => Some(values),
            _ => None,
        }
    }

    /// Returns the value of a field of a struct or record, or of a string key of a dict.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Dict(entries) => entries.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value),
            Self::Struct(value) => value.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value),
            _ => None,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b || a.is_nan() && b.is_nan(),
            (Self::Str(a), Self::Str(b)) | (Self::Opaque(a), Self::Opaque(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) | (Self::Tuple(a), Self::Tuple(b)) | (Self::Set(a), Self::Set(b)) => a == b,
            (Self::Dict(a), Self::Dict(b)) => a == b,
            (Self::Struct(a), Self::Struct(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}
