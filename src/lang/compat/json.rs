//! `json.encode` of deep values, and `json.decode` of large floats.
//!
//! Upstream: the encoder's use of native stack grows with the square of the depth, and overflows a stack of 8 MiB at 254
//! levels. The decoder panics at a number that does not fit a float, such as `1e400`. Here containers are encoded level by
//! level, however deep they are, and such numbers are refused before they are decoded. Both count ticks for their work, and
//! encoding stops once the heap has no room for the text: a value that is in several places is encoded in each.
//!
//! Upstream change: none known.
//!
//! Remove when: both are fixed, and `tests/script/json_chunks.star` passes without this file.

use std::collections::HashSet;
use std::fmt;

use allocative::Allocative;
use once_cell::sync::Lazy;
use starlark::any::ProvidesStaticType;
use starlark::environment::{Globals, GlobalsBuilder, LibraryExtension};
use starlark::eval::{Arguments, Evaluator};
use starlark::starlark_simple_value;
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::list::ListRef;
use starlark::values::record::Record;
use starlark::values::structs::StructRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{
    Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Value, ValueIdentity, ValueLike, starlark_value,
};

use super::room::Growth;
use super::ticks;
use crate::error::Error;

/// The number of bytes decoded in the time that other builtins take for an element.
const BYTES_PER_ELEMENT: usize = 8;

/// The owner of starlark's functions.
static STANDARD: Lazy<Globals> = Lazy::new(|| Globals::extended_by(&[LibraryExtension::Json]));

/// Replaces `json`.
pub(crate) fn globals(builder: &mut GlobalsBuilder) {
    builder.namespace("json", |builder| {
        builder.set("encode", Json::Encode);
        builder.set("decode", Json::Decode);
    });
}

#[derive(Debug, Clone, Copy, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
enum Json {
    Encode,
    Decode,
}

starlark_simple_value!(Json);

#[starlark_value(type = "function")]
impl<'v> StarlarkValue<'v> for Json {
    fn invoke(
        &self,
        _this: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let heap = eval.heap();
        match self {
            Self::Encode => {
                args.no_named_args()?;
                let [value] = args.positional(heap)?;
                let mut out = String::new();
                encode(value, &mut out, eval)?;
                Ok(heap.alloc(out))
            }
            Self::Decode => {
                args.no_named_args()?;
                let [text] = args.positional(heap)?;
                ticks::spend_elements(eval, (text.unpack_str().map_or(0, str::len) / BYTES_PER_ELEMENT) as u64)?;
                if let Some(number) = text.unpack_str().and_then(too_large) {
                    let shown: String = number.chars().take(40).collect();
                    return Err(Error::value(format!("json.decode: {shown} is too large for a float")).into());
                }
                let standard = STANDARD.iter().find(|(name, _)| *name == "json").map(|(_, json)| json.to_value());
                match standard.map(|json| json.get_attr("decode", heap)).transpose()?.flatten() {
                    Some(decode) => decode.invoke(args, eval),
                    None => Err(Error::value("json.decode is not there").into()),
                }
            }
        }
    }
}

/// A container that is being written, with what is left of it.
enum Open<'v> {
    List { items: std::slice::Iter<'v, Value<'v>>, identity: ValueIdentity<'v> },
    Object { entries: std::vec::IntoIter<(Value<'v>, Value<'v>)>, identity: ValueIdentity<'v> },
}

/// Writes a value as starlark does, on a stack of its own, so that no depth overflows the native one.
fn encode<'v>(value: Value<'v>, out: &mut String, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<()> {
    let mut growth = Growth::new("json.encode");
    let (mut stack, mut around) = (Vec::new(), HashSet::new());
    let mut next = Some(value);
    loop {
        if let Some(value) = next.take() {
            match open(value, eval.heap()) {
                Some(_) if !around.insert(value.identity()) => {
                    return Err(Error::value(format!("json.encode: a {} contains itself", value.get_type())).into());
                }
                Some(container) => {
                    // The two brackets.
                    growth.add(eval, 1, 2)?;
                    out.push(if matches!(container, Open::List { .. }) { '[' } else { '{' });
                    stack.push((container, true));
                }
                None => {
                    let text = value.to_json().map_err(starlark::Error::new_value)?;
                    growth.add(eval, 1, text.len() as u64)?;
                    out.push_str(&text);
                }
            }
        }
        let Some((container, is_first)) = stack.last_mut() else { return Ok(()) };
        let comma = if std::mem::take(is_first) { "" } else { "," };
        let (bracket, identity) = match container {
            Open::List { items, identity } => {
                if let Some(item) = items.next() {
                    out.push_str(comma);
                    next = Some(*item);
                    continue;
                }
                (']', *identity)
            }
            Open::Object { entries, identity } => {
                if let Some((key, value)) = entries.next() {
                    out.push_str(comma);
                    push_key(key, out, &mut growth, eval)?;
                    next = Some(value);
                    continue;
                }
                ('}', *identity)
            }
        };
        out.push(bracket);
        around.remove(&identity);
        stack.pop();
    }
}

/// Returns what is in a value; `None` if that is not a container.
fn open<'v>(value: Value<'v>, heap: Heap<'v>) -> Option<Open<'v>> {
    let identity = value.identity();
    if let Some(list) = ListRef::from_value(value) {
        return Some(Open::List { items: list.content().iter(), identity });
    }
    if let Some(tuple) = TupleRef::from_value(value) {
        return Some(Open::List { items: tuple.content().iter(), identity });
    }
    let entries: Vec<_> = if let Some(dict) = DictRef::from_value(value) {
        dict.iter().collect()
    } else if let Some(fields) = StructRef::from_value(value) {
        fields.iter().map(|(name, value)| (name.to_value(), value)).collect()
    } else {
        let fields = Record::from_value(value)?;
        fields.iter().map(|(name, value)| (heap.alloc(name), value)).collect()
    };
    Some(Open::Object { entries: entries.into_iter(), identity })
}

/// Writes a key and its colon. starlark decides what a key may be, and how it is written.
fn push_key<'v>(
    key: Value<'v>,
    out: &mut String,
    growth: &mut Growth<'_>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<()> {
    let alone = eval.heap().alloc(AllocDict([(key, Value::new_none())]));
    let alone = alone.to_json().map_err(starlark::Error::new_value)?;
    let key = alone.trim_start_matches('{').trim_end_matches("null}");
    growth.add(eval, 1, key.len() as u64)?;
    out.push_str(key);
    Ok(())
}

/// Returns the first number in a JSON text that is larger than every float and not an int.
fn too_large(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        rest = rest.get(at..)?;
        if let Some(string) = rest.strip_prefix('"') {
            rest = after_string(string);
            continue;
        }
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let is_float = number.contains(['.', 'e', 'E']);
        if is_float && number.parse::<f64>().is_ok_and(f64::is_infinite) {
            return Some(number);
        }
        rest = after;
    }
    None
}

/// Returns the text after the string whose opening quote comes before `text`.
fn after_string(text: &str) -> &str {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return text.get(at..).and_then(|rest| rest.get(1..)).unwrap_or_default(),
            _ => {}
        }
    }
    ""
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encode => "<function encode>",
            Self::Decode => "<function decode>",
        })
    }
}
