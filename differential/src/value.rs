//! Values and their types, in a form common to all engines.

use std::fmt;

use crate::random::Random;

/// A type of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    I32,
    I64,
    F32,
    F64,
    V128,
    Func,
    Extern,
}

impl Type {
    pub const ALL: [Self; 7] = [Self::I32, Self::I64, Self::F32, Self::F64, Self::V128, Self::Func, Self::Extern];

    pub fn is_ref(self) -> bool {
        matches!(self, Self::Func | Self::Extern)
    }
}

/// A value. A function is its position among the functions that the instance exports, since engines
/// have no common names for them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Value {
    I32(u32),
    I64(u64),
    F32(u32),
    F64(u64),
    V128(u128),
    Func(Option<u32>),
    Extern(Option<u32>),
}

/// The position of a function that the instance does not export.
pub const UNKNOWN_FUNC: u32 = u32::MAX;

impl Value {
    /// Returns a value of a type, more often than not one at which operators change their behaviour.
    pub fn random(ty: Type, funcs: u32, random: &mut Random) -> Self {
        match ty {
            Type::I32 => Self::I32(i32_bits(random)),
            Type::I64 => Self::I64(i64_bits(random)),
            Type::F32 => Self::F32(f32_bits(random)),
            Type::F64 => Self::F64(f64_bits(random)),
            Type::V128 => Self::V128(match random.below(3) {
                0 => u128::from(i64_bits(random)) | u128::from(i64_bits(random)) << 64,
                1 => u128::from(f64_bits(random)) | u128::from(f64_bits(random)) << 64,
                _ => (0..4).fold(0, |bits, _| bits << 32 | u128::from(f32_bits(random))),
            }),
            Type::Func if funcs == 0 || random.one_in(4) => Self::Func(None),
            Type::Func => Self::Func(Some(random.below(funcs))),
            Type::Extern if random.one_in(4) => Self::Extern(None),
            Type::Extern => Self::Extern(Some(random.below(100))),
        }
    }

    /// Returns what distinguishes it from others in a digest.
    pub fn bits(&self) -> u128 {
        match *self {
            Self::I32(bits) | Self::F32(bits) => bits.into(),
            Self::I64(bits) | Self::F64(bits) => bits.into(),
            Self::V128(bits) => bits,
            Self::Func(reference) | Self::Extern(reference) => reference.map_or(0, |n| u128::from(n) + 1),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::I32(bits) => write!(f, "i32 {:#x}", bits),
            Self::I64(bits) => write!(f, "i64 {:#x}", bits),
            Self::F32(bits) => write!(f, "f32 {:?} ({bits:#x})", f32::from_bits(bits)),
            Self::F64(bits) => write!(f, "f64 {:?} ({bits:#x})", f64::from_bits(bits)),
            Self::V128(bits) => write!(f, "v128 {bits:#034x}"),
            Self::Func(None) => write!(f, "null func"),
            Self::Func(Some(UNKNOWN_FUNC)) => write!(f, "func ?"),
            Self::Func(Some(n)) => write!(f, "func {n}"),
            Self::Extern(None) => write!(f, "null extern"),
            Self::Extern(Some(n)) => write!(f, "extern {n}"),
        }
    }
}

pub fn i32_bits(random: &mut Random) -> u32 {
    const EDGES: [u32; 22] = [
        0,
        0,
        0,
        1,
        1,
        2,
        3,
        7,
        8,
        31,
        32,
        64,
        0x7f,
        0x80,
        0xff,
        0x7fff,
        0x8000,
        0xffff,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        0xffff_fffe,
    ];
    match random.below(6) {
        0 => random.bits() as u32,
        1 => random.below(200),
        _ => *random.pick(&EDGES),
    }
}

pub fn i64_bits(random: &mut Random) -> u64 {
    match random.below(8) {
        0 => random.bits(),
        1 => 1 << random.below(64),
        2 => (1u64 << random.below(64)).wrapping_sub(1),
        3 => u64::from(i32_bits(random)),
        _ => i32_bits(random) as i32 as i64 as u64,
    }
}

pub fn f32_bits(random: &mut Random) -> u32 {
    match random.below(5) {
        0 => random.bits() as u32,
        1 => (i32_bits(random) as i32 as f32).to_bits(),
        2 => (f64::from_bits(i64_bits(random)) as f32).to_bits(),
        _ => *random.pick(&[
            0,
            0x8000_0000,
            0x3f80_0000,
            0xbf80_0000,
            0x7f80_0000,
            0xff80_0000,
            0x7fc0_0000,
            0x7fa0_0001,
            1,
            0x4f00_0000,
            0xcf00_0000,
            0x3f00_0000,
        ]),
    }
}

pub fn f64_bits(random: &mut Random) -> u64 {
    match random.below(5) {
        0 => random.bits(),
        1 => (i64_bits(random) as i64 as f64).to_bits(),
        2 => f64::from(f32::from_bits(f32_bits(random))).to_bits(),
        _ => *random.pick(&[
            0,
            1 << 63,
            0x3ff0_0000_0000_0000,
            0xbff0_0000_0000_0000,
            0x7ff0_0000_0000_0000,
            0xfff0_0000_0000_0000,
            0x7ff8_0000_0000_0000,
            0x7ff4_0000_0000_0001,
            1,
            0x41e0_0000_0000_0000,
            0x43e0_0000_0000_0000,
            0x3fe0_0000_0000_0000,
        ]),
    }
}
