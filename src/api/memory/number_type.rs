//! The types of numbers in memory.

use starlark::values::{Heap, Value};

use crate::api::convert;

/// A number as it is stored in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberType {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl NumberType {
    /// Returns the number of this name. WebAssembly's own names are signed, as its values are in Starlark.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "u8" => Self::U8,
            "i8" => Self::I8,
            "u16" => Self::U16,
            "i16" => Self::I16,
            "u32" => Self::U32,
            "i32" => Self::I32,
            "u64" => Self::U64,
            "i64" => Self::I64,
            "f32" => Self::F32,
            "f64" => Self::F64,
            _ => return None,
        })
    }

    /// Returns its size in bytes.
    pub(super) fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Decodes exactly [`size`](Self::size) bytes.
    #[inline]
    pub(super) fn decode<'v>(self, bytes: &[u8], heap: Heap<'v>) -> Value<'v> {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(bytes) {
            *to = *from;
        }
        let bits = u64::from_le_bytes(word);
        // Each cast keeps the low bits, which are all that `bytes` held.
        match self {
            Self::U8 | Self::U16 => heap.alloc(bits as i32),
            Self::I8 => heap.alloc(i32::from(bits as i8)),
            Self::I16 => heap.alloc(i32::from(bits as i16)),
            Self::I32 => heap.alloc(bits as i32),
            Self::U32 => heap.alloc(bits as u32),
            Self::U64 => heap.alloc(bits),
            Self::I64 => heap.alloc(bits.cast_signed()),
            Self::F32 => heap.alloc(convert::float(f64::from(f32::from_bits(bits as u32)))),
            Self::F64 => heap.alloc(convert::float(f64::from_bits(bits))),
        }
    }

    /// Returns the little-endian bytes of a value, of which the first [`size`](Self::size) count. Fails with a
    /// description of what the value must be.
    #[inline]
    pub(super) fn encode(self, value: Value<'_>) -> Result<[u8; 8], String> {
        let (low, high) = match self {
            Self::F32 => {
                let x = convert::to_f32(value).map_err(str::to_owned)?;
                return Ok(u64::from(x.to_bits()).to_le_bytes());
            }
            Self::F64 => {
                let x = convert::to_f64(value).map_err(str::to_owned)?;
                return Ok(x.to_bits().to_le_bytes());
            }
            Self::U8 => (0, u8::MAX.into()),
            Self::I8 => (i8::MIN.into(), i8::MAX.into()),
            Self::U16 => (0, u16::MAX.into()),
            Self::I16 => (i16::MIN.into(), i16::MAX.into()),
            Self::U32 => (0, u32::MAX.into()),
            Self::I32 => (i32::MIN.into(), i32::MAX.into()),
            Self::U64 => (0, u64::MAX.into()),
            Self::I64 => (i64::MIN.into(), i64::MAX.into()),
        };
        match convert::integer(value) {
            Some(x) if (low..=high).contains(&x) => Ok((x as u64).to_le_bytes()),
            _ => Err(format!("an int from {low} to {high}")),
        }
    }
}
