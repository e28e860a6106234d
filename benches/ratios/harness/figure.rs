//! A figure: what is measured, and the goal that it is held against.

use std::fmt;
use std::process::{Command, Stdio};

use crate::harness::samples::{Effort, Samples};

/// What this program is asked with, followed by a number and a name, to measure a figure in a process of its own.
pub const SAMPLE: &str = "--sample";

pub struct Figure {
    pub name: String,
    /// What it is held against, for people.
    pub against: &'static str,
    pub goal: Goal,
    unit: Unit,
    processes: usize,
    sample: Box<dyn Fn() -> Result<Value, String>>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Goal {
    /// At most so much, or the figure has failed.
    AtMost(f64),
    /// Hoped for, and not judged.
    Stretch(f64),
}

#[derive(Clone, Copy, PartialEq)]
pub enum Unit {
    /// Our time divided by that of the other side: below 1 is faster.
    Ratio,
    Milliseconds,
    Kibibytes,
}

/// What was measured: the nanoseconds of both sides of a ratio, or an amount and 1.
#[derive(Clone, Copy)]
pub struct Value {
    pub ours: f64,
    pub theirs: f64,
}

impl Figure {
    /// The ratio of two times. `sample` sets both sides up and lets them run; an error says why it
    /// cannot be measured here. What it measures is `per` times as much as a figure is about.
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
            Ok(Value { ours: samples.ours() / per as f64, theirs: samples.theirs() / per as f64 })
        };
        let (name, processes) = (name.into(), effort.processes);
        Self { name, against, goal, unit: Unit::Ratio, processes, sample: Box::new(sample) }
    }

    /// An amount that stands for itself.
    pub fn amount(
        name: impl Into<String>,
        against: &'static str,
        goal: Goal,
        unit: Unit,
        measure: impl Fn() -> f64 + 'static,
    ) -> Self {
        let sample = move || Ok(Value { ours: measure(), theirs: 1.0 });
        Self { name: name.into(), against, goal, unit, processes: 1, sample: Box::new(sample) }
    }

    /// Measures it in processes of their own. One that misses its goal is measured again, up to `runs` times
    /// in all: the best of each side counts.
    pub fn measure(&self, runs: usize) -> Result<Value, String> {
        let mut best = self.run()?;
        for _ in 1..runs {
            if self.goal.is_met(best.ratio()) {
                break;
            }
            best = best.best(self.run()?);
        }
        Ok(best)
    }

    fn run(&self) -> Result<Value, String> {
        let first = self.spawn(0)?;
        (1..self.processes).try_fold(first, |best, index| Ok(best.best(self.spawn(index)?)))
    }

    fn spawn(&self, index: usize) -> Result<Value, String> {
        let this = std::env::current_exe().unwrap();
        let done = Command::new(this)
            .args([SAMPLE, &index.to_string(), &self.name])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        if let Some(why) = text.strip_prefix("skipped: ") {
            return Err(why.trim_end().to_owned());
        }
        assert!(done.status.success(), "{}: {}", self.name, done.status);
        let mut numbers = text.split_whitespace().map(|number| number.parse().unwrap());
        Ok(Value { ours: numbers.next().unwrap(), theirs: numbers.next().unwrap() })
    }

    /// What `spawn` wants to hear.
    pub fn print_sample(&self) {
        match (self.sample)() {
            Ok(value) => println!("{} {}", value.ours, value.theirs),
            Err(why) => println!("skipped: {why}"),
        }
    }

    pub fn show(&self, amount: f64) -> String {
        match self.unit {
            Unit::Ratio => format!("{amount:.2}"),
            Unit::Milliseconds => format!("{amount:.1} ms"),
            Unit::Kibibytes => format!("{amount:.1} KiB"),
        }
    }

    /// The goal as people read it: `goal 1.25`.
    pub fn shown_goal(&self) -> String {
        match self.goal {
            Goal::AtMost(most) => format!("goal {}", self.show(most)),
            Goal::Stretch(most) => format!("stretch {}", self.show(most)),
        }
    }

    /// Both times of a ratio.
    pub fn shown_times(&self, value: Value) -> String {
        match self.unit {
            Unit::Ratio => format!("{} / {} ", Time(value.ours), Time(value.theirs)),
            _ => String::new(),
        }
    }
}

impl Value {
    pub fn ratio(self) -> f64 {
        self.ours / self.theirs
    }

    /// Each side at its best.
    fn best(self, other: Self) -> Self {
        Self { ours: self.ours.min(other.ours), theirs: self.theirs.min(other.theirs) }
    }
}

impl Goal {
    pub fn is_met(self, figure: f64) -> bool {
        match self {
            Self::AtMost(most) | Self::Stretch(most) => figure <= most,
        }
    }

    pub fn is_judged(self) -> bool {
        matches!(self, Self::AtMost(_))
    }
}

/// Nanoseconds with three digits and a unit.
struct Time(f64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (amount, unit) = match self.0 {
            ns if ns < 1e3 => (ns, "ns"),
            ns if ns < 1e6 => (ns / 1e3, "µs"),
            ns if ns < 1e9 => (ns / 1e6, "ms"),
            ns => (ns / 1e9, "s"),
        };
        let digits = if amount < 9.995 { 2 } else { usize::from(amount < 99.95) };
        write!(f, "{amount:.digits$} {unit}")
    }
}
