//! An asynchronous application: a script runs on a thread for blocking work, and stops when nobody waits for it any more.
//!
//! `cargo run --example tokio`

use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use wasmlark::{Error, ErrorKind, Interrupt, Program, Sandbox, Value};

const SCRIPT: &str = r#"
def square(n):
    return n * n

def forever():
    for _ in range(1000000000):
        wait()
"#;

/// Interrupts when it is dropped, which is when its future is.
struct StopOnDrop(Interrupt);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.now();
    }
}

/// Calls a function of a session of its own. To drop the future is to interrupt the call.
async fn call(program: Program, name: &'static str, args: Vec<Value>) -> Result<Value, Error> {
    let panicked = |_| Error::host("the script's thread panicked");
    // To start a session runs the script's own statements: blocking work, too.
    let mut session = spawn_blocking(move || program.session()).await.map_err(panicked)??;
    let _stop = StopOnDrop(session.interrupt());
    spawn_blocking(move || {
        let result = session.call_values(name, &args);
        if let Err(error) = &result
            && error.kind() == ErrorKind::Interrupted
        {
            println!("{name} is interrupted");
        }
        result
    })
    .await
    .map_err(panicked)?
}

/// Runs the example, and checks that nothing runs on.
pub fn main() -> Result<(), Error> {
    let mut sandbox = Sandbox::new();
    // Waits between two rounds of the loop, as a function that asks a database would.
    sandbox.function("wait", || -> Result<(), Error> {
        std::thread::sleep(Duration::from_micros(1));
        Ok(())
    });
    let program = sandbox.program("main.star", SCRIPT)?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build().map_err(Error::host)?;
    runtime.block_on(async {
        let squares: Vec<_> =
            (0..20).map(|n: i64| tokio::spawn(call(program.clone(), "square", vec![n.into()]))).collect();
        for (n, square) in (0_i64..).zip(squares) {
            assert_eq!(square.await.map_err(Error::host)??, Value::from(n * n));
        }
        // The time is over, the future is dropped, the call is interrupted.
        let late = timeout(Duration::from_millis(50), call(program, "forever", vec![])).await;
        assert!(late.is_err());
        Ok(())
    })
    // The runtime waits for its threads here: one that ran on would never let it end.
}
