//! `wasmlark inspect`.
use crate::args;
pub fn run(_options: args::Inspect) -> u8 { 2 }
