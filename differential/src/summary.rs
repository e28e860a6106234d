//! The results of all modules.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

use crate::case::Case;
use crate::parent;
use crate::worker::{Report, Status, Work};

/// The number of differences of each class that are explained.
const EXPLAINED: usize = 4;

/// Counts of modules by their result.
pub struct Summary {
    keep: Option<PathBuf>,
    began: Instant,
    pub calls: u64,
    pub rewritten: u64,
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
    /// Seeds by class.
    pub differences: BTreeMap<String, Vec<u64>>,
    reasons: BTreeMap<String, u64>,
    cut: BTreeMap<String, u64>,
}

impl Summary {
    pub fn new(keep: Option<PathBuf>) -> Self {
        Self {
            keep,
            began: Instant::now(),
            calls: 0,
            rewritten: 0,
            passed: 0,
            failed: 0,
            skipped: 0,
            differences: BTreeMap::new(),
            reasons: BTreeMap::new(),
            cut: BTreeMap::new(),
        }
    }

    /// Counts a module, and reports at once if it differs.
    pub fn add(&mut self, work: &Work, report: Report) {
        self.calls += report.calls;
        self.rewritten += u64::from(report.rewritten);
        for why in report.cut {
            *self.cut.entry(why).or_default() += 1;
        }
        match report.status {
            Status::Same => self.passed += 1,
            Status::Skipped => {
                self.skipped += 1;
                *self.reasons.entry(report.class).or_default() += 1;
            }
            Status::Differs => {
                self.failed += 1;
                let seeds = self.differences.entry(report.class.clone()).or_default();
                seeds.push(report.seed);
                if seeds.len() <= EXPLAINED {
                    println!("seed {}: {}\n{}", report.seed, report.class, indented(&report.text));
                    println!("    {}", blame(work, report.seed));
                    if let Some(error) = self.write(work, report.seed).err() {
                        println!("    not kept: {error:#}");
                    }
                }
            }
        }
    }

    fn write(&self, work: &Work, seed: u64) -> anyhow::Result<()> {
        let Some(folder) = &self.keep else { return Ok(()) };
        let case = Case::generate(work.generator, seed)?;
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join(format!("{seed}.wasm")), &case.bytes)?;
        std::fs::write(folder.join(format!("{seed}.wat")), wasmprinter::print_bytes(&case.bytes)?)?;
        Ok(())
    }
}

/// Returns whether each other engine differs from the independent one on the same module.
fn blame(work: &Work, seed: u64) -> String {
    let said: Vec<_> = ["raw", "wasmi1"]
        .into_iter()
        .map(|name| {
            let pair = (name.to_owned(), "wasmtime".to_owned());
            match parent::one(&Work { first: seed, pair, ..work.clone() }) {
                Ok(report) if report.status == Status::Differs => format!("{name}: {}", report.class),
                Ok(report) if report.status == Status::Skipped => format!("{name}: skipped, {}", report.class),
                Ok(_) => format!("{name}: agrees"),
                Err(error) => format!("{name}: {error:#}"),
            }
        })
        .collect();
    said.join("; ")
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| format!("    {}", line.chars().take(400).collect::<String>()));
    lines.collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modules = self.passed + self.failed + self.skipped;
        let seconds = self.began.elapsed().as_secs_f64();
        writeln!(f, "modules: {modules}, {} of them rewritten", self.rewritten)?;
        writeln!(f, "calls: {}, {:.0} a second", self.calls, self.calls as f64 / seconds)?;
        for (class, seeds) in &self.differences {
            let first: Vec<_> = seeds.iter().take(8).map(u64::to_string).collect();
            writeln!(f, "differs: {}: {class} (seeds {})", seeds.len(), first.join(", "))?;
        }
        for (why, count) in &self.reasons {
            writeln!(f, "skipped: {count}: {why}")?;
        }
        for (why, count) in &self.cut {
            writeln!(f, "calls left out: {count}: {why}")?;
        }
        write!(f, "differential: {} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}
