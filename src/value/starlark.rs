//! Copies values into and out of a script.

use num_bigint::BigInt;
use once_cell::sync::Lazy;
use starlark::environment::{Globals, GlobalsBuilder, LibraryExtension};
use starlark::eval::Evaluator;
use starlark::typing::Ty;
use starlark::values::bytes::StarlarkBytes;
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::float::StarlarkFloat;
use starlark::values::list::{AllocList, ListRef};
use starlark::values::record::Record;
use starlark::values::set::SetRef;
use starlark::values::structs::{AllocStruct, StructRef};
use starlark::values::tuple::{AllocTuple, TupleRef};
use starlark::values::{Heap, UnpackValue, Value as Starlark, ValueLike};

use super::{Int, Struct, Value};
use crate::error::Error;

/// The maximum nesting of containers: printing and dropping a value recurse on the native stack.
pub(crate) const MAX_DEPTH: usize = 200;

/// The maximum size of a value, where each part counts one, and each 32 bytes of text count one. Without a maximum, the copy
/// of a small value that refers to the same parts many times could take any amount of memory.
pub(super) const MAX_SIZE: usize = 10_000_000;

/// The arguments of a call.
pub(crate) struct Arguments<'n, 'v> {
    pub(crate) positional: Vec<Starlark<'v>>,
    pub(crate) named: Vec<(&'n str, Starlark<'v>)>,
}

/// Makes a set from the elements of a list.
pub(crate) type MakeSet<'a, 'v> = dyn FnMut(Starlark<'v>) -> starlark::Result<Starlark<'v>> + 'a;

/// The builtin `set`, which is the only way to make a set.
static SET: Lazy<Globals> = Lazy::new(|| GlobalsBuilder::extended_by(&[LibraryExtension::SetType]).build());

/// Makes a set from the elements of a list.
pub(crate) fn make_set<'v>(list: Starlark<'v>, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<Starlark<'v>> {
    match SET.iter().find(|(name, _)| *name == "set") {
        Some((_, set)) => eval.eval_function(set.to_value(), &[list], &[]),
        None => Ok(list),
    }
}

impl Value {
    /// Copies a value out of a script.
    ///
    /// # Errors
    ///
    /// If the value is too large, or nested deeper than 200 levels, like one that contains itself.
    pub(crate) fn from_starlark<'v>(value: Starlark<'v>, heap: Heap<'v>) -> Result<Self, Error> {
        let mut left = MAX_SIZE;
        copy(value, heap, MAX_DEPTH, &mut left).ok_or_else(|| too_large(value))
    }

    /// Copies a value out of a script, or returns a note in its place if the value is too large or nested too deeply.
    pub(crate) fn from_starlark_or_name<'v>(value: Starlark<'v>, heap: Heap<'v>) -> Self {
        Self::from_starlark(value, heap)
            .unwrap_or_else(|_| Self::Opaque(format!("<a {} nested too deeply to show>", value.get_type())))
    }

    /// Makes the value on a heap.
    ///
    /// # Errors
    ///
    /// If it is nested deeper than 200 levels, contains an opaque value, or has a key that cannot be hashed.
    pub(crate) fn to_starlark<'v>(
        &self,
        heap: Heap<'v>,
        make_set: &mut MakeSet<'_, 'v>,
    ) -> starlark::Result<Starlark<'v>> {
        allocate(self, heap, MAX_DEPTH, make_set)
    }
}

/// Returns the error for a value that is too large, or nested too deeply.
pub(super) fn too_large(value: Starlark<'_>) -> Error {
    Error::value(format!("the {} is too large, or nested too deeply, to leave its script", value.get_type()))
}

/// Returns the size of a part with this much text.
pub(super) fn parts(text: usize) -> usize {
    (text / 32).saturating_add(1)
}

fn take(left: &mut usize, text: usize) -> Option<()> {
    *left = left.checked_sub(parts(text))?;
    Some(())
}

