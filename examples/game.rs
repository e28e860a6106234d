//! A game. In each frame a script moves the world and a WebAssembly module does the physics, and neither takes more than
//! ten milliseconds, whatever a player's script does.
//!
//! `cargo run --example game`

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wasmlark::{CallLimits, Error, ErrorKind, Limits, Sandbox, Session};

#[derive(Serialize)]
struct Input {
    thrust: f64,
    frame: u32,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Default)]
struct Ship {
    height: f64,
    speed: f64,
}

const WORLD: &str = r#"
physics = wasm.instantiate("physics.wat").exports
ship = {"height": 100.0, "speed": 0.0}

def update(input):
    speed = physics.fall(ship["speed"], input["thrust"])
    ship.update({"height": max(ship["height"] + speed, 0.0), "speed": speed})
    return ship
"#;

/// A player's own script, with a fault that shows in the fifth frame.
const MODDED: &str = r#"
load("world.star", "start")
world = start()

def update(input):
    for _ in range(1 if input["frame"] < 5 else 1000000000):
        pass
    return {"height": 50.0 + input["thrust"], "speed": 0.0}
"#;

/// Applies half a unit of gravity in each frame.
const PHYSICS: &str = r#"
    (module
      (func (export "fall") (param $speed f64) (param $thrust f64) (result f64)
        (f64.add (local.get $speed) (f64.sub (local.get $thrust) (f64.const 0.5)))))
"#;

/// How a frame ended.
#[derive(Debug, PartialEq)]
enum Frame {
    Moved(Ship),
    /// The script took too long, so the world stays as it is.
    Dropped,
}

/// Runs one frame. Fuel and ticks are renewed, so a game may last forever.
fn frame(session: &mut Session, input: &Input) -> Result<Frame, Error> {
    session.refill()?;
    let limits = CallLimits::new().deadline(Duration::from_millis(10));
    match session.call_with("update", (input,), (), limits) {
        Ok(ship) => Ok(Frame::Moved(ship)),
        Err(error) if error.kind() == ErrorKind::Deadline => Ok(Frame::Dropped),
        Err(error) => Err(error),
    }
}

fn play(script: &str, frames: u32) -> Result<Vec<Frame>, Error> {
    // Guests pause, so that the deadline can stop them.
    let mut sandbox = Sandbox::new().limits(Limits::new().memory(16 << 20)).interruptible(true);
    sandbox.file("physics.wat", PHYSICS).file("world.star", "def start(): return []");
    let mut session = sandbox.load("game.star", script)?;
    let input = |frame| Input { thrust: if frame % 2 == 0 { 1.0 } else { 0.0 }, frame };
    (0..frames).map(|number| frame(&mut session, &input(number))).collect()
}

/// Runs the example, and checks what the ship does.
pub fn main() -> Result<(), Error> {
    let frames = play(WORLD, 60)?;
    let moved = frames.iter().filter(|frame| **frame != Frame::Dropped).count();
    println!("{moved} of {} frames moved the ship: {:?}", frames.len(), frames.last());
    // On a busy machine a frame may be dropped; no other outcome is possible.
    if moved == frames.len() {
        assert_eq!(frames.get(1), Some(&Frame::Moved(Ship { height: 100.5, speed: 0.0 })));
        assert_eq!(frames.last(), Some(&Frame::Moved(Ship { height: 115.0, speed: 0.0 })));
    }
    let frames = play(MODDED, 8)?;
    println!("the player's script: {frames:?}");
    assert!(frames.iter().skip(5).all(|frame| *frame == Frame::Dropped));
    Ok(())
}
