//! Errors, as wasmi has them.

use std::fmt;

use wasmi_core::{GlobalError, HostError, MemoryError, TableError, TrapCode};

use crate::request::{Failure, MemoryFault, TableFault};

#[derive(Debug)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    TrapCode(TrapCode),
    Message(Box<str>),
    I32ExitStatus(i32),
    Host(Box<dyn HostError>),
    Global(GlobalError),
    Memory(MemoryError),
    Table(TableError),
    Instantiation(InstantiationError),
}

#[derive(Debug)]
#[non_exhaustive]
pub enum InstantiationError {
    ElementSegmentDoesNotFit { table_index: u64, len: u32 },
    FailedToInstantiateMemory(MemoryError),
    FailedToInstantiateTable(TableError),
    Other(String),
}

impl Error {
    #[cold]
    pub fn new(message: impl Into<String>) -> Self {
        ErrorKind::Message(message.into().into()).into()
    }

    #[cold]
    pub fn host(error: impl HostError) -> Self {
        ErrorKind::Host(Box::new(error)).into()
    }

    #[cold]
    pub fn i32_exit(status: i32) -> Self {
        ErrorKind::I32ExitStatus(status).into()
    }

    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    pub fn as_trap_code(&self) -> Option<TrapCode> {
        match &*self.0 {
            ErrorKind::TrapCode(code) => Some(*code),
            ErrorKind::Memory(MemoryError::OutOfFuel { .. }) | ErrorKind::Table(TableError::OutOfFuel { .. }) => {
                Some(TrapCode::OutOfFuel)
            }
            ErrorKind::Memory(MemoryError::OutOfBoundsAccess | MemoryError::OutOfBoundsGrowth) => {
                Some(TrapCode::MemoryOutOfBounds)
            }
            ErrorKind::Table(TableError::ElementTypeMismatch) => Some(TrapCode::BadSignature),
            ErrorKind::Table(
                TableError::SetOutOfBounds
                | TableError::FillOutOfBounds
                | TableError::GrowOutOfBounds
                | TableError::InitOutOfBounds,
            ) => Some(TrapCode::TableOutOfBounds),
            _ => None,
        }
    }

    pub fn i32_exit_status(&self) -> Option<i32> {
        match &*self.0 {
            ErrorKind::I32ExitStatus(status) => Some(*status),
            _ => None,
        }
    }

    pub fn downcast_ref<T: HostError>(&self) -> Option<&T> {
        match &*self.0 {
            ErrorKind::Host(error) => <dyn HostError>::downcast_ref(&**error),
            _ => None,
        }
    }

    /// Makes an error of what the host tells. `pending` is what a function of this module failed with.
    pub(crate) fn of(failure: Failure, pending: Option<Self>) -> Self {
        let kind = match failure {
            Failure::Host => {
                return pending.unwrap_or_else(|| Self::new("a host function failed"));
            }
            Failure::Trap(code) => match TrapCode::try_from(code) {
                Ok(code) => ErrorKind::TrapCode(code),
                Err(_) => ErrorKind::Message("an unknown trap".into()),
            },
            Failure::Text(text) => ErrorKind::Message(text.into()),
            Failure::Memory(fault) => ErrorKind::Memory(memory_error(fault)),
            Failure::Table(fault) => ErrorKind::Table(table_error(fault)),
            Failure::NewMemory(fault) => {
                ErrorKind::Instantiation(InstantiationError::FailedToInstantiateMemory(memory_error(fault)))
            }
            Failure::NewTable(fault) => {
                ErrorKind::Instantiation(InstantiationError::FailedToInstantiateTable(table_error(fault)))
            }
            Failure::Elements { index, len } => {
                ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { table_index: index, len })
            }
            Failure::Link(text) => ErrorKind::Instantiation(InstantiationError::Other(text)),
        };
        kind.into()
    }
}

pub(crate) fn memory_error(fault: MemoryFault) -> MemoryError {
    match fault {
        MemoryFault::OutOfSystemMemory => MemoryError::OutOfSystemMemory,
        MemoryFault::OutOfBoundsGrowth => MemoryError::OutOfBoundsGrowth,
        MemoryFault::OutOfBoundsAccess => MemoryError::OutOfBoundsAccess,
        MemoryFault::InvalidMemoryType => MemoryError::InvalidMemoryType,
        MemoryFault::InvalidStaticBufferSize => MemoryError::InvalidStaticBufferSize,
        MemoryFault::ResourceLimiterDeniedAllocation => MemoryError::ResourceLimiterDeniedAllocation,
        MemoryFault::MinimumSizeOverflow => MemoryError::MinimumSizeOverflow,
        MemoryFault::MaximumSizeOverflow => MemoryError::MaximumSizeOverflow,
        MemoryFault::OutOfFuel => MemoryError::OutOfFuel { required_fuel: 0 },
    }
}

pub(crate) fn table_error(fault: TableFault) -> TableError {
    match fault {
        TableFault::OutOfSystemMemory => TableError::OutOfSystemMemory,
        TableFault::MinimumSizeOverflow => TableError::MinimumSizeOverflow,
        TableFault::MaximumSizeOverflow => TableError::MaximumSizeOverflow,
        TableFault::ResourceLimiterDeniedAllocation => TableError::ResourceLimiterDeniedAllocation,
        TableFault::GrowOutOfBounds => TableError::GrowOutOfBounds,
        TableFault::InitOutOfBounds => TableError::InitOutOfBounds,
        TableFault::FillOutOfBounds => TableError::FillOutOfBounds,
        TableFault::SetOutOfBounds => TableError::SetOutOfBounds,
        TableFault::CopyOutOfBounds => TableError::CopyOutOfBounds,
        TableFault::ElementTypeMismatch => TableError::ElementTypeMismatch,
        TableFault::OutOfFuel => TableError::OutOfFuel { required_fuel: 0 },
    }
}

impl From<ErrorKind> for Error {
    #[cold]
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

macro_rules! from {
    ($($from:ty => $kind:ident),* $(,)?) => {$(
        impl From<$from> for Error {
            #[cold]
            fn from(error: $from) -> Self {
                ErrorKind::$kind(error).into()
            }
        }
    )*};
}

from! { TrapCode => TrapCode, GlobalError => Global, MemoryError => Memory, TableError => Table }

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            ErrorKind::TrapCode(error) => error.fmt(f),
            ErrorKind::Message(message) => message.fmt(f),
            ErrorKind::I32ExitStatus(status) => write!(f, "Exited with i32 exit status {status}"),
            ErrorKind::Host(error) => error.fmt(f),
            ErrorKind::Global(error) => error.fmt(f),
            ErrorKind::Memory(error) => error.fmt(f),
            ErrorKind::Table(error) => error.fmt(f),
            ErrorKind::Instantiation(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for InstantiationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ElementSegmentDoesNotFit { table_index, len } => {
                write!(f, "{len} elements do not fit at index {table_index}")
            }
            Self::FailedToInstantiateMemory(error) => write!(f, "failed to instantiate memory: {error}"),
            Self::FailedToInstantiateTable(error) => write!(f, "failed to instantiate table: {error}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}
