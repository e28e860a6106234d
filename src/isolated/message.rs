//! What an isolated evaluator and its host say to each other, encoded by postcard.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::frames::Told;
use crate::host::dynamic_import::{Number, NumberType};
use crate::host::function::Description;
use crate::limits::Limits;
use crate::limits::table::Limit;
use crate::session::{Answer, CallLimits, Request, Stats};
use crate::wire::{Fault, Nodes};

/// What the host wants done.
#[derive(Serialize, Deserialize)]
pub(super) enum Order {
    /// Runs a script, and keeps it as the session.
    Run { setup: Setup, script: Script },
    /// Parses a script and evaluates what it loads, for the sessions that begin with `Begin`.
    Prepare { setup: Setup, script: Script },
    /// Runs the statements of what was prepared, and keeps them as the session.
    Begin(CallLimits),
    /// Asks the session.
    Ask(Request),
}

#[derive(Serialize, Deserialize)]
pub(super) struct Script {
    pub(super) name: String,
    pub(super) text: String,
}

/// What a run may do.
#[derive(Serialize, Deserialize)]
pub(super) struct Setup {
    /// In the order of `Limit::ALL`.
    limits: Vec<Option<u64>>,
    pub(super) args: Vec<String>,
    pub(super) told: Told,
    pub(super) is_writable: bool,
    pub(super) has_stdin: bool,
    pub(super) has_progress: bool,
    pub(super) has_asserts: bool,
    /// The place of a function in the list is its number.
    pub(super) functions: Vec<Description>,
    pub(super) values: Vec<(String, Nodes)>,
    pub(super) imports: Vec<ImportGrant>,
}

/// An import that the application gives. Its place in the list is its number.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub(super) struct ImportGrant {
    pub(super) module: String,
    pub(super) name: String,
    pub(super) params: Vec<NumberType>,
    pub(super) results: Vec<NumberType>,
}

/// What came of an order.
#[derive(Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) result: Result<Answer, Fault>,
    pub(super) stats: Stats,
    /// The records of a `Profile`.
    pub(super) profile: Option<Vec<(u32, String, u64)>>,
    /// What the script wrote since the order before.
    pub(super) files: Vec<(String, serde_bytes::ByteBuf)>,
}

/// What the core asks its host.
#[derive(Serialize, Deserialize)]
pub(super) enum Ask {
    /// `Result<Option<ByteBuf>, String>`
    Load(String),
    /// `Result<bool, String>`
    IsFile(String),
    /// `Result<Vec<String>, String>`
    Folder(String),
    /// `Option<String>`
    Suggest(String),
    /// `Result<ByteBuf, String>`
    Stdin,
    /// `()`
    Write { is_error: bool, bytes: serde_bytes::ByteBuf },
    /// `()`
    Progress(Stats),
    /// `Result<Nodes, Fault>`
    Function { number: u32, args: Vec<Option<Nodes>> },
    /// `Result<Vec<Number>, Fault>`
    Import {
        number: u32,
        args: Vec<Number>,
        /// The guest's memory, by its store and handle.
        memory: Option<(u32, u32)>,
    },
}

impl Setup {
    #[cfg(feature = "isolated")]
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            // What a run costs must not depend on how much it may cost, not even on how many digits that has.
            limits: Limit::ALL.iter().map(|limit| limits.get(*limit).filter(|_| *limit != Limit::Cost)).collect(),
            args: Vec::new(),
            told: Told::Nothing,
            is_writable: false,
            has_stdin: false,
            has_progress: false,
            has_asserts: false,
            functions: Vec::new(),
            values: Vec::new(),
            imports: Vec::new(),
        }
    }

    #[cfg(feature = "core")]
    pub(super) fn limits(&self) -> Result<Limits, Error> {
        let mut limits = Limits::new();
        for (limit, value) in Limit::ALL.iter().zip(&self.limits) {
            limits.put(*limit, *value)?;
        }
        Ok(limits)
    }
}

/// Encodes a message.
pub(super) fn encode(message: &impl Serialize) -> Result<Vec<u8>, Error> {
    postcard::to_stdvec(message).map_err(|error| broken(&error))
}

/// Decodes a message of the other side.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    postcard::from_bytes(bytes).map_err(|error| broken(&error))
}

fn broken(error: &postcard::Error) -> Error {
    let message = format!("the isolated evaluator and its host do not understand each other: {error}");
    Error::new(crate::error::ErrorKind::Internal, message)
}
