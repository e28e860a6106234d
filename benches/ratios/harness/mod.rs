//! The bench harness: what a figure is, how it is measured and judged, and how results are shown.
//!
//! - `figure`: a figure, its goal, and its measurement in processes of its own
//! - `samples`: two sides that run in turns, and the statistics of their times
//! - `options`: the command line
//! - `report`: the lines that are printed, and the summary
//! - `table`: README's table
//! - `allocator`: counts allocated bytes, and varies the layout of large blocks between processes
//!
//! `tests/bench` tests it.

pub mod allocator;
pub mod figure;
pub mod options;
pub mod report;
pub mod samples;
pub mod table;

pub use figure::{Figure, Goal, Unit};
pub use samples::{Effort, Side};
