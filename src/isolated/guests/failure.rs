//! Errors of guests, as the core is told of them.

use std::fmt;

use wasmi::errors::{ErrorKind as K, InstantiationError as I, MemoryError as M, TableError as T};

use super::request::{Failure, MemoryFault, TableFault};
use crate::slices::{INTERRUPTED, Stopped};

/// Ends a guest whose call of the core failed. The core has the error.
#[derive(Debug)]
pub(super) struct CoreFailed;

impl fmt::Display for CoreFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a function of the core failed")
    }
}

impl wasmi::errors::HostError for CoreFailed {}

impl Failure {
    pub(super) fn of(error: &wasmi::Error) -> Self {
        if error.downcast_ref::<CoreFailed>().is_some() {
            return Self::Host;
        }
        if error.downcast_ref::<Stopped>().is_some() {
            return Self::Text(INTERRUPTED.to_owned());
        }
        match error.kind() {
            K::Memory(error) => Self::Memory(MemoryFault::of(error)),
            K::Table(error) => Self::Table(TableFault::of(error)),
            K::Instantiation(I::FailedToInstantiateMemory(error)) => Self::NewMemory(MemoryFault::of(error)),
            K::Instantiation(I::FailedToInstantiateTable(error)) => Self::NewTable(TableFault::of(error)),
            K::Instantiation(I::ElementSegmentDoesNotFit { table_index, len, .. }) => {
                Self::Elements { index: *table_index, len: *len }
            }
            K::Instantiation(error) => Self::Link(error.to_string()),
            _ => match error.as_trap_code() {
                Some(code) => Self::Trap(code.into()),
                None => Self::Text(error.to_string()),
            },
        }
    }
}

impl MemoryFault {
    pub(super) fn of(error: &M) -> Self {
        match error {
            M::OutOfSystemMemory => Self::OutOfSystemMemory,
            M::OutOfBoundsGrowth => Self::OutOfBoundsGrowth,
            M::OutOfBoundsAccess => Self::OutOfBoundsAccess,
            M::InvalidMemoryType => Self::InvalidMemoryType,
            M::InvalidStaticBufferSize => Self::InvalidStaticBufferSize,
            M::ResourceLimiterDeniedAllocation => Self::ResourceLimiterDeniedAllocation,
            M::MinimumSizeOverflow => Self::MinimumSizeOverflow,
            M::MaximumSizeOverflow => Self::MaximumSizeOverflow,
            M::OutOfFuel { .. } => Self::OutOfFuel,
        }
    }
}

impl TableFault {
    pub(super) fn of(error: &T) -> Self {
        match error {
            T::MinimumSizeOverflow => Self::MinimumSizeOverflow,
            T::MaximumSizeOverflow => Self::MaximumSizeOverflow,
            T::ResourceLimiterDeniedAllocation => Self::ResourceLimiterDeniedAllocation,
            T::GrowOutOfBounds => Self::GrowOutOfBounds,
            T::InitOutOfBounds => Self::InitOutOfBounds,
            T::FillOutOfBounds => Self::FillOutOfBounds,
            T::SetOutOfBounds => Self::SetOutOfBounds,
            T::CopyOutOfBounds => Self::CopyOutOfBounds,
            T::ElementTypeMismatch => Self::ElementTypeMismatch,
            T::OutOfFuel { .. } => Self::OutOfFuel,
            // `OutOfSystemMemory`, and what a later wasmi may have.
            _ => Self::OutOfSystemMemory,
        }
    }
}
