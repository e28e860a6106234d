//! Two sides do the same work in turns, and the ratio of their times counts.
//!
//! On a machine with other users, everything is slow for milliseconds at a time, and the clock rate changes over
//! seconds. So each side runs in slices of some hundred microseconds, in turns. A disturbed slice takes longer, never
//! shorter: the lower decile of a side's slices is what it takes undisturbed, and unlike the minimum does not depend on
//! one lucky slice.
//!
//! Where the system puts stack and heap makes one side slower by a third in some processes. So a figure is measured in
//! several processes (see `figure`), and the best one of each side counts.

use std::time::Duration;

/// Does the work this many times and returns how long that took.
pub type Side<'a> = &'a mut dyn FnMut(u64) -> Duration;

/// The amount of work to measure a figure.
#[derive(Clone, Copy)]
pub struct Effort {
    /// The intended duration of a slice.
    pub slice: Duration,
    /// The number of slices of each side.
    pub rounds: usize,
    /// The number of processes that do all of this. A process sets up both sides only once: memory that one side has
    /// freed would save the other from asking the system for it.
    pub processes: usize,
}

impl Effort {
    /// For work that takes nanoseconds to microseconds.
    pub const SHORT: Self = Self { slice: Duration::from_micros(250), rounds: 40, processes: 8 };
    /// For work that takes as long as a slice.
    pub const LONG: Self = Self { slice: Duration::ZERO, rounds: 10, processes: 2 };

    pub fn rounds(self, rounds: usize) -> Self {
        Self { rounds, ..self }
    }

    pub fn processes(self, processes: usize) -> Self {
        Self { processes, ..self }
    }
}

/// Nanoseconds for doing the work once, with an entry for each slice.
#[derive(Default)]
pub struct Samples {
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

impl Samples {
    /// Runs both sides in turns.
    pub fn alternate(&mut self, effort: Effort, ours: Side<'_>, theirs: Side<'_>) {
        let (our_times, their_times) = (times(effort.slice, ours), times(effort.slice, theirs));
        for round in 0..effort.rounds {
            // Each side comes first as often as second.
            for turn in [round % 2, (round + 1) % 2] {
                match turn {
                    0 => self.ours.push(nanoseconds(ours(our_times), our_times)),
                    _ => self.theirs.push(nanoseconds(theirs(their_times), their_times)),
                }
            }
        }
    }

    /// Returns the lower decile of our times.
    pub fn ours(&self) -> f64 {
        lower_decile(&self.ours)
    }

    /// Returns the lower decile of the other side's times.
    pub fn theirs(&self) -> f64 {
        lower_decile(&self.theirs)
    }
}

/// Returns how often the work must be done to fill a slice.
pub fn times(slice: Duration, side: Side<'_>) -> u64 {
    if slice.is_zero() {
        return 1;
    }
    let mut times = 1;
    loop {
        let took = side(times);
        if took >= slice || times >= 1 << 32 {
            return times;
        }
        // A short run is mostly start-up, so the next one is at most ten times as long.
        let factor = slice.as_nanos() as f64 / took.as_nanos().max(1) as f64;
        times = (times as f64 * factor.clamp(1.2, 10.0)).ceil() as u64;
    }
}

fn nanoseconds(took: Duration, times: u64) -> f64 {
    took.as_nanos() as f64 / times as f64
}

/// Returns the value below which a tenth of the samples lies.
pub fn lower_decile(samples: &[f64]) -> f64 {
    assert!(!samples.is_empty(), "a figure that was not skipped has samples");
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 10]
}
