//! The part of the harness that may crash. It runs modules one after the other and reports what it does on its output,
//! so that its parent knows which one it was running.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::case::{Case, Generator};
use crate::compare::{Outcome, compare, headline};
use crate::engine::{Engine, Ours, Raw, Wasmi1, Wasmtime, repaired};

/// If a module takes longer, it hangs, and the worker ends.
const PATIENCE: u64 = 60;
/// Both engines recurse on the native stack.
const STACK: usize = 256 << 20;

/// What a worker must do.
#[derive(Debug, Clone)]
pub struct Work {
    pub generator: Generator,
    pub first: u64,
    pub stride: u64,
    /// The number of modules; it ends earlier when the time is over.
    pub count: u64,
    pub seconds: u64,
    pub pair: (String, String),
    /// A module to run instead of the generated one.
    pub file: Option<PathBuf>,
}

/// What a worker reports. Each message is a line.
#[derive(Debug)]
pub enum Message {
    Start(u64),
    Panic(String),
    Hang,
    Done(Report),
}

#[derive(Debug, Default)]
pub struct Report {
    pub seed: u64,
    pub calls: u64,
    pub rewritten: bool,
    pub status: Status,
    /// The class of the difference, or the reason.
    pub class: String,
    pub text: String,
    pub cut: Vec<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    #[default]
    Same,
    Skipped,
    Differs,
}

impl Message {
    fn write(&self) -> String {
        let escape = |text: &str| text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t");
        match self {
            Self::Start(seed) => format!("start\t{seed}"),
            Self::Panic(what) => format!("panic\t{}", escape(what)),
            Self::Hang => "hang".to_owned(),
            Self::Done(report) => {
                let status = match report.status {
                    Status::Same => "same",
                    Status::Skipped => "skipped",
                    Status::Differs => "differs",
                };
                let cut = report.cut.iter().map(|why| escape(why)).collect::<Vec<_>>().join("\t");
                let (class, text) = (escape(&report.class), escape(&report.text));
                let rewritten = u8::from(report.rewritten);
                format!("done\t{}\t{}\t{rewritten}\t{status}\t{class}\t{text}\t{cut}", report.seed, report.calls)
            }
        }
    }

    /// Parses a line; `None` if it does not come from the worker.
    pub fn read(line: &str) -> Option<Self> {
        let unescape = |text: &str| text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\");
        let mut parts = line.split('\t');
        Some(match parts.next()? {
            "start" => Self::Start(parts.next()?.parse().ok()?),
            "panic" => Self::Panic(unescape(parts.next()?)),
            "hang" => Self::Hang,
            "done" => Self::Done(Report {
                seed: parts.next()?.parse().ok()?,
                calls: parts.next()?.parse().ok()?,
                rewritten: parts.next()? == "1",
                status: match parts.next()? {
                    "same" => Status::Same,
                    "skipped" => Status::Skipped,
                    _ => Status::Differs,
                },
                class: unescape(parts.next()?),
                text: unescape(parts.next()?),
                cut: parts.filter(|why| !why.is_empty()).map(unescape).collect(),
            }),
            _ => return None,
        })
    }
}

/// Does the work, in a thread with enough stack.
pub fn run(work: Work) -> Result<()> {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|place| {
            // Two folders and the file identify the crate on any machine.
            let parts: Vec<_> = place.file().rsplit(['/', '\\']).take(4).collect();
            let file = parts.into_iter().rev().collect::<Vec<_>>().join("/");
            format!("{file}:{}", place.line())
        });
        let what = info.payload_as_str().unwrap_or("?");
        say(&Message::Panic(format!("{what} at {}", place.unwrap_or_default())));
    }));
    let seen = AtomicU64::new(0);
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || work.each(&seen))?;
        let mut last = (0, Instant::now());
        while !worker.is_finished() {
            thread::park_timeout(Duration::from_millis(if work.count == 1 { 2 } else { 50 }));
            let now = seen.load(Ordering::Relaxed);
            if now != last.0 {
                last = (now, Instant::now());
            } else if last.1.elapsed().as_secs() > PATIENCE {
                say(&Message::Hang);
                std::process::abort();
            }
        }
        // The panic has already been reported.
        worker.join().unwrap_or_else(|_| std::process::exit(101))
    })
}

impl Work {
    fn each(&self, seen: &AtomicU64) -> Result<()> {
        let (left, right) = (engine(&self.pair.0)?, engine(&self.pair.1)?);
        let end = Instant::now() + Duration::from_secs(self.seconds);
        for number in 0..self.count {
            if Instant::now() > end {
                break;
            }
            let seed = self.first.wrapping_add(number.wrapping_mul(self.stride));
            say(&Message::Start(seed));
            say(&Message::Done(self.one(seed, &*left, &*right)?));
            seen.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn one(&self, seed: u64, left: &dyn Engine, right: &dyn Engine) -> Result<Report> {
        let case = match &self.file {
            Some(file) => Case::new(seed, wat::parse_file(file)?),
            None => Case::generate(self.generator, seed),
        };
        let case = match case {
            Ok(case) => case,
            Err(error) if self.file.is_none() => {
                let class = format!("not generated: {}", headline(&error.to_string()));
                return Ok(Report { seed, status: Status::Skipped, class, ..Report::default() });
            }
            Err(error) => return Err(error),
        };
        let verdict = compare(left, right, &case);
        let (status, class, text) = match verdict.outcome {
            Outcome::Same => (Status::Same, String::new(), String::new()),
            Outcome::Skipped(why) => (Status::Skipped, why, String::new()),
            // A module that wasmi accepts only before rewriting was rewritten wrongly.
            Outcome::Rejected { by: "ours", why } if Raw.start(&case).is_ok() => {
                (Status::Differs, format!("rewritten to what is rejected: {}", headline(&why)), why)
            }
            Outcome::Rejected { by, why } => {
                (Status::Skipped, format!("rejected by {by} alone: {}", headline(&why)), why)
            }
            Outcome::Differs { class, text } => (Status::Differs, class, text),
        };
        let rewritten = matches!(repaired(&case.bytes), Ok(Cow::Owned(_)));
        Ok(Report { seed, calls: verdict.calls, rewritten, status, class, text, cut: verdict.cut })
    }
}

fn say(message: &Message) {
    let mut out = io::stdout().lock();
    // A parent that has ended needs no answer.
    if writeln!(out, "{}", message.write()).and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

/// Returns the engine of a name.
pub fn engine(name: &str) -> Result<Box<dyn Engine>> {
    Ok(match name {
        "ours" => Box::new(Ours::default()),
        "ours-with-another-host" => Box::new(Ours { salt: 1 }),
        "raw" => Box::new(Raw),
        "wasmi1" => Box::new(Wasmi1),
        "wasmtime" => Box::new(Wasmtime::default()),
        _ => bail!("no engine {name}"),
    })
}
