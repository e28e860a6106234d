//! Sessions as bytes, and sessions that go on from another.

use super::{Place, Session};
use crate::error::Error;

impl Session {
    /// Returns the session as bytes, from which [`Sandbox::restore`](crate::Sandbox::restore) goes on, here or on another machine. They
    /// have all that the script and its guests have in memory, the modules of the guests, the files of WASI, and what was
    /// spent: a few hundred KiB for a small script. Output that was not taken is not among them.
    ///
    /// # Errors
    ///
    /// If the sandbox is not [isolated](crate::Sandbox::isolated), or the session has ended; or if it still uses something of
    /// an instance that could not be made because its segments did not fit.
    pub fn save(&self) -> Result<Vec<u8>, Error> {
        match &self.0 {
            Place::Here(_) => Err(not_isolated("saved")),
            Place::Isolated(remote) => remote.save(),
        }
    }

    /// Returns a session that goes on from what this one is now: what the one does, the other does not see.
    ///
    /// ```ignore (needs the evaluator's module)
    /// use wasmlark::{Sandbox, Value};
    ///
    /// let script = "seen = []\ndef see(name):\n    seen.append(name)\n    return seen";
    /// let mut session = Sandbox::new().isolated(true).load("main.star", script)?;
    /// session.call_values("see", &["ann".into()])?;
    /// let mut other = session.fork()?;
    /// assert_eq!(session.call_values("see", &["bob".into()])?.to_string(), r#"["ann", "bob"]"#);
    /// assert_eq!(other.call_values("see", &["eve".into()])?.to_string(), r#"["ann", "eve"]"#);
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`save`](Self::save).
    pub fn fork(&self) -> Result<Self, Error> {
        match &self.0 {
            Place::Here(_) => Err(not_isolated("forked")),
            Place::Isolated(remote) => remote.fork(),
        }
    }
}

fn not_isolated(what: &str) -> Error {
    Error::value(format!("only a session of an isolated sandbox can be {what}: see `Sandbox::isolated`"))
}
