//! An application without its own evaluator runs a policy script, with limits, that calls a module.
//!
//! `cargo run --example sandbox`

use wasmlark::{ErrorKind, Limits, Sandbox};

const MODULE: &str = r#"
    (module
      (func (export "score") (param $size i32) (param $age i32) (result i32)
        (i32.sub (i32.mul (local.get $size) (i32.const 2)) (local.get $age))))
"#;

const POLICY: &str = r#"
module = wasm.Module("score.wat")

def decide(size, age):
    score = wasm.instantiate(module).exports.score(size, age)
    return "keep" if score > 0 else "drop"

print(decide(10, 5), decide(1, 30))
decide(int(argv[0]), int(argv[1]))
"#;

fn main() -> Result<(), wasmlark::Error> {
    let mut sandbox = Sandbox::new().limits(Limits::new().fuel(1_000_000).memory(16 << 20)).args(["7", "3"]);
    sandbox.file("score.wat", MODULE);

    let run = sandbox.run("policy.star", POLICY)?;
    print!("{}", run.output);
    println!("{} ({:?} fuel)", run.value, run.stats.fuel);

    // The error of a script has a place and a kind.
    match sandbox.run("typo.star", "wasm.instantiate('scores.wat')") {
        Err(error) if error.kind() == ErrorKind::Load => println!("{error}"),
        other => println!("expected a module that is not there, got {other:?}"),
    }
    Ok(())
}
