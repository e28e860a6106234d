//! Scripts that run once, and what comes of them.

use std::collections::BTreeMap;

use super::Sandbox;
use crate::data::Output;
use crate::error::Error;
use crate::profile::Profile;
use crate::session::Stats;
use crate::value::Value;

impl Sandbox {
    /// Runs a script. `name` is for messages, and for names in the script that begin with `./`.
    ///
    /// # Errors
    ///
    /// If the script fails, or a limit ends it; [`Error::kind`] tells which.
    pub fn run(&self, name: &str, script: &str) -> Result<Run, Error> {
        self.run_with(name, script, self.args.iter())
    }

    /// Runs a script with an `argv` of its own, in place of the sandbox's.
    ///
    /// ```
    /// use wasmlark::Sandbox;
    ///
    /// let sandbox = Sandbox::new();
    /// for name in ["ann", "bob"] {
    ///     assert_eq!(sandbox.run_with("main.star", "argv[0]", [name])?.value.as_str(), Some(name));
    /// }
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run).
    pub fn run_with(
        &self,
        name: &str,
        script: &str,
        args: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Run, Error> {
        let report = self.report_with(name, script, args);
        let Report { output, output_bytes, error_output, files, result, stats, .. } = report;
        result.map(|value| Run { output, output_bytes, error_output, files, value, stats })
    }

    /// Runs a script, and tells what it printed and spent also where it fails.
    pub fn report(&self, name: &str, script: &str) -> Report {
        self.report_with(name, script, self.args.iter())
    }

    fn report_with(&self, name: &str, script: &str, args: impl IntoIterator<Item = impl Into<String>>) -> Report {
        let (mut session, result) = self.start(name, script, args);
        let Output { text, bytes } = session.take_all_output();
        let (error_output, files) = (session.take_error_output(), session.take_files());
        let (stats, profile) = (session.stats(), session.profile());
        Report { output: text, output_bytes: bytes, error_output, files, result, stats, profile }
    }
}

/// What a script did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Run {
    /// What it printed and wrote to standard output; empty where [`Sandbox::on_print`] or [`Sandbox::on_write`] takes it.
    /// What is not UTF-8 is replaced: [`output_bytes`](Self::output_bytes) has all.
    pub output: String,
    /// What it wrote to standard error; empty where [`Sandbox::on_write_error`] takes that.
    pub error_output: Vec<u8>,
    /// The files that it wrote, by their names; none unless the sandbox is [`writable`](Sandbox::writable).
    pub files: BTreeMap<String, Vec<u8>>,
    /// The value of its last statement; [`Value::None`] if that is not an expression. One that is nested deeper than 200
    /// levels, or too large, is a [`Value::Opaque`] that says so.
    pub value: Value,
    /// What it spent.
    pub stats: Stats,
    output_bytes: Option<Vec<u8>>,
}

impl Run {
    /// Returns the bytes of [`output`](Self::output) as they were written.
    pub fn output_bytes(&self) -> &[u8] {
        self.output_bytes.as_deref().unwrap_or(self.output.as_bytes())
    }
}

/// What a script did, whether or not it succeeded.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// What it printed and wrote to standard output before it ended, as [`Run::output`] has it.
    pub output: String,
    /// What it wrote to standard error, as [`Run::error_output`] has it.
    pub error_output: Vec<u8>,
    /// The files that it wrote before it ended, as [`Run::files`] has them.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The value of its last statement, or why it failed.
    pub result: Result<Value, Error>,
    /// What its fuel was spent on, where [`Sandbox::profile`] asks for it.
    pub profile: Option<Profile>,
    /// What it spent.
    pub stats: Stats,
    output_bytes: Option<Vec<u8>>,
}

impl Report {
    /// Returns the bytes of [`output`](Self::output) as they were written.
    pub fn output_bytes(&self) -> &[u8] {
        self.output_bytes.as_deref().unwrap_or(self.output.as_bytes())
    }
}
