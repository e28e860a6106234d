//! Saves an isolated session, or goes on with one that was saved: the same on every target.
//!
//! `mover save FILE`, `mover go-on FILE`.

use std::io;

use wasmlark::{Error, Sandbox, Session, Value};

const SCRIPT: &str = r#"
guest = wasm.instantiate(wasm.wat('''(module (memory (export "memory") 1)
    (global $sum (mut f64) (f64.const 0.1))
    (func (export "add") (param f64) (result f64)
        (global.set $sum (f64.mul (f64.sqrt (local.get 0)) (f64.add (global.get $sum) (local.get 0))))
        (f64.store (i32.const 8) (global.get $sum))
        (f64.load (i32.const 8))))''')).exports
seen = {}
def see(name, number):
    seen[name] = (guest.add(number), 3 << (40 * len(seen) + 40), ask(name))
    return json.encode(sorted(seen)), str(seen)
"#;

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match &args[..] {
        [action, file] if action == "save" => save(file),
        [action, file] if action == "go-on" => go_on(file),
        _ => return Err(io::Error::other("usage: mover save FILE, or mover go-on FILE")),
    };
    outcome.map_err(io::Error::other)
}

fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new().isolated(true);
    sandbox.function("ask", |name: &str| Ok::<_, Error>(name.len()));
    sandbox
}

fn save(file: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut session = sandbox().load("main.star", SCRIPT)?;
    see(&mut session, "ann", 2.0)?;
    Ok(std::fs::write(file, session.save()?)?)
}

fn go_on(file: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut session = sandbox().restore(&std::fs::read(file)?)?;
    for (name, number) in [("bob", 1e300), ("eve", 0.1), ("é", -1.0)] {
        println!("{}", see(&mut session, name, number)?);
        println!("{:?}", session.stats());
    }
    Ok(())
}

fn see(session: &mut Session, name: &str, number: f64) -> Result<Value, Error> {
    session.call_values("see", &[name.into(), number.into()])
}
