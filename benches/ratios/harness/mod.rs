//! How figures are measured and judged.

pub mod allocator;
pub mod figure;
pub mod samples;