/// Copies `value`, unless it has more levels than `depth` or is larger than `left`.
fn copy<'v>(value: Starlark<'v>, heap: Heap<'v>, depth: usize, left: &mut usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    take(left, 0)?;
    if value.is_none() {
        return Some(Value::None);
    }
    if let Some(value) = value.unpack_bool() {
        return Some(Value::Bool(value));
    }
    if let Some(value) = value.unpack_i32() {
        return Some(Value::Int(value.into()));
    }
    if let Ok(Some(value)) = BigInt::unpack_value(value) {
        take(left, usize::try_from(value.bits() / 8).ok()?)?;
        return Some(Value::Int(Int(value)));
    }
    if let Some(value) = value.downcast_ref::<StarlarkFloat>() {
        return Some(Value::Float(value.0));
    }
    if let Some(value) = value.unpack_str() {
        take(left, value.len())?;
        return Some(Value::Str(value.to_owned()));
    }
    if let Some(value) = value.downcast_ref::<StarlarkBytes>() {
        take(left, value.as_bytes().len())?;
        return Some(Value::Bytes(value.as_bytes().to_vec()));
    }
    if let Some(values) = ListRef::from_value(value) {
        return values.iter().map(|value| copy(value, heap, depth, left)).collect::<Option<_>>().map(Value::List);
    }
    if let Some(values) = TupleRef::from_value(value) {
        return values.iter().map(|value| copy(value, heap, depth, left)).collect::<Option<_>>().map(Value::Tuple);
    }
    if let Some(entries) = DictRef::from_value(value) {
        let entry = |(key, value)| Some((copy(key, heap, depth, left)?, copy(value, heap, depth, left)?));
        return entries.iter().map(entry).collect::<Option<_>>().map(Value::Dict);
    }
    if let Ok(Some(_)) = SetRef::unpack_value(value) {
        return value
            .iterate(heap)
            .ok()?
            .map(|value| copy(value, heap, depth, left))
            .collect::<Option<_>>()
            .map(Value::Set);
    }
    if let Some(fields) = StructRef::from_value(value) {
        let field = |(name, value): (starlark::values::StringValue<'_>, _)| {
            take(left, name.as_str().len())?;
            Some((name.as_str().to_owned(), copy(value, heap, depth, left)?))
        };
        let fields = fields.iter().map(field).collect::<Option<_>>()?;
        return Some(Value::Struct(Struct { record: None, fields }));
    }
    if let Some(fields) = Record::from_value(value) {
        let field = |(name, value): (&str, _)| {
            take(left, name.len())?;
            Some((name.to_owned(), copy(value, heap, depth, left)?))
        };
        let fields = fields.iter().map(field).collect::<Option<_>>()?;
        return Some(Value::Struct(Struct { record: Some(Ty::of_value(value).to_string()), fields }));
    }
    let text = value.to_repr();
    take(left, text.len())?;
    Some(Value::Opaque(text))
}

fn allocate<'v>(
    value: &Value,
    heap: Heap<'v>,
    depth: usize,
    make_set: &mut MakeSet<'_, 'v>,
) -> starlark::Result<Starlark<'v>> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Error::value(format!("the value is nested deeper than {MAX_DEPTH} levels")).into());
    };
    let mut all = |values: &[Value]| -> starlark::Result<Vec<Starlark<'v>>> {
        values.iter().map(|value| allocate(value, heap, depth, make_set)).collect()
    };
    Ok(match value {
        Value::None => Starlark::new_none(),
        Value::Bool(value) => Starlark::new_bool(*value),
        Value::Int(value) => heap.alloc(value.0.clone()),
        Value::Float(value) => heap.alloc(*value),
        Value::Str(value) => heap.alloc(value.as_str()),
        Value::Bytes(value) => heap.alloc(StarlarkBytes::new(value.as_slice())),
        Value::List(values) => heap.alloc(AllocList(all(values)?)),
        Value::Tuple(values) => heap.alloc(AllocTuple(all(values)?)),
        Value::Set(values) => {
            let list = heap.alloc(AllocList(all(values)?));
            return make_set(list);
        }
        Value::Dict(entries) => {
            let mut made = Vec::new();
            for (key, value) in entries {
                let key = allocate(key, heap, depth, make_set)?;
                // Checked here, since `AllocDict` assumes that a key can be hashed.
                key.get_hashed()?;
                made.push((key, allocate(value, heap, depth, make_set)?));
            }
            heap.alloc(AllocDict(made))
        }
        Value::Struct(Struct { fields, .. }) => {
            let mut made = Vec::new();
            for (name, value) in fields {
                made.push((name.as_str(), allocate(value, heap, depth, make_set)?));
            }
            heap.alloc(AllocStruct(made))
        }
        Value::Opaque(text) => {
            return Err(Error::value(format!("{text} belongs to the script that made it and cannot be passed")).into());
        }
    })
}
