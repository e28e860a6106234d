//! Scripts that are kept after they ran, or before they run.

use super::Sandbox;
use crate::error::Error;
#[cfg(feature = "isolated")]
use crate::isolated::remote::Remote;
#[cfg(feature = "isolated")]
use crate::isolated::terms::Terms;
use crate::session::{Files, Program, Session, Source};
use crate::value::Value;

impl Sandbox {
    /// Runs a script, and keeps it: its functions can be called.
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run).
    pub fn load(&self, name: &str, script: &str) -> Result<Session, Error> {
        self.load_with(name, script, self.args.iter())
    }

    /// Runs a script with an `argv` of its own, in place of the sandbox's, and keeps it.
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run).
    pub fn load_with(
        &self,
        name: &str,
        script: &str,
        args: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Session, Error> {
        let (session, result) = self.start(name, script, args);
        result.map(|_| session)
    }

    /// Runs a script, and keeps it whether or not it succeeded. Of a script that failed, what it defined and changed before
    /// is there: its memories can be looked at, its output and its cost are known.
    ///
    /// ```
    /// let script = "memory = wasm.Memory(1)\nmemory.write_u8(0, 7)\nfail('no more')";
    /// let (mut session, result) = wasmlark::Sandbox::new().open("main.star", script);
    /// assert!(result.is_err());
    /// assert_eq!(session.read_memory("memory", 0, 1)?, [7]);
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    pub fn open(&self, name: &str, script: &str) -> (Session, Result<Value, Error>) {
        self.start(name, script, self.args.iter())
    }

    /// Parses a script and evaluates the files that it loads, for many sessions. Of the sandbox, the limits, the
    /// arguments and the files are those of now.
    ///
    /// # Errors
    ///
    /// If the script cannot be parsed, or a file that it loads fails.
    pub fn program(&self, name: &str, script: &str) -> Result<Program, Error> {
        #[cfg(feature = "isolated")]
        if self.is_isolated {
            return Remote::prepare(&self.terms(), name, script, self.args.clone()).map(Program::isolated);
        }
        Program::new(self.granting_engine(), &self.args, self.channels.clone(), self.interrupt.clone(), name, script)
    }

    /// Goes on with a session that [`Session::save`] returned, in this process or another, on this target or another.
    /// The sandbox must give the functions and imports that the one had in which the session began; files, output and
    /// limits on memory and cost are this sandbox's.
    ///
    /// ```ignore (needs the evaluator's module)
    /// use wasmlark::{Sandbox, Value};
    ///
    /// let sandbox = Sandbox::new().isolated(true);
    /// let script = "seen = []\ndef see(name):\n    seen.append(name)\n    return len(seen)";
    /// let mut session = sandbox.load("main.star", script)?;
    /// session.call_values("see", &[Value::from("ann")])?;
    /// let bytes = session.save()?;
    /// drop(session);
    ///
    /// let mut session = sandbox.restore(&bytes)?;
    /// assert_eq!(session.call_values("see", &[Value::from("bob")])?, Value::from(2));
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the bytes are not a saved session, were damaged, or come from another version of wasmlark; if the sandbox gives
    /// other functions or imports, or its limits leave no room.
    #[cfg(feature = "isolated")]
    pub fn restore(&self, bytes: &[u8]) -> Result<Session, Error> {
        Remote::restore(&self.terms(), bytes).map(Session::isolated)
    }

    pub(super) fn start(
        &self,
        name: &str,
        script: &str,
        args: impl IntoIterator<Item = impl Into<String>>,
    ) -> (Session, Result<Value, Error>) {
        let args: Vec<String> = args.into_iter().map(Into::into).collect();
        #[cfg(feature = "isolated")]
        if self.is_isolated {
            let (remote, result) = Remote::start(&self.terms(), name, script, args);
            return (Session::isolated(remote), result);
        }
        let files = Files::new(self.granting_engine(), args, self.channels.clone(), &self.interrupt);
        Session::start(files, name, Source::Text(script.to_owned()))
    }

    #[cfg(feature = "isolated")]
    fn terms(&self) -> Terms<'_> {
        Terms {
            limits: &self.limits,
            files: &self.files,
            channels: &self.channels,
            grants: &self.grants,
            told: self.told,
            interrupt: &self.interrupt,
        }
    }
}
