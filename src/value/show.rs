//! Values as Starlark source.

use std::fmt;

use starlark::values::Heap;
use starlark::values::bytes::StarlarkBytes;
use starlark::values::float::StarlarkFloat;

use super::Value;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(value) => fmt::Display::fmt(value, f),
            Self::Float(value) => fmt::Display::fmt(&StarlarkFloat(*value), f),
            Self::Opaque(text) => f.write_str(text),
            // starlark does the quoting, and needs the text on a heap.
            Self::Str(value) => Heap::temp(|heap| f.write_str(&heap.alloc(value.as_str()).to_repr())),
            Self::Bytes(value) => {
                Heap::temp(|heap| f.write_str(&heap.alloc(StarlarkBytes::new(value.as_slice())).to_repr()))
            }
            Self::List(values) => container(f, "[", "]", values, |f, value| write!(f, "{value}")),
            Self::Tuple(values) => {
                let end = if values.len() == 1 { ",)" } else { ")" };
                container(f, "(", end, values, |f, value| write!(f, "{value}"))
            }
            Self::Dict(entries) => container(f, "{", "}", entries, |f, (key, value)| write!(f, "{key}: {value}")),
            Self::Set(values) => container(f, "set([", "])", values, |f, value| write!(f, "{value}")),
            Self::Struct(value) => {
                match &value.record {
                    Some(name) => write!(f, "record[{name}]")?,
                    None => f.write_str("struct")?,
                }
                container(f, "(", ")", &value.fields, |f, (name, value)| write!(f, "{name}={value}"))
            }
        }
    }
}

fn container<'a, T: 'a>(
    f: &mut fmt::Formatter<'_>,
    begin: &str,
    end: &str,
    items: &'a [T],
    item: impl Fn(&mut fmt::Formatter<'_>, &'a T) -> fmt::Result,
) -> fmt::Result {
    f.write_str(begin)?;
    for (index, value) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        item(f, value)?;
    }
    f.write_str(end)
}
