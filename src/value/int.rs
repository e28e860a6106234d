//! Ints of any size.

use std::fmt;

use num_bigint::BigInt;

use crate::error::Error;

/// A Starlark int, of any size.
///
/// ```
/// use wasmlark::Int;
///
/// let big = Int::from(u128::MAX);
/// assert_eq!(u128::try_from(&big).ok(), Some(u128::MAX));
/// assert!(i64::try_from(&big).is_err());
/// assert_eq!(big.to_string(), "340282366920938463463374607431768211455");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Int(pub(super) BigInt);

impl Int {
    pub(crate) fn from_big(value: BigInt) -> Self {
        Self(value)
    }

    /// Returns the int in two's complement, least byte first.
    #[cfg(feature = "wire")]
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.0.to_signed_bytes_le()
    }

    /// Returns the int of [`to_bytes`](Self::to_bytes).
    #[cfg(feature = "wire")]
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self(BigInt::from_signed_bytes_le(bytes))
    }

    #[cfg(feature = "serde")]
    /// Parses decimal digits, after a `-` if negative.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

macro_rules! convert {
    ($($int:ty),*) => {$(
        impl From<$int> for Int {
            fn from(value: $int) -> Self {
                Self(value.into())
            }
        }

        impl TryFrom<&Int> for $int {
            type Error = Error;

            /// Fails if the int does not fit.
            fn try_from(value: &Int) -> Result<Self, Error> {
                let too_large = |_| Error::value(concat!("the int does not fit ", stringify!($int)));
                (&value.0).try_into().map_err(too_large)
            }
        }
    )*};
}

convert!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

impl fmt::Display for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
