//! What this crate costs, as ratios: each figure is our time divided by that of wasmi, of starlark or of
//! plain Rust for the same work, both measured in turns in one run.
//!
//! ```text
//! cargo bench                         # a table of all figures but those of real modules
//! cargo bench -- call memory          # the figures with one of these words in their name
//! cargo bench -- real                 # third-party modules: python3 examples/real/fetch.py
//! cargo bench -- --lines --runs 5     # NAME: RATIO (goal GOAL); a figure that misses is repeated
//! ```
//!
//! It fails if a figure misses its goal in all of its runs. One whose goal is a stretch is not judged.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod figures;
mod harness;

use std::process::ExitCode;

use figures::{call, compute, growth, host, memory, module, real, startup};
use harness::allocator;
use harness::figure::{self, Figure, SAMPLE};

struct Options {
    words: Vec<String>,
    lines: bool,
    runs: usize,
    /// The figure to measure in this very process.
    sample: Option<String>,
}

fn main() -> ExitCode {
    let process = std::env::args().skip_while(|arg| arg != SAMPLE).nth(1);
    allocator::lay_out_as(process.and_then(|index| index.parse().ok()).unwrap_or(0));
    let Some(options) = options(std::env::args().skip(1)) else {
        eprintln!("usage: cargo bench -- [--lines] [--runs N] [WORD …]");
        return ExitCode::from(2);
    };
    let groups = [
        call::figures(),
        host::figures(),
        memory::figures(),
        compute::figures(),
        growth::figures(),
        module::figures(),
        startup::figures(),
        real::figures(),
    ];
    if let Some(name) = options.sample {
        groups.iter().flatten().find(|figure| figure.name == name).unwrap().print_sample();
        return ExitCode::SUCCESS;
    }
    let is_wanted = |figure: &Figure| match options.words.as_slice() {
        [] => !figure.name.starts_with("real "),
        words => words.iter().any(|word| figure.name.contains(word)),
    };
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for figure in groups.iter().flatten().filter(|figure| is_wanted(figure)) {
        match figure.measure(options.runs) {
            Ok(value) => {
                show(figure, value, options.lines);
                match figure.goal.is_met(value.ratio()) {
                    _ if !figure.goal.is_judged() => {}
                    true => passed += 1,
                    false => failed += 1,
                }
            }
            Err(why) => {
                println!("{}: skipped: {why}", figure.name);
                skipped += 1;
            }
        }
    }
    println!("bench: {passed} passed, {failed} failed, {skipped} skipped");
    if passed + failed + skipped == 0 {
        eprintln!("no figure is named {}", options.words.join(" or "));
        return ExitCode::FAILURE;
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn options(args: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options { words: Vec::new(), lines: false, runs: 3, sample: None };
    let mut args = args;
    while let Some(arg) = args.next() {
        match arg.as_str() {
            // What cargo adds.
            "--bench" => {}
            "--lines" => options.lines = true,
            // Its number was read already.
            SAMPLE => options.sample = args.nth(1),
            "--runs" => options.runs = args.next()?.parse().ok().filter(|runs| *runs > 0)?,
            option if option.starts_with('-') => return None,
            word => options.words.push(word.to_owned()),
        }
    }
    Some(options)
}

fn show(figure: &Figure, value: figure::Value, lines: bool) {
    let (name, shown, goal) = (&figure.name, figure.show(value.ratio()), figure.shown_goal());
    if lines {
        println!("{name}: {shown} ({goal})");
        return;
    }
    let mark = if figure.goal.is_met(value.ratio()) { " " } else { "!" };
    println!("{mark} {name:46} {shown:>8}  {goal:13} {}({})", figure.shown_times(value), figure.against);
}
