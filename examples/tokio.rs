//! An asynchronous application: a script runs on a thread for blocking work, and stops once no one waits for it.
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

/// Interrupts the call when it is dropped, which happens when the future is dropped.
struct StopOnDrop(Interrupt);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.now();
    }
}

/// Calls a function in a new session. Dropping the future interrupts the call.
async fn call(program: Program, name: &'static str, args: Vec<Value>) -> Result<Value, Error> {
    let panicked = |_| Error::host("the script's thread panicked");
    // Starting a session runs the script's own statements, which is blocking work too.
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

/// Runs the example, and checks that nothing keeps running.
pub fn main() -> Result<(), Error> {
    let mut sandbox = Sandbox::new();
    // Waits between two rounds of the loop, as a database query would.
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
        // The timeout drops the future, which interrupts the call.
        let late = timeout(Duration::from_millis(50), call(program, "forever", vec![])).await;
        assert!(late.is_err());
        Ok(())
    })
    // Here the runtime waits for its threads: if one kept running, this would never end.
}
