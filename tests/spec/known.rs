//! What the engine itself fails: `known.txt`, held against what failed.
//!
//! The file has a cause on a line of its own, and below it, indented, the directives that fail for
//! it, `folder/file.wast` and their lines. Both ways it must be true: a failure that is not listed
//! is an error, and so is a line that passes.

use std::collections::BTreeMap;

const TEXT: &str = include_str!("known.txt");

pub(crate) struct Known {
    /// In the order of the file.
    causes: Vec<&'static str>,
    /// The index of the cause, by path and line.
    entries: BTreeMap<(&'static str, usize), usize>,
}

impl Known {
    pub(crate) fn read() -> Self {
        let mut known = Self { causes: Vec::new(), entries: BTreeMap::new() };
        for text in TEXT.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
            if !text.starts_with(' ') {
                known.causes.push(text);
                continue;
            }
            let mut words = text.split_whitespace();
            let path = words.next().unwrap();
            let cause = known.causes.len().checked_sub(1).expect("known.txt begins with a cause");
            for line in words {
                let line = line.parse().unwrap_or_else(|_| panic!("known.txt: {path}: {line} is no line number"));
                known.entries.insert((path, line), cause);
            }
        }
        known
    }

    pub(crate) fn cause(&self, path: &str, line: usize) -> Option<&'static str> {
        let cause = self.entries.iter().find(|((p, l), _)| *p == path && *l == line)?.1;
        self.causes.get(*cause).copied()
    }

    /// The entries of files that ran, at whose lines nothing failed.
    pub(crate) fn stale(
        &self,
        failures: &[(String, usize, String)],
        ran: impl Fn(&str) -> bool,
    ) -> Vec<(&'static str, usize)> {
        let failed = |path: &str, line: usize| failures.iter().any(|(p, l, _)| p == path && *l == line);
        self.entries.keys().filter(|(path, line)| ran(path) && !failed(path, *line)).copied().collect()
    }

    /// The file as it would have to be: known causes keep their entries, and what failed besides goes
    /// below what it failed with, for a person to replace by the cause.
    pub(crate) fn updated(&self, failures: &[(String, usize, String)]) -> String {
        let mut sections: Vec<(String, BTreeMap<&str, Vec<usize>>)> =
            self.causes.iter().map(|c| ((*c).to_owned(), BTreeMap::new())).collect();
        for (path, line, why) in failures {
            let cause = match self.cause(path, *line) {
                Some(cause) => cause.to_owned(),
                None => format!("TODO {}", why.lines().next().unwrap_or_default()),
            };
            let index = sections.iter().position(|(c, _)| *c == cause).unwrap_or_else(|| {
                sections.push((cause, BTreeMap::new()));
                sections.len() - 1
            });
            sections[index].1.entry(path).or_default().push(*line);
        }
        let mut out = TEXT.lines().take_while(|l| l.starts_with('#')).map(|l| format!("{l}\n")).collect::<String>();
        for (cause, files) in sections.iter().filter(|(_, files)| !files.is_empty()) {
            out.push_str(&format!("\n{cause}\n"));
            for (path, lines) in files {
                let mut lines = lines.clone();
                lines.dedup();
                let lines = lines.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
                out.push_str(&format!("    {path} {lines}\n"));
            }
        }
        out
    }
}
