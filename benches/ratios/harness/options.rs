//! The command line.

pub const USAGE: &str = "usage: cargo bench -- [--lines] [--table] [--runs N] [WORD …]";

/// The argument with which this program starts itself, followed by an index and a name, to measure a figure in a
/// process of its own.
pub const SAMPLE: &str = "--sample";

#[derive(Debug, PartialEq, Eq)]
pub enum Options {
    /// Measure the requested figures.
    Run {
        words: Vec<String>,
        format: Format,
        /// The maximum number of times that a figure is measured while it misses its goal.
        runs: usize,
    },
    /// Measure the figure of this name in this process.
    Sample { process: usize, name: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns, with times and what a figure is compared with.
    Columns,
    /// `NAME: FIGURE (goal GOAL)`.
    Lines,
    /// README's table, of only its figures.
    Table,
}

impl Options {
    /// Parses the arguments; `None` if they are wrong.
    pub fn parse(args: impl IntoIterator<Item = String>) -> Option<Self> {
        let (mut words, mut format, mut runs) = (Vec::new(), Format::Columns, 3);
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                // Added by cargo.
                "--bench" => {}
                "--lines" => format = Format::Lines,
                "--table" => format = Format::Table,
                "--runs" => runs = args.next()?.parse().ok().filter(|runs| *runs > 0)?,
                SAMPLE => return Some(Self::Sample { process: args.next()?.parse().ok()?, name: args.next()? }),
                option if option.starts_with('-') => return None,
                _ => words.push(arg),
            }
        }
        // Part of the table would leave the rest without figures.
        (format != Format::Table || words.is_empty()).then_some(Self::Run { words, format, runs })
    }
}

/// Returns whether a figure is requested: its name contains one of the words. Real modules, which take long, must be named.
pub fn is_wanted(name: &str, words: &[String]) -> bool {
    match words {
        [] => !name.starts_with("real "),
        words => words.iter().any(|word| name.contains(word.as_str())),
    }
}
