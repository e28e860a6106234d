//! Tests that are functions: `test_*`.

use std::path::Path;
use std::time::{Duration, Instant};

use wasmlark::{CallLimits, Error, Profile, Program};

use super::file::{Manner, TestFile};
use super::outcome::{Outcome, Status};

/// How the name of a test begins.
pub const PREFIX: &str = "test_";

/// A function to call.
pub struct FunctionTest {
    file: String,
    name: String,
    program: Program,
}

impl FunctionTest {
    /// Parses a file, evaluates what it loads, and returns its tests.
    pub fn all(path: &Path, manner: &Manner<'_>) -> Result<Vec<Self>, Box<Outcome>> {
        let failed = |message: String| Outcome::of_file(path, message.clone(), format!("error: {message}"));
        let file = TestFile::read(path, manner.options).map_err(failed)?;
        let sandbox = file.sandbox(&manner.options.limits.0, manner);
        // The timeout ends the evaluation of the files that it loads. Each test then gets the whole timeout.
        let program = manner.timed(&sandbox.interrupt(), || sandbox.program(&file.name, &file.text));
        let program = program.map_err(|error| Outcome::of_file(path, error.message().to_owned(), error.to_string()))?;
        let names = program.functions().into_iter().filter(|name| name.starts_with(PREFIX));
        Ok(names.map(|name| Self { file: file.shown.clone(), name, program: program.clone() }).collect())
    }

    /// Returns the test's full name.
    pub fn title(&self) -> String {
        format!("{}:{}", self.file, self.name)
    }

    /// Calls the function, in a session of its own.
    pub fn run(&self, timeout: Option<Duration>) -> Outcome {
        let start = Instant::now();
        let (output, profile, result) = self.call(timeout);
        let status = match result {
            Ok(()) => Status::Passed,
            Err(error) => Status::Failed { message: error.message().to_owned(), report: error.to_string() },
        };
        let outcome = Outcome::new(&self.file, Some(self.name.clone()), status);
        Outcome { output, time: start.elapsed(), profiles: profile.into_iter().collect(), ..outcome }
    }

    fn call(&self, timeout: Option<Duration>) -> (String, Option<Profile>, Result<(), Error>) {
        let limits = timeout.map_or(CallLimits::new(), |timeout| CallLimits::new().deadline(timeout));
        let mut session = match self.program.session_with(limits) {
            Ok(session) => session,
            Err(error) => return (String::new(), None, Err(error)),
        };
        let result = session.call_values_with(&self.name, &[], &[], limits);
        let output = session.take_output() + &String::from_utf8_lossy(&session.take_error_output());
        (output, session.profile(), result.map(|_| ()))
    }
}
