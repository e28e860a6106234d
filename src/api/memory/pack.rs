//! Records in memory, in the format codes and standard sizes of Python's `struct` module: little-endian, no padding.

use starlark::environment::MethodsBuilder;
use starlark::starlark_module;
use starlark::values::tuple::{AllocTuple, UnpackTuple};
use starlark::values::{Heap, Value, ValueOfUnchecked};

use super::number_type::NumberType;
use super::{Int, Memory, check_range};
use crate::api::convert;
use crate::error::Error;

/// One field of a format.
#[derive(Clone, Copy)]
enum Field {
    Number(NumberType),
    Bool,
    /// One byte, as `bytes` of length 1.
    Char,
    /// This many bytes, as one `bytes`.
    Bytes(u64),
    Pad,
}

impl Field {
    /// Returns its size in bytes. It may exceed the address space of a 32-bit host, since bounds are checked before it is used.
    fn size(self) -> u64 {
        match self {
            Self::Number(number) => number.size() as u64,
            Self::Bool | Self::Char | Self::Pad => 1,
            Self::Bytes(length) => length,
        }
    }
}

/// The maximum number of fields in a format. More are a mistake, or an attempt to use up the host's memory.
const MAX_FIELDS: usize = 1 << 16;

fn parse(format: Value<'_>) -> Result<Vec<Field>, Error> {
    let text = format
        .unpack_str()
        .ok_or_else(|| Error::value(format!("`format` must be a str, got {}", convert::describe(format))))?;
    let mut fields = Vec::new();
    let mut count: Option<u64> = None;
    for (at, code) in text.char_indices() {
        if at == 0 && code == '<' || code == ' ' && count.is_none() {
            continue;
        }
        if let Some(digit) = code.to_digit(10) {
            count = Some(count.unwrap_or(0).saturating_mul(10).saturating_add(digit.into()));
            continue;
        }
        let field = match code {
            'b' => Field::Number(NumberType::I8),
            'B' => Field::Number(NumberType::U8),
            'h' => Field::Number(NumberType::I16),
            'H' => Field::Number(NumberType::U16),
            'i' | 'l' => Field::Number(NumberType::I32),
            'I' | 'L' => Field::Number(NumberType::U32),
            'q' => Field::Number(NumberType::I64),
            'Q' => Field::Number(NumberType::U64),
            'f' => Field::Number(NumberType::F32),
            'd' => Field::Number(NumberType::F64),
            '?' => Field::Bool,
            'c' => Field::Char,
            's' => Field::Bytes(count.take().unwrap_or(1)),
            'x' => Field::Pad,
            '>' | '!' | '=' | '@' if at == 0 => {
                return Err(Error::value(format!(
                    "`format` begins with `{code}`; memory is little-endian and unpadded, so only `<` or nothing may stand there"
                )));
            }
            _ => {
                return Err(Error::value(format!(
                    "`format` has `{code}` at {at}; the codes are b B h H i I l L q Q f d ? c s x, each after an optional count"
                )));
            }
        };
        let repeat = usize::try_from(count.take().unwrap_or(1)).unwrap_or(usize::MAX);
        if fields.len().saturating_add(repeat) > MAX_FIELDS {
            return Err(Error::value(format!(
                "`format` has more than {MAX_FIELDS} fields; read_array reads long runs"
            )));
        }
        fields.extend(std::iter::repeat_n(field, repeat));
    }
    match count {
        Some(count) => Err(Error::value(format!("`format` ends with the count {count} but no code after it"))),
        None => Ok(fields),
    }
}

fn length(fields: &[Field]) -> u64 {
    fields.iter().fold(0, |sum: u64, field| sum.saturating_add(field.size()))
}

/// The methods of records.
#[starlark_module]
pub(super) fn methods(builder: &mut MethodsBuilder) {
    /// Returns a tuple of the values at `ptr`, by the codes of Python's `struct`: `b B h H i I l L q Q` for integers,
    /// `f d` for floats, `?` for a bool, `c` and `4s` for bytes, `x` for a byte to skip, each after an optional count.
    /// Little-endian, no padding.
    fn unpack<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] format: ValueOfUnchecked<'v, String>,
        #[starlark(require = pos)] ptr: Int<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let fields = parse(format.get())?;
        let ptr = convert::size(ptr.get(), "ptr")?;
        let length = length(&fields);
        Ok(this.copy_range(ptr, length, length, |mut bytes| {
            let mut values = Vec::with_capacity(fields.len());
            for field in fields {
                let size = usize::try_from(field.size()).unwrap_or(usize::MAX);
                let Some((head, tail)) = bytes.split_at_checked(size) else { break };
                bytes = tail;
                values.push(match field {
                    Field::Number(number) => number.decode(head, heap),
                    Field::Bool => Value::new_bool(head != [0]),
                    Field::Char | Field::Bytes(_) => heap.alloc(head),
                    Field::Pad => continue,
                });
            }
            heap.alloc(AllocTuple(values))
        })?)
    }

    /// Writes `values` to `ptr` by the codes of `unpack`, and returns the number of bytes written. Bytes shorter than
    /// their `s` field are padded with zeros. Writes nothing if a value is invalid or the range does not fit.
    fn pack<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] format: ValueOfUnchecked<'v, String>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(args)] values: UnpackTuple<Value<'v>>,
    ) -> starlark::Result<u64> {
        let fields = parse(format.get())?;
        let ptr = convert::size(ptr.get(), "ptr")?;
        let wanted = fields.iter().filter(|f| !matches!(f, Field::Pad)).count();
        if wanted != values.items.len() {
            return Err(Error::value(format!("`format` takes {wanted} values, got {}", values.items.len())).into());
        }
        let length = length(&fields);
        // The range is checked first: a long `s` field must not be allocated for nothing.
        this.access(length, |_, data| check_range("write", data.size(), ptr, length))?;
        let mut bytes = Vec::new();
        let mut given = values.items.iter().copied().enumerate();
        for field in fields {
            if let Field::Pad = field {
                bytes.push(0);
                continue;
            }
            let Some((index, value)) = given.next() else { break };
            encode(field, value, &mut bytes).map_err(|expected| {
                Error::value(format!("value {index} must be {expected}, got {}", convert::describe(value)))
            })?;
        }
        this.write_range(ptr, length, |data| data.write(ptr, &bytes))?;
        Ok(length)
    }
}

fn encode(field: Field, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), String> {
    match field {
        Field::Number(number) => out.extend(number.encode(value)?.iter().take(number.size())),
        Field::Bool => out.push(value.unpack_bool().ok_or("a bool")?.into()),
        Field::Char => match convert::bytes(value) {
            Some([byte]) => out.push(*byte),
            _ => return Err("bytes of length 1".to_owned()),
        },
        Field::Bytes(length) => match convert::bytes(value) {
            Some(bytes) if bytes.len() as u64 <= length => {
                let end = out.len().saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
                out.extend(bytes);
                out.resize(end, 0);
            }
            _ => return Err(format!("bytes of at most length {length}")),
        },
        Field::Pad => out.push(0),
    }
    Ok(())
}
