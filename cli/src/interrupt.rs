//! Ends a run from outside: Ctrl-C and `--timeout`.
//!
//! Both ask the library to stop, which ends a script or guest at its next pause and reports where that was. Some guests do
//! not pause: a start function, or one that waits for input. A little later the process ends, and they with it; then no
//! place is reported.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use wasmlark::{Interrupt, Limit, Limits};

use crate::exit;

/// The time that a run has to end by itself and to print the reason.
const GRACE: Duration = Duration::from_millis(300);

/// Whether the run is over. What follows it, such as writing files back, is not cut short.
static IS_OVER: AtomicBool = AtomicBool::new(false);

/// Returns whether guests should pause to be interrupted. If fuel is counted anyway, that costs next to nothing.
pub fn should_pause(limits: &Limits, timeout: Option<Duration>) -> bool {
    timeout.is_some() || limits.get(Limit::Fuel).is_some()
}

/// Ends `run` when a person presses Ctrl-C or the time is up.
pub fn watch(run: Interrupt, timeout: Option<Duration>) {
    if let Some(timeout) = timeout {
        run.after(timeout);
        thread::spawn(move || {
            thread::sleep(timeout.saturating_add(GRACE));
            let message =
                format!("the timeout of {timeout:?} has passed; that depends on the clock, so it is not repeatable");
            end(&message, exit::LIMIT);
        });
    }
    // If no handler can be set, Ctrl-C ends the process at once.
    let _ = ctrlc::set_handler(move || {
        run.now();
        thread::sleep(GRACE);
        end("interrupted", exit::INTERRUPTED);
    });
}

/// Notes that the run is over.
pub fn is_over() {
    IS_OVER.store(true, Ordering::Relaxed);
}

/// Ends the process, unless the run is over.
fn end(message: &str, status: u8) {
    if !IS_OVER.load(Ordering::Relaxed) {
        eprintln!("error: {message}");
        std::process::exit(status.into());
    }
}

/// Reads a duration: a number with a unit, `ms`, `s`, `m` or `h`, as in `500ms` or `1.5s`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("expected a number with one of the units ms, s, m and h, such as 1.5s, got `{text}`")),
    };
    let number: Option<f64> = number.parse().ok().filter(|number: &f64| *number >= 0.0);
    let duration = number.and_then(|number| Duration::try_from_secs_f64(number * seconds).ok());
    duration.ok_or_else(|| format!("`{text}` is not a duration, such as 500ms, 1.5s or 2m"))
}
