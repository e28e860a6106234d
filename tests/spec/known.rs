//! Known failures of the engine, and what it does not support: `known.txt`, compared with the results.
//!
//! Each cause has a line of its own. Below it, indented, are the files with directives that fail
//! because of it, and the lines of these. Under a cause that begins with `needs`, directives are
//! skipped, and the number after a file counts them. All of it is checked both ways: what fails or
//! is skipped must be listed, and what is listed must fail or be skipped.

use std::collections::BTreeMap;

pub(crate) const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/spec/known.txt");
const TEXT: &str = include_str!("known.txt");

/// Entries by cause and file.
type Entries<T> = BTreeMap<(String, String), T>;

pub(crate) struct Known {
    /// In the order of the file.
    causes: Vec<&'static str>,
    failed: Entries<Vec<usize>>,
    skipped: Entries<usize>,
}

/// Results: failures with their lines, and numbers of skipped directives.
#[derive(Default)]
pub(crate) struct Found {
    failed: Vec<(String, usize, String)>,
    skipped: Entries<usize>,
}

impl Found {
    pub(crate) fn failed(&mut self, path: &str, line: usize, why: &str) {
        self.failed.push((path.to_owned(), line, why.to_owned()));
    }

    pub(crate) fn skipped(&mut self, path: &str, why: &str) {
        if why.starts_with("needs ") {
            *self.skipped.entry((why.to_owned(), path.to_owned())).or_default() += 1;
        }
    }
}

impl Known {
    pub(crate) fn read() -> Self {
        let mut known = Self { causes: Vec::new(), failed: BTreeMap::new(), skipped: BTreeMap::new() };
        for text in TEXT.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
            if !text.starts_with(' ') {
                known.causes.push(text);
                continue;
            }
            let cause = *known.causes.last().expect("known.txt begins with a cause");
            let (path, numbers) = text.trim().split_once(' ').expect("a file and numbers");
            let key = (cause.to_owned(), path.to_owned());
            let mut numbers = numbers.split(' ').map(|n| n.parse().expect("a number"));
            if cause.starts_with("needs ") {
                known.skipped.insert(key, numbers.next().unwrap_or(0));
            } else {
                known.failed.insert(key, numbers.collect());
            }
        }
        known
    }

    pub(crate) fn cause(&self, path: &str, line: usize) -> Option<&str> {
        let has = |((_, p), lines): &(&(String, String), &Vec<usize>)| p == path && lines.contains(&line);
        self.failed.iter().find(has).map(|((cause, _), _)| cause.as_str())
    }

    /// Returns where the list and the results of a file differ, except for failures that are not listed.
    pub(crate) fn disagreements(&self, path: &str, found: &Found) -> Vec<String> {
        let mut problems = Vec::new();
        for ((_, _), lines) in self.failed.iter().filter(|((_, p), _)| p == path) {
            let passes = |line: &&usize| !found.failed.iter().any(|(p, l, _)| p == path && l == *line);
            problems.extend(
                lines
                    .iter()
                    .filter(passes)
                    .map(|l| format!("{path}:{l}: passes, but is listed in tests/spec/known.txt")),
            );
        }
        let counts = |entries: &Entries<usize>| -> BTreeMap<String, usize> {
            entries.iter().filter(|((_, p), _)| p == path).map(|((why, _), n)| (why.clone(), *n)).collect()
        };
        let (listed, skipped) = (counts(&self.skipped), counts(&found.skipped));
        if listed != skipped {
            problems.push(format!("{path}: skips {skipped:?}, but tests/spec/known.txt lists {listed:?}"));
        }
        problems
    }

    /// Returns `known.txt` for these results. A failure without a cause goes below its message, which a person must replace.
    pub(crate) fn updated(&self, found: &Found) -> String {
        let mut sections: Vec<(String, BTreeMap<&str, Vec<usize>>)> =
            self.causes.iter().map(|c| ((*c).to_owned(), BTreeMap::new())).collect();
        let mut add = |cause: &str, path, number| {
            let index = sections.iter().position(|(c, _)| c == cause).unwrap_or_else(|| {
                sections.push((cause.to_owned(), BTreeMap::new()));
                sections.len() - 1
            });
            let numbers: &mut Vec<usize> = sections[index].1.entry(path).or_default();
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        };
        for (path, line, why) in &found.failed {
            match self.cause(path, *line) {
                Some(cause) => add(cause, path, *line),
                None => add(&format!("TODO {}", why.lines().next().unwrap_or_default()), path, *line),
            }
        }
        for ((why, path), count) in &found.skipped {
            add(why, path, *count);
        }
        let mut out = TEXT.lines().take_while(|l| l.starts_with('#')).map(|l| format!("{l}\n")).collect::<String>();
        for (cause, files) in sections.iter().filter(|(_, files)| !files.is_empty()) {
            out.push_str(&format!("\n{cause}\n"));
            for (path, numbers) in files {
                let numbers = numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
                out.push_str(&format!("    {path} {numbers}\n"));
            }
        }
        out
    }
}
