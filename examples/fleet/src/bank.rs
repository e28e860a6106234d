//! The sandbox of all sessions, and what the application offers them: the rates of a bank.

use wasmlark::{Error, Limits, Sandbox};

const SCRIPT: &str = include_str!("../ledger.star");
const MODULE: &str = include_str!("../ledger.wat");

/// What one call may cost: that bounds how long it takes, and so how long a lease must be.
const COST: u64 = 1_000_000_000;

/// Returns the sandbox in which sessions begin, and in which they go on. `asked` runs whenever a script asks for a rate,
/// in the middle of its call.
pub fn sandbox(asked: impl Fn() -> Result<(), Error> + Send + Sync + 'static) -> Sandbox {
    let mut sandbox = Sandbox::new().isolated(true).limits(Limits::new().heap(32 << 20).memory(1 << 20).cost(COST));
    sandbox.function("rate", move |currency: &str| {
        asked()?;
        // What depends on the time of day would differ when a call is made again: see README.md.
        match currency {
            "EUR" => Ok(1000),
            "CHF" => Ok(1042),
            "SEK" => Ok(91),
            other => Err(Error::host(format!("the bank has no rate for {other}"))),
        }
    });
    sandbox
}

/// Begins a session.
pub fn open() -> Result<wasmlark::Session, Error> {
    let mut sandbox = sandbox(|| Ok(()));
    sandbox.file("ledger.wat", MODULE);
    sandbox.load("ledger.star", SCRIPT)
}
