//! An application with plugins that call its functions and are replaced while it runs.
//!
//! `cargo run --example plugins`

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use wasmlark::{Caller, Error, ErrorKind, Limits, Sandbox, Session};

#[derive(Serialize)]
struct Event<'a> {
    name: &'a str,
    text: &'a str,
}

/// Plugins by name, and the parts of the application that they may use.
struct Plugins {
    sandbox: Sandbox,
    loaded: BTreeMap<String, Session>,
    log: Arc<Mutex<Vec<String>>>,
}

fn push(log: &Mutex<Vec<String>>, line: String) -> Result<(), Error> {
    log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    Ok(())
}

impl Plugins {
    fn new() -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let store = Mutex::new(BTreeMap::new());
        let mut sandbox = Sandbox::new().limits(Limits::new().fuel(10_000_000).ticks(1_000_000).memory(8 << 20));
        let (lines, guest_lines) = (log.clone(), log.clone());
        sandbox.function("log", move |line: String| push(&lines, line)).doc("Writes a line to the log.");
        sandbox
            .function("count", move |key: String, by: Option<i64>| {
                let mut store = store.lock().map_err(|_| Error::host("the store is broken"))?;
                let count = store.entry(key).or_insert(0);
                *count += by.unwrap_or(1);
                Ok::<i64, Error>(*count)
            })
            .params(["key", "by"])
            .doc("Adds to a counter that outlives the plugin, and returns it.");
        // The same function for guests, with no script in between: they pass a pointer.
        sandbox.import("app", "log", move |caller: &mut Caller<'_>, ptr: u32, len: u32| {
            push(&guest_lines, caller.memory()?.read_str(ptr, len)?.to_owned())
        });
        Self { sandbox, loaded: BTreeMap::new(), log }
    }

    /// Loads a plugin, or a new version of it. A version that fails to load does not replace the previous one.
    fn load(&mut self, name: &str, text: &str) -> Result<(), Error> {
        let session = self.sandbox.load(name, text)?;
        self.loaded.insert(name.to_owned(), session);
        Ok(())
    }

    /// Passes an event to all plugins, and removes those that fail.
    fn emit(&mut self, event: &Event<'_>) {
        let mut failed = Vec::new();
        for (name, session) in &mut self.loaded {
            if let Err(error) = session.call::<()>("on_event", (event,)) {
                failed.push((name.clone(), error));
            }
        }
        for (name, error) in failed {
            self.loaded.remove(&name);
            self.log
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(format!("{name} was removed: {}", error.message()));
        }
    }
}

const COUNTER: &str = "
def on_event(event):
    log('%s number %d' % (event['name'], count(event['name'])))
";

const SHOUT: &str = r#"
guest = wasm.instantiate(wasm.wat('''(module
    (import "app" "log" (func $log (param i32 i32)))
    (memory (export "memory") 1)
    (func (export "shout") (param $len i32)
        (i32.store8 (local.get $len) (i32.const 33))
        (call $log (i32.const 0) (i32.add (local.get $len) (i32.const 1)))))'''))

def on_event(event):
    guest.memory.write_string(0, event["text"].upper())
    guest.exports.shout(len(event["text"]))
"#;

/// Runs the example, and checks what it logs.
pub fn main() -> Result<(), Error> {
    let mut plugins = Plugins::new();
    plugins.load("counter.star", COUNTER)?;
    plugins.load("shout.star", SHOUT)?;
    plugins.emit(&Event { name: "start", text: "hello" });

    // A broken new version is refused, and the old one stays in use.
    let broken = plugins.load("counter.star", "def on_event(event) log(1)");
    assert!(broken.is_err_and(|error| error.kind() == ErrorKind::Script));
    plugins.load("counter.star", &COUNTER.replace("number", "no."))?;
    plugins.emit(&Event { name: "start", text: "again" });

    // A plugin that runs too long, or uses the application wrongly, is removed.
    plugins.load("wrong.star", "def on_event(event): count(1)")?;
    plugins.load("spin.star", "def on_event(event):\n    for _ in range(1 << 30): pass")?;
    plugins.emit(&Event { name: "stop", text: "bye" });
    let log = plugins.log.lock().map_err(|_| Error::host("the log is broken"))?.join("\n");
    println!("{log}");
    assert_eq!(log, EXPECTED);
    Ok(())
}

const EXPECTED: &str = "start number 1\nHELLO!\nstart no. 2\nAGAIN!\nstop no. 1\nBYE!
spin.star was removed: the sandbox's limit `ticks` is reached: 1000000\nwrong.star was removed: count: argument `key` must be str, not int";
