//! A figure: what is measured, and the goal that it is held against.

use std::fmt;

use crate::pair::{Effort, Samples};

pub struct Figure {
    pub name: String,
    /// What it is held against, for people.
    pub against: &'static str,
    pub goal: Goal,
    pub unit: Unit,
    measure: Box<dyn Fn() -> Result<Value, String>>,
}

/// What a figure came to.
pub struct Value {
    pub figure: f64,
    /// The two times of a ratio, in nanoseconds.
    pub times: Option<(f64, f64)>,
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

impl Figure {
    /// The ratio of two times. `sample` sets both sides up once and lets them run; an error says why
    /// it cannot be measured here. One time of either side is `per` times what is measured.
    pub fn ratio(
        name: impl Into<String>,
        against: &'static str,
        goal: Goal,
        effort: Effort,
        per: u64,
        sample: impl Fn(Effort, &mut Samples) -> Result<(), String> + 'static,
    ) -> Self {
        let measure = move || {
            let mut samples = Samples::default();
            for _ in 0..effort.setups {
                sample(effort, &mut samples)?;
            }
            let (ours, theirs) = (samples.ours() / per as f64, samples.theirs() / per as f64);
            Ok(Value { figure: ours / theirs, times: Some((ours, theirs)) })
        };
        Self { name: name.into(), against, goal, unit: Unit::Ratio, measure: Box::new(measure) }
    }

    /// An amount that stands for itself.
    pub fn amount(
        name: impl Into<String>,
        against: &'static str,
        goal: Goal,
        unit: Unit,
        measure: impl Fn() -> f64 + 'static,
    ) -> Self {
        let measure = move || Ok(Value { figure: measure(), times: None });
        Self { name: name.into(), against, goal, unit, measure: Box::new(measure) }
    }

    /// Measures it. One that misses its goal is measured again, up to `runs` times in all: the best
    /// counts, since a disturbance makes a figure worse and never better.
    pub fn measure(&self, runs: usize) -> Result<Value, String> {
        let mut best = (self.measure)()?;
        for _ in 1..runs {
            if self.goal.is_met(best.figure) {
                break;
            }
            let again = (self.measure)()?;
            if again.figure < best.figure {
                best = again;
            }
        }
        Ok(best)
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
pub struct Time(pub f64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (amount, unit) = match self.0 {
            ns if ns < 1e3 => (ns, "ns"),
            ns if ns < 1e6 => (ns / 1e3, "µs"),
            ns if ns < 1e9 => (ns / 1e6, "ms"),
            ns => (ns / 1e9, "s"),
        };
        f.pad(&match amount {
            x if x < 9.995 => format!("{x:.2} {unit}"),
            x if x < 99.95 => format!("{x:.1} {unit}"),
            x => format!("{x:.0} {unit}"),
        })
    }
}
