//! A call that someone wants made, and its answer. Both are lines of JSON, in files and in Redis.

use std::error::Error;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmlark::{Session, Stats};

/// A call of a function of a session's script.
#[derive(Serialize, Deserialize)]
pub struct Job {
    pub session: String,
    pub function: String,
    pub args: Vec<Value>,
}

/// What a call returned, and what it cost.
#[derive(Serialize)]
pub struct Answer<'a> {
    session: &'a str,
    /// How many calls the session had answered before.
    call: u64,
    #[serde(flatten)]
    outcome: Outcome,
    ticks: u64,
    fuel: Option<u64>,
    cost: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Value(Value),
    Error(String),
}

impl<'a> Answer<'a> {
    /// Makes a call, which is the session's `call`-th, with all that the limits allow.
    ///
    /// # Errors
    ///
    /// If the session has ended. An error of the script is an answer.
    pub fn to(job: &'a Job, call: u64, session: &mut Session) -> Result<Self, wasmlark::Error> {
        session.refill()?;
        let before = session.stats();
        let outcome = match session.call(&job.function, &job.args) {
            Ok(value) => Outcome::Value(value),
            Err(error) => Outcome::Error(error.message().to_owned()),
        };
        let Stats { ticks, fuel, cost, .. } = session.stats();
        Ok(Self {
            session: &job.session,
            call,
            outcome,
            ticks: ticks.saturating_sub(before.ticks),
            fuel: spent(before.fuel, fuel),
            cost: spent(before.cost, cost),
        })
    }

    /// Whether the session is to go on from what this call left; otherwise, from what it was before.
    pub fn is_kept(&self) -> bool {
        matches!(self.outcome, Outcome::Value(_))
    }

    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

fn spent(before: Option<u64>, after: Option<u64>) -> Option<u64> {
    Some(after?.saturating_sub(before?))
}

/// Reads a file with a job on each line.
pub fn read(path: &str) -> Result<Vec<Job>, Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let job = |(line, text): (usize, &str)| {
        serde_json::from_str(text).map_err(|error| format!("{path}, line {}: {error}", line.saturating_add(1)).into())
    };
    text.lines().enumerate().map(job).collect()
}
