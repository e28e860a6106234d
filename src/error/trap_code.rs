//! The reasons for which WebAssembly code traps.

use std::fmt;

/// Why WebAssembly code trapped.
///
/// The names follow the messages in the [specification's own tests]. Scripts see them as `trap.code`.
///
/// [specification's own tests]: https://github.com/WebAssembly/spec/tree/main/test/core
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum TrapCode {
    /// `unreachable` was executed.
    Unreachable,
    /// A load, store or bulk operation outside of a memory.
    MemoryOutOfBounds,
    /// An access outside of a table.
    TableOutOfBounds,
    /// `call_indirect` through a null entry.
    IndirectCallToNull,
    /// `call_indirect` with a signature that is not the function's.
    BadSignature,
    /// Division or remainder by zero.
    IntegerDivisionByZero,
    /// A signed division, or a conversion from a float, whose result has no representation.
    IntegerOverflow,
    /// A conversion of NaN to an integer.
    BadConversionToInteger,
    /// Calls nested deeper than the stack allows.
    StackOverflow,
    /// The store's own fuel is used up.
    OutOfFuel,
    /// A limit refused to let a memory or table grow, in a guest that traps then.
    GrowthLimited,
    /// The guest ended itself with an exit code.
    Exit,
}

impl TrapCode {
    /// Returns the code as scripts see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::MemoryOutOfBounds => "memory-out-of-bounds",
            Self::TableOutOfBounds => "table-out-of-bounds",
            Self::IndirectCallToNull => "indirect-call-to-null",
            Self::BadSignature => "bad-signature",
            Self::IntegerDivisionByZero => "integer-division-by-zero",
            Self::IntegerOverflow => "integer-overflow",
            Self::BadConversionToInteger => "bad-conversion-to-integer",
            Self::StackOverflow => "stack-overflow",
            Self::OutOfFuel => "out-of-fuel",
            Self::GrowthLimited => "growth-limited",
            Self::Exit => "exit",
        }
    }

    /// Returns the message that the specification's tests expect for this trap.
    pub fn message(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable executed",
            Self::MemoryOutOfBounds => "out of bounds memory access",
            Self::TableOutOfBounds => "out of bounds table access",
            Self::IndirectCallToNull => "uninitialized element: indirect call through a null entry",
            Self::BadSignature => "indirect call type mismatch",
            Self::IntegerDivisionByZero => "integer divide by zero",
            Self::IntegerOverflow => "integer overflow",
            Self::BadConversionToInteger => "invalid conversion to integer",
            Self::StackOverflow => "call stack exhausted",
            Self::OutOfFuel => "all fuel consumed by WebAssembly",
            Self::GrowthLimited => "growth limited by the sandbox",
            Self::Exit => "the guest exited",
        }
    }
}

impl fmt::Display for TrapCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TrapCode {
    // Not `TryFrom`, which would make wasmi a part of the API.
    pub(super) fn from_wasmi(code: wasmi::TrapCode) -> Option<Self> {
        use wasmi::TrapCode as T;
        Some(match code {
            T::UnreachableCodeReached => Self::Unreachable,
            T::MemoryOutOfBounds => Self::MemoryOutOfBounds,
            T::TableOutOfBounds => Self::TableOutOfBounds,
            T::IndirectCallToNull => Self::IndirectCallToNull,
            T::IntegerDivisionByZero => Self::IntegerDivisionByZero,
            T::IntegerOverflow => Self::IntegerOverflow,
            T::BadConversionToInteger => Self::BadConversionToInteger,
            T::StackOverflow => Self::StackOverflow,
            T::BadSignature => Self::BadSignature,
            T::OutOfFuel => Self::OutOfFuel,
            T::GrowthOperationLimited => Self::GrowthLimited,
            _ => return None,
        })
    }
}
