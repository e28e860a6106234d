//! The types that a limit's value may have.

/// A limit's value. As a number it has 64 bits whatever its type, and `None` means no limit.
pub(super) trait Amount: Sized {
    /// Whether the limit can be turned off.
    const OPTIONAL: bool;

    /// Returns the value for a number, or the largest one if the type cannot represent it. `None` for a limit that must be on.
    fn new(value: Option<u64>) -> Option<Self>;

    /// Returns the value as a number.
    fn get(self) -> Option<u64>;

    /// Returns the value, or `minimum` if that is larger.
    fn at_least(self, minimum: u64) -> Self;
}

impl Amount for Option<u64> {
    const OPTIONAL: bool = true;

    fn new(value: Option<u64>) -> Option<Self> {
        Some(value)
    }

    fn get(self) -> Option<u64> {
        self
    }

    fn at_least(self, minimum: u64) -> Self {
        self.map(|value| value.max(minimum))
    }
}

impl Amount for u64 {
    const OPTIONAL: bool = false;

    fn new(value: Option<u64>) -> Option<Self> {
        value
    }

    fn get(self) -> Option<u64> {
        Some(self)
    }

    fn at_least(self, minimum: u64) -> Self {
        self.max(minimum)
    }
}

impl Amount for usize {
    const OPTIONAL: bool = false;

    fn new(value: Option<u64>) -> Option<Self> {
        value.map(|value| Self::try_from(value).unwrap_or(Self::MAX))
    }

    fn get(self) -> Option<u64> {
        Some(self as u64)
    }

    fn at_least(self, minimum: u64) -> Self {
        self.max(Self::try_from(minimum).unwrap_or(Self::MAX))
    }
}
