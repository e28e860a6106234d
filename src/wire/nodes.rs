//! Values in the form in which messages carry them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::ByteBuf;

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
