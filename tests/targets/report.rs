//! What `wasm32.rs` prints of a script, on this machine: both must say the same.

use wasmlark::Sandbox;

fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).ok_or_else(|| std::io::Error::other("usage: report SCRIPT"))?;
    let script = std::fs::read_to_string(path)?;
    let report = Sandbox::new().report("main.star", &script);
    print!("{}", report.output);
    match report.result {
        Ok(value) => println!("value: {value}"),
        Err(error) => println!("error: {error}"),
    }
    println!("stats: {:?}", report.stats);
    Ok(())
}
