//! What is printed for each figure, and at the end.

use std::fmt;

use super::figure::{Figure, Goal, Measurement, Outcome, Unit};
use super::options::Format;

/// Returns the line for one figure.
pub fn line(figure: &Figure, outcome: &Outcome, format: Format) -> String {
    let name = &figure.name;
    let measurement = match outcome {
        Ok(measurement) => *measurement,
        Err(why) => return format!("{name}: skipped: {why}"),
    };
    let (shown, goal) = (figure.unit.show(measurement.figure()), goal(figure));
    if format == Format::Lines {
        return format!("{name}: {shown} ({goal})");
    }
    let mark = if figure.goal.is_met(measurement.figure()) { ' ' } else { '!' };
    let times = times(figure.unit, measurement);
    format!("{mark} {name:46} {shown:>8}  {goal:13} {times}({})", figure.against)
}

/// Returns `goal 1.25`, or `stretch 1.25`.
fn goal(figure: &Figure) -> String {
    let most = figure.unit.show(figure.goal.most());
    match figure.goal {
        Goal::AtMost(_) => format!("goal {most}"),
        Goal::Stretch(_) => format!("stretch {most}"),
    }
}

/// Returns both times of a ratio.
fn times(unit: Unit, measurement: Measurement) -> String {
    match unit {
        Unit::Ratio => format!("{} / {} ", time(measurement.ours), time(measurement.theirs)),
        Unit::Milliseconds | Unit::Kibibytes => String::new(),
    }
}

/// Formats nanoseconds with three digits and a unit.
pub fn time(nanoseconds: f64) -> String {
    let (amount, unit) = match nanoseconds {
        ns if ns < 1e3 => (ns, "ns"),
        ns if ns < 1e6 => (ns / 1e3, "µs"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    let digits = if amount < 9.995 { 2 } else { usize::from(amount < 99.95) };
    format!("{amount:.digits$} {unit}")
}

/// How many figures met their goals. Its text is the last line of a run, which `.ci/run` reads.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    /// The number of figures whose goal is a stretch.
    pub unjudged: usize,
}

impl Summary {
    pub fn add(&mut self, goal: Goal, outcome: &Outcome) {
        let count = match outcome {
            Err(_) => &mut self.skipped,
            Ok(_) if !goal.is_judged() => &mut self.unjudged,
            Ok(measurement) if goal.is_met(measurement.figure()) => &mut self.passed,
            Ok(_) => &mut self.failed,
        };
        *count += 1;
    }

    pub fn total(&self) -> usize {
        self.passed + self.failed + self.skipped + self.unjudged
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bench: {} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}
