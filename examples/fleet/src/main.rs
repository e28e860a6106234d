//! Several processes share sessions: each takes one from a queue in Redis, answers a call, and puts it back saved. See
//! `README.md`.
//!
//! ```sh
//! fleet worker NAME [--lease MILLISECONDS] [--hold]
//! fleet submit JOBS
//! fleet alone JOBS
//! ```
//!
//! The variable `FLEET_REDIS` has the server's address: `redis://127.0.0.1/` if it is not set.

mod alone;
mod bank;
mod job;
mod queue;
mod submit;
mod worker;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use queue::Queue;

const USAGE: &str = "usage: fleet worker NAME [--lease MILLISECONDS] [--hold], fleet submit JOBS, or fleet alone JOBS";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fleet: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<(), Box<dyn Error>> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["worker", name, options @ ..] => {
            let (mut lease, mut holds) = (Duration::from_secs(30), false);
            let mut options = options.iter();
            while let Some(option) = options.next() {
                match *option {
                    "--lease" => lease = Duration::from_millis(options.next().ok_or(USAGE)?.parse()?),
                    "--hold" => holds = true,
                    _ => return Err(USAGE.into()),
                }
            }
            worker::work(&mut Queue::open(&address())?, name, lease, holds)
        }
        ["submit", jobs] => submit::submit(&mut Queue::open(&address())?, &job::read(jobs)?),
        ["alone", jobs] => alone::answer(&job::read(jobs)?),
        _ => Err(USAGE.into()),
    }
}

fn address() -> String {
    std::env::var("FLEET_REDIS").unwrap_or_else(|_| "redis://127.0.0.1/".to_owned())
}
