//! Keeps workers busy, and knows which module a worker was running when it died.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::summary::Summary;
use crate::worker::{Message, Report, Status, Work};

/// Runs `jobs` workers, each with its share of the seeds.
pub fn run(work: &Work, jobs: u64, summary: &Mutex<Summary>) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(work.seconds);
    thread::scope(|scope| {
        let shares: Vec<_> = (0..jobs)
            .map(|job| {
                let share = Work {
                    first: work.first.wrapping_add(job),
                    stride: jobs,
                    count: (work.count + jobs - 1 - job) / jobs,
                    ..work.clone()
                };
                scope.spawn(move || {
                    keep(share, end, &mut |report| summary.lock().expect("no thread panicked").add(work, report))
                })
            })
            .collect();
        shares.into_iter().try_for_each(|share| share.join().expect("no thread panicked"))
    })
}

/// Runs one module in a worker of its own.
pub fn one(work: &Work) -> Result<Report> {
    let mut found = None;
    let work = Work { count: 1, stride: 1, ..work.clone() };
    keep(work, Instant::now() + Duration::from_secs(600), &mut |report| found = Some(report))?;
    found.context("the worker said nothing")
}

/// Keeps a worker busy until its share is done or the time is over.
fn keep(mut work: Work, end: Instant, each: &mut dyn FnMut(Report)) -> Result<()> {
    while work.count > 0 {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        work.seconds = left.as_secs() + 1;
        let mut child = command(&work)?.stdout(Stdio::piped()).spawn()?;
        let mut at = None;
        let mut said = None;
        let lines = BufReader::new(child.stdout.take().context("the output is piped")?).lines();
        for line in lines {
            match Message::read(&line?) {
                Some(Message::Start(seed)) => at = Some(seed),
                // The first one counts: the others are about what cannot continue after it.
                Some(Message::Panic(what)) => said = said.or(Some(format!("panic: {what}"))),
                Some(Message::Hang) => said = Some("it hangs".to_owned()),
                Some(Message::Done(report)) => {
                    work.first = report.seed.wrapping_add(work.stride);
                    work.count -= 1;
                    at = None;
                    each(report);
                }
                None => {}
            }
        }
        let status = child.wait()?;
        let Some(seed) = at else {
            anyhow::ensure!(status.success(), "a worker failed: {status}");
            break;
        };
        let class = said.unwrap_or_else(|| match status.signal() {
            Some(signal) => format!("crash: signal {signal}"),
            None => format!("crash: {status}"),
        });
        work.first = seed.wrapping_add(work.stride);
        work.count -= 1;
        each(Report { seed, status: Status::Differs, class, ..Report::default() });
    }
    Ok(())
}

fn command(work: &Work) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    let generator = clap::ValueEnum::to_possible_value(&work.generator).context("no generator is hidden")?;
    command.arg("--worker").arg("--generator").arg(generator.get_name());
    command.args(["--seed", &work.first.to_string(), "--stride", &work.stride.to_string()]);
    command.args(["--modules", &work.count.to_string(), "--seconds", &work.seconds.to_string()]);
    command.args(["--pair", &format!("{},{}", work.pair.0, work.pair.1)]);
    if let Some(file) = &work.file {
        command.arg("--file").arg(file);
    }
    Ok(command)
}
