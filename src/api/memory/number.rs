//! Single numbers in memory.

use starlark::environment::MethodsBuilder;
use starlark::starlark_module;
use starlark::values::float::UnpackFloat;
use starlark::values::none::NoneType;
use starlark::values::{Heap, Value, ValueOfUnchecked};

use super::number_type::NumberType;
use super::{Int, Memory, out_of_range};
use crate::api::convert::{self, int};
use crate::error::Error;
use crate::linear_memory::{set_word, word};

/// Converts a byte that a script gives.
pub(super) fn byte(value: Value<'_>, what: &str) -> Result<u8, Error> {
    value
        .unpack_i32()
        .and_then(|x| u8::try_from(x).ok())
        .ok_or_else(|| Error::value(format!("`{what}` must be an int from 0 to 255, got {}", convert::describe(value))))
}

/// Returns the `N` bytes at `ptr`.
#[inline(always)]
fn read<const N: usize>(this: &Memory<'_>, ptr: Int<'_>) -> Result<[u8; N], Error> {
    let ptr = convert::size(ptr.get(), "ptr")?;
    this.owner.store()?.with(|context| match word(this.memory, &context, ptr) {
        Some(word) => Ok(word),
        None => Err(out_of_range("read", ptr, N as u64, this.memory.data_size(&context))),
    })?
}

/// Writes `value` as `number`, which has `N` bytes. `small` encodes a 32-bit int, if it is in range.
#[inline(always)]
fn write<'v, const N: usize>(
    this: &Memory<'v>,
    number: NumberType,
    ptr: Int<'v>,
    value: Value<'v>,
    small: impl FnOnce(i32) -> Option<[u8; N]>,
) -> starlark::Result<NoneType> {
    let ptr = convert::size(ptr.get(), "ptr")?;
    let word = match value.unpack_i32().and_then(small) {
        Some(word) => word,
        None => encode(number, value)?,
    };
    this.owner.store()?.with(|mut context| match set_word(this.memory, &mut context, ptr, word) {
        Some(()) => Ok(()),
        None => Err(out_of_range("write", ptr, N as u64, this.memory.data_size(&context))),
    })??;
    Ok(NoneType)
}

fn encode<const N: usize>(number: NumberType, value: Value<'_>) -> Result<[u8; N], Error> {
    let word = number
        .encode(value)
        .map_err(|expected| Error::value(format!("`value` must be {expected}, got {}", convert::describe(value))))?;
    Ok(*word.first_chunk().unwrap_or(&[0; N]))
}

type Float<'v> = ValueOfUnchecked<'v, UnpackFloat>;

