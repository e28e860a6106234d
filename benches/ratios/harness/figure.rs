//! A figure: what is measured, and its goal.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::options::SAMPLE;
use super::samples::{Effort, Samples};

pub struct Figure {
    pub name: String,
    /// What it is compared with, for people.
    pub against: &'static str,
    pub goal: Goal,
    pub unit: Unit,
    processes: usize,
    sample: Box<dyn Fn() -> Outcome>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// The figure fails if it is larger.
    AtMost(f64),
    /// Aspired to, and not judged.
    Stretch(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Our time divided by that of the other side: below 1 is faster.
    Ratio,
    Milliseconds,
    Kibibytes,
}

/// The nanoseconds of both sides of a ratio, or an amount and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measurement {
    pub ours: f64,
    pub theirs: f64,
}

/// The result of a measurement. An error says why the figure cannot be measured here.
pub type Outcome = Result<Measurement, String>;

impl Figure {
    /// Makes the ratio of two times. `sample` sets up both sides and runs them. Each time that it samples covers `per`
    /// times the work of the figure.
    pub fn ratio(
        name: impl Into<String>,
        against: &'static str,
        goal: Goal,
        effort: Effort,
        per: u64,
        sample: impl Fn(Effort, &mut Samples) -> Result<(), String> + 'static,
    ) -> Self {
        let sample = move || {
            let mut samples = Samples::default();
            sample(effort, &mut samples)?;
            Ok(Measurement { ours: samples.ours() / per as f64, theirs: samples.theirs() / per as f64 })
        };
        let (name, processes) = (name.into(), effort.processes);
        Self { name, against, goal, unit: Unit::Ratio, processes, sample: Box::new(sample) }
    }

    /// Makes the ratio of two times that a process can measure once.
    pub fn once(
        name: impl Into<String>,
        against: &'static str,
        goal: Goal,
        measure: impl Fn() -> Result<(Duration, Duration), String> + 'static,
    ) -> Self {
        let nanoseconds = |time: Duration| time.as_secs_f64() * 1e9;
        let sample = move || {
            let (ours, theirs) = measure()?;
            Ok(Measurement { ours: nanoseconds(ours), theirs: nanoseconds(theirs) })
        };
        Self { name: name.into(), against, goal, unit: Unit::Ratio, processes: 1, sample: Box::new(sample) }
    }

    /// Makes an amount that stands for itself.
    pub fn amount(
        name: impl Into<String>,
        against: &'static str,
        goal: Goal,
        unit: Unit,
        measure: impl Fn() -> f64 + 'static,
    ) -> Self {
        let sample = move || Ok(Measurement { ours: measure(), theirs: 1.0 });
        Self { name: name.into(), against, goal, unit, processes: 1, sample: Box::new(sample) }
    }

    /// Measures the figure in processes of its own, up to `runs` times while it misses its goal.
    pub fn measure(&self, runs: usize) -> Outcome {
        self.measure_with(runs, |process| self.spawn(process))
    }

    /// Does the same, with `sample` in place of the process of each index. The best time of each side counts.
    pub fn measure_with(&self, runs: usize, sample: impl Fn(usize) -> Outcome) -> Outcome {
        let run = || {
            let others = 1..self.processes;
            others.map(&sample).try_fold(sample(0)?, |best, next| Ok::<_, String>(best.best(next?)))
        };
        let mut best = run()?;
        for _ in 1..runs {
            if self.goal.is_met(best.figure()) {
                break;
            }
            best = best.best(run()?);
        }
        Ok(best)
    }

    fn spawn(&self, process: usize) -> Outcome {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([SAMPLE, &process.to_string(), &self.name]).stderr(Stdio::inherit());
        let done = command.output().unwrap();
        assert!(done.status.success(), "{}: {}", self.name, done.status);
        let line = String::from_utf8(done.stdout).unwrap();
        parse_outcome(&line).unwrap_or_else(|| panic!("{}: not an outcome: {line:?}", self.name))
    }

    /// Measures the figure in this process.
    pub fn sample(&self) -> Outcome {
        (self.sample)()
    }
}

impl Measurement {
    /// Returns the number that is compared with the goal.
    pub fn figure(self) -> f64 {
        self.ours / self.theirs
    }

    fn best(self, other: Self) -> Self {
        Self { ours: self.ours.min(other.ours), theirs: self.theirs.min(other.theirs) }
    }
}

impl Goal {
    pub fn is_met(self, figure: f64) -> bool {
        figure <= self.most()
    }

    pub fn is_judged(self) -> bool {
        matches!(self, Self::AtMost(_))
    }

    pub fn most(self) -> f64 {
        match self {
            Self::AtMost(most) | Self::Stretch(most) => most,
        }
    }
}

impl Unit {
    pub fn show(self, amount: f64) -> String {
        match self {
            Self::Ratio => format!("{amount:.2}"),
            Self::Milliseconds => format!("{amount:.1} ms"),
            Self::Kibibytes => format!("{amount:.1} KiB"),
        }
    }
}

/// Returns the line that a process prints for the one that started it.
pub fn show_outcome(outcome: &Outcome) -> String {
    match outcome {
        Ok(Measurement { ours, theirs }) => format!("measured: {ours} {theirs}"),
        Err(why) => format!("skipped: {why}"),
    }
}

/// Parses such a line; `None` if it is not one.
pub fn parse_outcome(line: &str) -> Option<Outcome> {
    match line.trim_end().split_once(": ")? {
        ("measured", numbers) => {
            let (ours, theirs) = numbers.split_once(' ')?;
            Some(Ok(Measurement { ours: ours.parse().ok()?, theirs: theirs.parse().ok()? }))
        }
        ("skipped", why) => Some(Err(why.to_owned())),
        _ => None,
    }
}
