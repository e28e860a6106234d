//! Values and errors in the form in which messages carry them.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::ByteBuf;

use crate::error::{Error, ErrorKind, GuestCall, Location};
use crate::frame::{CodeMap, Frame};
use crate::value::{Int, MAX_DEPTH, Struct, Value};

/// A value: each container before its parts. Nothing nests, so no message that a hostile script forges takes a stack to
/// decode.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub(crate) struct Nodes(Vec<Node>);

/// A value, or a container with the number of its parts.
#[derive(Serialize, Deserialize, Clone, Debug)]
enum Node {
    None,
    Bool(bool),
    Int(i64),
    /// Two's complement, least byte first.
    Big(ByteBuf),
    /// The bits.
    Float(u64),
    Str(String),
    Bytes(ByteBuf),
    List(u32),
    Tuple(u32),
    /// Keys and values in turn.
    Dict(u32),
    Set(u32),
    Struct {
        record: Option<String>,
        names: Vec<String>,
    },
    Opaque(String),
}

impl From<&Value> for Nodes {
    fn from(value: &Value) -> Self {
        let mut nodes = Vec::new();
        put(value, &mut nodes);
        Self(nodes)
    }
}

fn count(length: usize) -> u32 {
    // No value that can leave its script has as many parts.
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn put(value: &Value, nodes: &mut Vec<Node>) {
    let node = match value {
        Value::None => Node::None,
        Value::Bool(value) => Node::Bool(*value),
        Value::Int(value) => match i64::try_from(value) {
            Ok(small) => Node::Int(small),
            Err(_) => Node::Big(ByteBuf::from(value.to_bytes())),
        },
        Value::Float(value) => Node::Float(value.to_bits()),
        Value::Str(value) => Node::Str(value.clone()),
        Value::Bytes(value) => Node::Bytes(ByteBuf::from(value.clone())),
        Value::List(values) => Node::List(count(values.len())),
        Value::Tuple(values) => Node::Tuple(count(values.len())),
        Value::Dict(entries) => Node::Dict(count(entries.len())),
        Value::Set(values) => Node::Set(count(values.len())),
        Value::Struct(value) => Node::Struct {
            record: value.record().map(str::to_owned),
            names: value.fields().iter().map(|(name, _)| name.clone()).collect(),
        },
        Value::Opaque(text) => Node::Opaque(text.clone()),
    };
    nodes.push(node);
    match value {
        Value::List(values) | Value::Tuple(values) | Value::Set(values) => {
            values.iter().for_each(|value| put(value, nodes));
        }
        Value::Dict(entries) => entries.iter().for_each(|(key, value)| {
            put(key, nodes);
            put(value, nodes);
        }),
        Value::Struct(value) => value.fields().iter().for_each(|(_, value)| put(value, nodes)),
        _ => {}
    }
}

impl Nodes {
    /// Returns the value; `None` if this is not one, or one that is nested too deeply.
    pub(crate) fn into_value(self) -> Option<Value> {
        let mut nodes = self.0.into_iter();
        let value = take(&mut nodes, MAX_DEPTH)?;
        nodes.next().is_none().then_some(value)
    }
}

fn take(nodes: &mut std::vec::IntoIter<Node>, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let all = |count: u32, nodes: &mut std::vec::IntoIter<Node>| -> Option<Vec<Value>> {
        (0..count).map(|_| take(nodes, depth)).collect()
    };
    Some(match nodes.next()? {
        Node::None => Value::None,
        Node::Bool(value) => Value::Bool(value),
        Node::Int(value) => Value::Int(value.into()),
        Node::Big(bytes) => Value::Int(Int::from_bytes(&bytes)),
        Node::Float(bits) => Value::Float(f64::from_bits(bits)),
        Node::Str(value) => Value::Str(value),
        Node::Bytes(value) => Value::Bytes(value.into_vec()),
        Node::List(count) => Value::List(all(count, nodes)?),
        Node::Tuple(count) => Value::Tuple(all(count, nodes)?),
        Node::Set(count) => Value::Set(all(count, nodes)?),
        Node::Dict(count) => {
            let entry = |_| Some((take(nodes, depth)?, take(nodes, depth)?));
            Value::Dict((0..count).map(entry).collect::<Option<_>>()?)
        }
        Node::Struct { record, names } => {
            let field = |name| Some((name, take(nodes, depth)?));
            Value::Struct(Struct::of(record, names.into_iter().map(field).collect::<Option<_>>()?))
        }
        Node::Opaque(text) => Value::Opaque(text),
    })
}

/// A `Value` as a field of a message.
pub(crate) mod value {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
        Nodes::from(value).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        let nodes = Nodes::deserialize(deserializer)?;
        nodes.into_value().ok_or_else(|| serde::de::Error::custom("not a value"))
    }
}

