//! The measurement: two sides do the same work in turns, and what counts is the ratio of the two.
//!
//! A machine that others use too is slow for milliseconds at a time, and its clock changes over seconds. So
//! each side runs in slices of some hundred microseconds, in turns. A slice that was disturbed is longer,
//! never shorter: the lower decile of a side's slices is what it takes undisturbed, and does not hang on one
//! lucky slice as the minimum does.
//!
//! Where the system puts stack and heap makes some processes slower by a third than others, and one side
//! only. So a figure is measured in several processes, see `figure`, and each side's best one counts.

use std::time::Duration;

/// Does the work so many times and says how long that took.
pub type Side<'a> = &'a mut dyn FnMut(u64) -> Duration;

/// How much work a figure is worth.
#[derive(Clone, Copy)]
pub struct Effort {
    /// What a slice should last.
    pub slice: Duration,
    /// Slices of each side, in turns.
    pub rounds: usize,
    /// Processes that do all of this. Within one, memory that one side has freed might be the other's luck,
    /// which then need not ask the system for any: so both sides are set up just once.
    pub processes: usize,
}

impl Effort {
    /// For work of nanoseconds to microseconds.
    pub const SHORT: Self = Self { slice: Duration::from_micros(250), rounds: 40, processes: 8 };
    /// For work that is a slice by itself: each time is one slice.
    pub const LONG: Self = Self { slice: Duration::ZERO, rounds: 10, processes: 2 };

    pub fn rounds(self, rounds: usize) -> Self {
        Self { rounds, ..self }
    }

    pub fn processes(self, processes: usize) -> Self {
        Self { processes, ..self }
    }
}

/// Nanoseconds for each time the work was done, one entry for each slice.
#[derive(Default)]
pub struct Samples {
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

impl Samples {
    /// Lets both sides run in turns.
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

    pub fn ours(&self) -> f64 {
        lower_decile(&self.ours)
    }

    pub fn theirs(&self) -> f64 {
        lower_decile(&self.theirs)
    }
}

/// How often the work must be done for a slice to last as long as it should.
fn times(slice: Duration, side: Side<'_>) -> u64 {
    if slice.is_zero() {
        return 1;
    }
    let mut times = 1;
    loop {
        let took = side(times);
        if took >= slice || times >= 1 << 32 {
            return times;
        }
        // Short runs are mostly start-up: not more than tenfold at once.
        let factor = slice.as_nanos() as f64 / took.as_nanos().max(1) as f64;
        times = (times as f64 * factor.clamp(1.2, 10.0)).ceil() as u64;
    }
}

fn nanoseconds(took: Duration, times: u64) -> f64 {
    took.as_nanos() as f64 / times as f64
}

fn lower_decile(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 10]
}