/// The methods of single numbers.
#[starlark_module]
pub(super) fn methods(builder: &mut MethodsBuilder) {
    /// Returns the unsigned byte at `ptr`.
    fn read_u8<'v>(this: &Memory<'v>, #[starlark(require = pos)] ptr: Int<'v>) -> starlark::Result<i32> {
        Ok(read(this, ptr).map(u8::from_le_bytes)?.into())
    }

    /// Writes `value` as an unsigned byte to `ptr`.
    fn write_u8<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] value: Int<'v>,
    ) -> starlark::Result<NoneType> {
        write(this, NumberType::U8, ptr, value.get(), |x| u8::try_from(x).ok().map(u8::to_le_bytes))
    }

    /// Returns the signed byte at `ptr`.
    fn read_i8<'v>(this: &Memory<'v>, #[starlark(require = pos)] ptr: Int<'v>) -> starlark::Result<i32> {
        Ok(read(this, ptr).map(i8::from_le_bytes)?.into())
    }

    /// Writes `value` as a signed byte to `ptr`.
    fn write_i8<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] value: Int<'v>,
    ) -> starlark::Result<NoneType> {
        write(this, NumberType::I8, ptr, value.get(), |x| i8::try_from(x).ok().map(i8::to_le_bytes))
    }

    /// Returns the unsigned 2-byte number at `ptr`.
    fn read_u16<'v>(this: &Memory<'v>, #[starlark(require = pos)] ptr: Int<'v>) -> starlark::Result<i32> {
        Ok(read(this, ptr).map(u16::from_le_bytes)?.into())
    }

    /// Writes `value` as an unsigned 2-byte number to `ptr`.
    fn write_u16<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] value: Int<'v>,
    ) -> starlark::Result<NoneType> {
        write(this, NumberType::U16, ptr, value.get(), |x| u16::try_from(x).ok().map(u16::to_le_bytes))
    }

    /// Returns the signed 2-byte number at `ptr`.
    fn read_i16<'v>(this: &Memory<'v>, #[starlark(require = pos)] ptr: Int<'v>) -> starlark::Result<i32> {
        Ok(read(this, ptr).map(i16::from_le_bytes)?.into())
    }

    /// Writes `value` as a signed 2-byte number to `ptr`.
    fn write_i16<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] value: Int<'v>,
    ) -> starlark::Result<NoneType> {
        write(this, NumberType::I16, ptr, value.get(), |x| i16::try_from(x).ok().map(i16::to_le_bytes))
    }

    /// Returns the unsigned 4-byte number at `ptr`.
    fn read_u32<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<ValueOfUnchecked<'v, i64>> {
        Ok(ValueOfUnchecked::new(int(u32::from_le_bytes(read(this, ptr)?), heap)))
    }

    /// Writes `value` as an unsigned 4-byte number to `ptr`.
    fn write_u32<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] value: Int<'v>,
    ) -> starlark::Result<NoneType> {
        write(this, NumberType::U32, ptr, value.get(), |x| u32::try_from(x).ok().map(u32::to_le_bytes))
    }

    /// Returns the signed 4-byte number at `ptr`.
    fn read_i32<'v>(this: &Memory<'v>, #[starlark(require = pos)] ptr: Int<'v>) -> starlark::Result<i32> {
        Ok(read(this, ptr).map(i32::from_le_bytes)?)
    }

    /// Writes `value` as a signed 4-byte number to `ptr`.
    fn write_i32<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] value: Int<'v>,
    ) -> starlark::Result<NoneType> {
        write(this, NumberType::I32, ptr, value.get(), |x| Some(x.to_le_bytes()))
    }

    /// Returns the unsigned 8-byte number at `ptr`.
    fn read_u64<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<ValueOfUnchecked<'v, i64>> {
        Ok(ValueOfUnchecked::new(int(u64::from_le_bytes(read(this, ptr)?), heap)))
    }

    /// Writes `value` as an unsigned 8-byte number to `ptr`.
    fn write_u64<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] value: Int<'v>,
    ) -> starlark::Result<NoneType> {
        write(this, NumberType::U64, ptr, value.get(), |x| u64::try_from(x).ok().map(u64::to_le_bytes))
    }

    /// Returns the signed 8-byte number at `ptr`.
    fn read_i64<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<ValueOfUnchecked<'v, i64>> {
        Ok(ValueOfUnchecked::new(int(i64::from_le_bytes(read(this, ptr)?), heap)))
    }

    /// Writes `value` as a signed 8-byte number to `ptr`.
    fn write_i64<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] value: Int<'v>,
    ) -> starlark::Result<NoneType> {
        write(this, NumberType::I64, ptr, value.get(), |x| Some(i64::from(x).to_le_bytes()))
    }

    /// Returns the 4-byte IEEE 754 number at `ptr`, widened exactly. All NaNs become the same value.
    fn read_f32<'v>(this: &Memory<'v>, #[starlark(require = pos)] ptr: Int<'v>) -> starlark::Result<f64> {
        Ok(convert::float(f64::from(f32::from_le_bytes(read(this, ptr)?))))
    }

    /// Writes `value` as a 4-byte IEEE 754 number to `ptr`.
    fn write_f32<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] value: Float<'v>,
    ) -> starlark::Result<NoneType> {
        write::<4>(this, NumberType::F32, ptr, value.get(), |_| None)
    }

    /// Returns the 8-byte IEEE 754 number at `ptr`. All NaNs become the same value.
    fn read_f64<'v>(this: &Memory<'v>, #[starlark(require = pos)] ptr: Int<'v>) -> starlark::Result<f64> {
        Ok(convert::float(f64::from_le_bytes(read(this, ptr)?)))
    }

    /// Writes `value` as an 8-byte IEEE 754 number to `ptr`.
    fn write_f64<'v>(
        this: &Memory<'v>,
        #[starlark(require = pos)] ptr: Int<'v>,
        #[starlark(require = pos)] value: Float<'v>,
    ) -> starlark::Result<NoneType> {
        write::<8>(this, NumberType::F64, ptr, value.get(), |_| None)
    }
}
