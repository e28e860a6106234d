//! Values and serde: what an application passes to a script and gets back, as types of its own.

mod arguments;
mod build;
mod deserialize;
mod heap;
mod node;
mod serialize;
mod value;
mod walk;

pub(crate) use walk::deserialize;

use serde::Serialize;
use serde::de::DeserializeOwned;

use self::build::Owned;
use super::{Int, Value};
use crate::error::Error;

/// The maximum nesting of containers, the same as for values that go into and out of a script.
const MAX_DEPTH: usize = super::starlark::MAX_DEPTH;

/// The newtype names with which a [`Value`] marks types that serde lacks. Other formats see only the content.
mod mark {
    pub(super) const DICT: &str = "wasmlark::Dict";
    pub(super) const INT: &str = "wasmlark::Int";
    pub(super) const OPAQUE: &str = "wasmlark::Opaque";
    pub(super) const SET: &str = "wasmlark::Set";
    pub(super) const STRUCT: &str = "wasmlark::Struct";
}

/// Requires the feature `serde`.
impl Value {
    /// Makes a value from anything that serde can serialise.
    ///
    /// A struct becomes a dict in the order of its fields, and a map a dict sorted by key: the order of a `HashMap` differs in each
    /// process and must not reach a script. Pass a [`Value::Dict`] for another order, and sort the elements of a `HashSet`. A `Vec`
    /// becomes a list, a tuple or an array a tuple, `None` and `()` become `None`. An enum's variant becomes its name, or with data a
    /// dict from its name to the data. A [`Value`] stays unchanged.
    ///
    /// ```
    /// use wasmlark::Value;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Request { user: String, sizes: Vec<u64>, note: Option<String> }
    ///
    /// let request = Request { user: "ann".into(), sizes: vec![1, 2], note: None };
    /// assert_eq!(Value::from_serialize(&request)?.to_string(), r#"{"user": "ann", "sizes": [1, 2], "note": None}"#);
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it is nested deeper than 200 levels, or its `Serialize` fails.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        let made = value.serialize(serialize::Serializer::new(&mut Owned)).and_then(|made| made.whole(&mut Owned));
        made.map_err(Error::from)
    }

    /// Converts the value to any type that serde can deserialise.
    ///
    /// A struct is made from a dict, a struct or a record, by field name. An error says where in the value it occurred.
    ///
    /// ```
    /// use wasmlark::Value;
    ///
    /// #[derive(serde::Deserialize, Debug, PartialEq)]
    /// struct Decision { allow: bool, reasons: Vec<String> }
    ///
    /// let value = wasmlark::Sandbox::new().run("main.star", "{'allow': False, 'reasons': ['late', 7]}")?.value;
    /// let error = value.to::<Decision>().unwrap_err();
    /// assert_eq!(error.message(), "at `.reasons[1]`: invalid type: integer `7`, expected a string");
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the value does not fit the type, or is nested deeper than 200 levels.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(deserialize::Deserializer::new(self)).map_err(Error::from)
    }

    /// Returns the arguments of a call elsewhere: a tuple or list, and a map or struct.
    #[cfg(feature = "isolated")]
    pub(crate) fn arguments(
        positional: &(impl Serialize + ?Sized),
        named: &(impl Serialize + ?Sized),
    ) -> Result<arguments::Owned, Error> {
        let (positional, named) = arguments::arguments(positional, named, &mut Owned)?;
        let name = |(name, value)| match name {
            Self::Str(name) => Ok((name, value)),
            other => Err(arguments::name_wanted(other.type_name())),
        };
        Ok((positional, named.into_iter().map(name).collect::<Result<_, Fault>>()?))
    }
}

/// How serde_json's feature `arbitrary_precision`, which starlark turns on, marks a number: as the only field of a map, whose
/// value is the number's text.
const JSON_NUMBER: &str = "$serde_json::private::Number";

/// Parses such a number: an int of any size, or a float.
fn json_number(text: &str) -> Option<Value> {
    Int::parse(text).map(Value::Int).or_else(|| text.parse().ok().map(Value::Float))
}

/// What is wrong with a value, and where in it.
#[derive(Debug)]
struct Fault {
    /// The path to the place, innermost step first: `.name`, `[3]`.
    path: Vec<String>,
    message: String,
}

impl Fault {
    fn new(message: impl Into<String>) -> Self {
        Self { path: Vec::new(), message: message.into() }
    }

    fn too_deep() -> Self {
        Self::new(format!("the value is nested deeper than {MAX_DEPTH} levels"))
    }

    /// Returns the same fault as seen one level further out. If the value is nested too deeply, the path does not matter.
    fn within(mut self, step: impl FnOnce() -> String) -> Self {
        if self.path.len() < 16 {
            self.path.push(step());
        }
        self
    }
}

impl From<Fault> for Error {
    fn from(Fault { path, message }: Fault) -> Self {
        let path: String = path.into_iter().rev().collect();
        match path.is_empty() {
            true => Self::value(message),
            false => Self::value(format!("at `{path}`: {message}")),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl serde::ser::Error for Fault {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

impl serde::de::Error for Fault {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}
