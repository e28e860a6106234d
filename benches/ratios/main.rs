//! What this crate costs, as ratios: each figure is our time divided by that of wasmi, starlark or plain Rust for the
//! same work. One run measures both in turns.
//!
//! ```text
//! cargo bench                         # all figures but those of real modules
//! cargo bench -- call memory          # the figures with one of these words in their names
//! cargo bench -- real                 # third-party modules: python3 examples/real/fetch.py
//! cargo bench --features isolated -- isolated      # isolated scripts: cargo run -p wasmlark-make-core
//! cargo bench -- --lines --runs 5     # NAME: RATIO (goal GOAL); a figure that misses its goal is repeated
//! cargo bench -- --table              # README's table; UPDATE=1 writes it there
//! ```
//!
//! It fails if a figure misses its goal in all of its runs. A stretch goal is not judged.
//!
//! `harness` measures and prints, and `figures` defines what is measured; `cargo test --test bench` tests both.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod figures;
mod harness;

use std::collections::BTreeMap;
use std::process::ExitCode;

use harness::options::{Format, Options, USAGE, is_wanted};
use harness::report::{Summary, line};
use harness::{Figure, allocator, figure, table};

fn main() -> ExitCode {
    let options = Options::parse(std::env::args().skip(1));
    if let Some(Options::Sample { process, .. }) = options {
        allocator::lay_out_as(process);
    }
    let figures = figures::all();
    match options {
        Some(Options::Run { words, format, runs }) => run(&figures, &words, format, runs),
        Some(Options::Sample { name, .. }) => {
            let figure = figures.iter().find(|figure| figure.name == name).unwrap();
            println!("{}", figure::show_outcome(&figure.sample()));
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run(figures: &[Figure], words: &[String], format: Format, runs: usize) -> ExitCode {
    let is_wanted = |figure: &&Figure| match format {
        Format::Table => figures::TABLE.iter().any(|row| row.figures.contains(&figure.name.as_str())),
        Format::Columns | Format::Lines => is_wanted(&figure.name, words),
    };
    let (mut summary, mut outcomes) = (Summary::default(), BTreeMap::new());
    for figure in figures.iter().filter(is_wanted) {
        let outcome = figure.measure(runs);
        println!("{}", line(figure, &outcome, format));
        summary.add(figure.goal, &outcome);
        outcomes.insert(figure.name.clone(), outcome);
    }
    if format == Format::Table {
        show_table(&table::render(figures::TABLE, figures, &outcomes), figures);
    }
    println!("{summary}");
    if summary.total() == 0 {
        eprintln!("no figure has a name with {}", words.join(" or "));
        return ExitCode::FAILURE;
    }
    if summary.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints README's table, or writes it there.
fn show_table(table: &str, figures: &[Figure]) {
    if std::env::var_os("UPDATE").is_none() {
        println!("\n{table}");
        return;
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let readme = table::replace(&readme, table).unwrap();
    let problems = table::problems(&readme, figures::TABLE, figures);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    std::fs::write(path, readme).unwrap();
    println!("README.md has the new table");
}
