//! Arrays of numbers in memory, so that scripts need no loop that makes a Starlark value per byte.

use starlark::environment::MethodsBuilder;
use starlark::starlark_module;
use starlark::values::list::AllocList;
use starlark::values::none::NoneType;
use starlark::values::{AllocValue, Heap, Value, ValueOfUnchecked};

use super::number_type::NumberType;
use super::{Int, Memory, out_of_range};
use crate::api::convert;
use crate::error::Error;

fn element(ty: Value<'_>) -> Result<NumberType, Error> {
    ty.unpack_str().and_then(NumberType::by_name).ok_or_else(|| {
        Error::value(format!(
            "`type` must be one of u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, got {}",
            convert::describe(ty)
        ))
    })
}

/// Returns a list of the numbers in `bytes`. Each type has its own loop, so that nothing is decided per number.
fn list<'v>(number: NumberType, bytes: &[u8], heap: Heap<'v>) -> Value<'v> {
    match number {
        NumberType::U8 => heap.alloc(AllocList(bytes.iter().map(|b| i32::from(*b)))),
        NumberType::I8 => heap.alloc(AllocList(bytes.iter().map(|b| i32::from(b.cast_signed())))),
        NumberType::U16 => decode(bytes, heap, |b| i32::from(u16::from_le_bytes(b))),
        NumberType::I16 => decode(bytes, heap, |b| i32::from(i16::from_le_bytes(b))),
        NumberType::U32 => decode(bytes, heap, u32::from_le_bytes),
        NumberType::I32 => decode(bytes, heap, i32::from_le_bytes),
        NumberType::U64 => decode(bytes, heap, u64::from_le_bytes),
        NumberType::I64 => decode(bytes, heap, i64::from_le_bytes),
        NumberType::F32 => decode(bytes, heap, |b| convert::float(f32::from_le_bytes(b).into())),
        NumberType::F64 => decode(bytes, heap, |b| convert::float(f64::from_le_bytes(b))),
    }
}

fn decode<'v, const N: usize, T: AllocValue<'v>>(
    bytes: &[u8],
    heap: Heap<'v>,
    word: impl Fn([u8; N]) -> T,
) -> Value<'v> {
    heap.alloc(AllocList(bytes.as_chunks().0.iter().map(|bytes| word(*bytes))))
}

/// The methods of arrays.
#[starlark_module]
pub(super) fn methods(builder: &mut MethodsBuilder) {
    /// Returns a list of the `count` numbers that start at `ptr`. `type` is `"u8"`, `"i8"`, `"u16"`, `"i16"`, `"u32"`,
    /// `"i32"`, `"u64"`, `"i64"`, `"f32"` or `"f64"`.
    fn read_array<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] r#type: ValueOfUnchecked<'v, String>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] count: Int<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let number = element(r#type.get())?;
        let ptr = convert::size(ptr.get(), "ptr")?;
        let count = convert::size(count.get(), "count")?;
        let length = count.saturating_mul(number.size() as u64);
        // A list takes one word per element; floats and numbers beyond 32 bits are objects of their own.
        Ok(this.copy_range(ptr, length, count.saturating_mul(8), |bytes| list(number, bytes, heap))?)
    }

    /// Writes all numbers of `values`, an iterable, starting at `ptr`, each as `type`, which is as in `read_array`.
    /// Writes nothing if a value is invalid or the range does not fit.
    fn write_array<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] r#type: ValueOfUnchecked<'v, String>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] values: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<NoneType> {
        let number = element(r#type.get())?;
        let ptr = convert::size(ptr.get(), "ptr")?;
        let size = this.size()?;
        let room = (size as u64).saturating_sub(ptr);
        let items = values.iterate(heap).map_err(|_| {
            Error::value(format!("`values` must be an iterable of numbers, got {}", convert::describe(values)))
        })?;
        let mut bytes: Vec<u8> = Vec::new();
        for (index, item) in items.enumerate() {
            let word = number.encode(item).map_err(|expected| {
                Error::value(format!("`values[{index}]` must be {expected}, got {}", convert::describe(item)))
            })?;
            bytes.extend(word.iter().take(number.size()));
            if bytes.len() as u64 > room {
                return Err(out_of_range("write", ptr, bytes.len() as u64, size).into());
            }
        }
        this.write_range(ptr, bytes.len() as u64, |data| data.write(ptr, &bytes))?;
        Ok(NoneType)
    }
}
