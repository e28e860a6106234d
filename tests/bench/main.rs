//! The bench harness, `benches/ratios/harness`, and README's table of what `cargo bench` measures.

#![allow(dead_code, reason = "nothing is measured here")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../benches/ratios/figures/mod.rs"]
mod figures;
#[path = "../../benches/ratios/harness/mod.rs"]
mod harness;

mod figure;
mod options;
mod report;
mod samples;
mod table;

use harness::{Effort, Figure, Goal, Unit};

/// Returns a figure that is not measured.
fn ratio(name: &str, goal: Goal) -> Figure {
    Figure::ratio(name, "the other side", goal, Effort::LONG, 1, |_, _| Err("not here".to_owned()))
}

fn amount(name: &str, goal: Goal, unit: Unit) -> Figure {
    Figure::amount(name, "nothing", goal, unit, || 0.0)
}
