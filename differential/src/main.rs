//! `wasmlark-differential`: see `--help`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use clap::Parser;
use wasmlark_differential::case::{Case, Generator};
use wasmlark_differential::compare::transcript;
use wasmlark_differential::engine::Wasmtime;
use wasmlark_differential::parent;
use wasmlark_differential::shrink::shrink;
use wasmlark_differential::summary::Summary;
use wasmlark_differential::worker::{self, Status, Work};

/// The number of calls of a module that are shown.
const SHOWN: usize = 6;

/// Runs random modules in wasmlark's engine and in wasmtime, and compares the results.
#[derive(Parser)]
struct Args {
    /// Ends after this many seconds; 60 if no number of modules is given.
    #[arg(long)]
    seconds: Option<u64>,
    /// Ends after this many modules.
    #[arg(long)]
    modules: Option<u64>,
    /// The first module's seed; the others follow it. Taken from the clock if not given.
    #[arg(long)]
    seed: Option<u64>,
    #[arg(long, value_enum, default_value = "both")]
    generator: Generator,
    /// Runs wasmi without the rewriting, so that the known faults must be found.
    #[arg(long)]
    raw: bool,
    /// Runs the module of one seed, prints it, and shows what each engine does with it.
    #[arg(long, value_name = "SEED")]
    one: Option<u64>,
    /// Reduces that module.
    #[arg(long, requires = "one")]
    shrink: bool,
    /// Writes modules that differ to a folder.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Reads a module from a file instead of generating one.
    #[arg(long)]
    file: Option<PathBuf>,
    /// The number of processes that run modules.
    #[arg(long)]
    jobs: Option<u64>,
    /// The two engines to compare, out of: ours, raw, wasmi1, wasmtime.
    #[arg(long)]
    pair: Option<String>,
    #[arg(long, hide = true)]
    worker: bool,
    #[arg(long, hide = true, default_value = "1")]
    stride: u64,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<bool> {
    let clock =
        || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos() as u64 % 1_000_000_000_000);
    let pair = args.pair.as_deref().unwrap_or(if args.raw { "raw,wasmtime" } else { "ours,wasmtime" });
    let (left, right) = pair.split_once(',').context("--pair takes two names with a comma between them")?;
    let work = Work {
        generator: args.generator,
        first: args.one.or(args.seed).unwrap_or_else(clock),
        stride: args.stride,
        count: args.modules.unwrap_or(u64::MAX / 2),
        seconds: args.seconds.unwrap_or(if args.modules.is_some() { u64::from(u32::MAX) } else { 60 }),
        pair: (left.to_owned(), right.to_owned()),
        file: args.file.clone(),
    };
    if args.worker {
        worker::run(work)?;
        return Ok(true);
    }
    if args.one.is_some() {
        return one(args, &work);
    }
    println!("seed: {}", work.first);
    let jobs = args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get() as u64));
    let summary = Mutex::new(Summary::new(args.keep.clone()));
    parent::run(&work, jobs, &summary)?;
    let summary = summary.into_inner().expect("no thread panicked");
    println!("{summary}");
    Ok(summary.failed == 0)
}

/// Explains one module.
fn one(args: &Args, work: &Work) -> Result<bool> {
    let mut case = match &args.file {
        Some(file) => Case::new(work.first, wat::parse_file(file)?)?,
        None => Case::generate(work.generator, work.first)?,
    };
    let mut work = work.clone();
    if args.shrink {
        let report = parent::one(&work)?;
        if report.status == Status::Differs {
            let folder = args.keep.clone().unwrap_or_else(std::env::temp_dir);
            std::fs::create_dir_all(&folder)?;
            let file = folder.join(format!("{}-reduced.wasm", work.first));
            let scratch = folder.join(format!("{}-{}.tmp", work.first, std::process::id()));
            case = Case::new(work.first, shrink(&work, &case, &report.class, &scratch)?)?;
            std::fs::remove_file(scratch)?;
            std::fs::write(&file, &case.bytes)?;
            println!(";; {}", file.display());
            work.file = Some(file);
        }
    }
    println!("{}", wasmprinter::print_bytes(&case.bytes)?);
    print!("{}", transcript(&Wasmtime::default(), &case, SHOWN));
    let mut same = true;
    for name in ["ours", "raw", "wasmi1"] {
        let report = parent::one(&Work { pair: (name.to_owned(), "wasmtime".to_owned()), ..work.clone() })?;
        let status = match report.status {
            Status::Same => "the same",
            Status::Skipped => "skipped: ",
            Status::Differs => "differs: ",
        };
        println!("{name}: {status}{} after {} calls\n{}", report.class, report.calls, report.text);
        same &= name != work.pair.0 || report.status != Status::Differs;
    }
    Ok(same)
}