/// Values as a field of a message.
pub(crate) mod values {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(values: &[Value], serializer: S) -> Result<S::Ok, S::Error> {
        values.iter().map(Nodes::from).collect::<Vec<_>>().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Value>, D::Error> {
        let all = Vec::<Nodes>::deserialize(deserializer)?.into_iter().map(Nodes::into_value);
        all.collect::<Option<_>>().ok_or_else(|| serde::de::Error::custom("not a value"))
    }
}

/// Values with names as a field of a message.
pub(crate) mod named_values {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(values: &[(String, Value)], serializer: S) -> Result<S::Ok, S::Error> {
        let pairs = values.iter().map(|(name, value)| (name.as_str(), Nodes::from(value)));
        pairs.collect::<Vec<_>>().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, Value)>, D::Error> {
        let pairs = Vec::<(String, Nodes)>::deserialize(deserializer)?.into_iter();
        let all = pairs.map(|(name, nodes)| Some((name, nodes.into_value()?)));
        all.collect::<Option<_>>().ok_or_else(|| serde::de::Error::custom("not a value"))
    }
}

/// An error.
#[derive(Serialize, Deserialize, Debug)]
pub(crate) struct Fault {
    kind: ErrorKind,
    message: String,
    exit_code: Option<i32>,
    /// File, line and column.
    location: Option<(String, u64, u64)>,
    guest_call: Option<GuestCall>,
    report: Option<String>,
    source: Option<SourceTexts>,
    frames: Option<Vec<FramePlace>>,
}

/// What is known of a frame without its module.
#[derive(Serialize, Deserialize, Debug)]
struct FramePlace {
    index: u32,
    name: Option<String>,
    offset: u32,
    is_entry: bool,
}

/// An error that a function of the application returned.
#[derive(Serialize, Deserialize, Debug)]
struct SourceTexts {
    /// Under which the host keeps it.
    number: u32,
    /// What it says, and what each error behind it does.
    texts: Vec<String>,
}

/// What stands for it in the core.
#[derive(Debug)]
struct Foreign {
    number: u32,
    text: String,
    behind: Option<Box<Foreign>>,
}

impl Foreign {
    #[cfg(feature = "core")]
    fn new(number: u32, texts: &[String]) -> Option<Self> {
        let (text, behind) = texts.split_first()?;
        Some(Self { number, text: text.clone(), behind: Self::new(number, behind).map(Box::new) })
    }
}

impl std::fmt::Display for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Foreign {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.behind.as_deref().map(|behind| behind as &(dyn std::error::Error + 'static))
    }
}

/// The most errors behind one that are told of.
const MAX_BEHIND: usize = 16;

impl SourceTexts {
    fn new(source: &Source, keep: impl FnOnce(Source) -> u32) -> Self {
        if let Some(foreign) = source.downcast_ref::<Foreign>() {
            return Self { number: foreign.number, texts: Vec::new() };
        }
        let mut texts = vec![source.to_string()];
        let mut next = source.source();
        while let Some(error) = next.filter(|_| texts.len() < MAX_BEHIND) {
            texts.push(error.to_string());
            next = error.source();
        }
        Self { number: keep(source.clone()), texts }
    }

    /// Returns what stands for the error in the core.
    #[cfg(feature = "core")]
    fn into_foreign(self) -> Option<Source> {
        Some(Arc::new(Foreign::new(self.number, &self.texts)?))
    }
}

/// An error of the application.
pub(crate) type Source = Arc<dyn std::error::Error + Send + Sync>;

impl Fault {
    /// Takes an error apart. `keep` gets the application's own error, if there is one, and returns its number.
    pub(crate) fn new(error: &Error, keep: impl FnOnce(Source) -> u32) -> Self {
        let source = error.shared_source().map(|source| SourceTexts::new(&source, keep));
        let frame = |frame: Frame| FramePlace {
            index: frame.index(),
            name: frame.name().map(str::to_owned),
            offset: frame.offset(),
            is_entry: frame.is_entry(),
        };
        Self {
            kind: error.kind(),
            message: error.message().to_owned(),
            exit_code: error.exit_code(),
            location: error.location().map(|place| (place.file.clone(), place.line as u64, place.column as u64)),
            guest_call: error.guest_call().cloned(),
            report: error.report().map(str::to_owned),
            source,
            frames: error.frames_if_kept().map(|frames| frames.into_iter().map(frame).collect()),
        }
    }

    /// Puts the error of the core together. `find` gets a number of `keep`.
    #[cfg(feature = "isolated")]
    pub(crate) fn into_error(mut self, find: impl FnOnce(u32) -> Option<Source>) -> Error {
        let source = self.source.take().and_then(|source| find(source.number));
        self.with_source(source)
    }

    /// Puts the error of the host together, with what stands for the application's own.
    #[cfg(feature = "core")]
    pub(crate) fn into_core_error(mut self) -> Error {
        let source = self.source.take().and_then(SourceTexts::into_foreign);
        self.with_source(source)
    }

    fn with_source(self, source: Option<Source>) -> Error {
        let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let location =
            self.location.map(|(file, line, column)| Location { file, line: number(line), column: number(column) });
        let frame = |place: FramePlace| {
            let FramePlace { index, name, offset, is_entry } = place;
            Frame::new(Arc::new(CodeMap::of_place(index, name, offset)), offset, is_entry)
        };
        let frames = self.frames.map(|frames| frames.into_iter().map(frame).collect());
        Error::of_parts(self.kind, self.message, self.exit_code, location, self.guest_call, self.report, source, frames)
    }
}
