//! A script that was parsed in a core, with what it loads: the core's memory, from which each session goes on.

use super::message::Order;
use super::remote::{Branch, Remote};
use crate::error::Error;
use crate::session::{Answer, CallLimits, PreparedElsewhere, Session};
use crate::value::Value;

pub(crate) struct Prepared {
    branch: Branch,
    name: String,
    functions: Vec<String>,
}

impl Prepared {
    /// `functions` is a list of the names of functions.
    pub(super) fn new(remote: &Remote, name: &str, functions: &Value) -> Result<Self, Error> {
        let names = functions.as_slice().unwrap_or_default().iter().filter_map(Value::as_str);
        Ok(Self { branch: remote.branch()?, name: name.to_owned(), functions: names.map(str::to_owned).collect() })
    }
}

impl PreparedElsewhere for Prepared {
    fn begin(&self, mut limits: CallLimits) -> Result<(Session, Result<Value, Error>), Error> {
        let mut new = self.branch.take()?;
        // There is no clock in the core.
        let deadline = limits.deadline.take();
        let result = new.carry_out(&Order::Begin(limits), deadline);
        Ok((Session::isolated(new), result.map(Answer::into_value)))
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn functions(&self) -> &[String] {
        &self.functions
    }
}
