//! Evaluations that do not run here: those of isolated sandboxes.

use std::collections::BTreeMap;

use super::call_limits::CallLimits;
use super::mailbox::{Answer, Request};
use super::{Session, Stats};
use crate::data::Data;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::profile::Profile;
use crate::value::Value;

/// The evaluation of a session.
pub(crate) trait Elsewhere: Send {
    fn ask(&mut self, request: Request) -> Result<Answer, Error>;
    fn take_files(&mut self) -> BTreeMap<String, Vec<u8>>;
    fn interrupt(&self) -> Interrupt;
    fn data(&self) -> &Data;
    fn stats(&self) -> Stats;
    fn profile(&self) -> Option<Profile>;
    fn save(&self) -> Result<Vec<u8>, Error>;
    fn fork(&self) -> Result<Session, Error>;
}

/// A script that is parsed, with the files that it loads.
pub(crate) trait PreparedElsewhere: Send + Sync {
    /// Runs the script's statements.
    fn begin(&self, limits: CallLimits) -> Result<(Session, Result<Value, Error>), Error>;
    fn name(&self) -> &str;
    /// Returns the names of the functions that the script defines.
    fn functions(&self) -> &[String];
}
