//! Which functions of a module are called, and with what.

use crate::interface::{Import, Interface};
use crate::random::{Random, digest, mix};
use crate::value::{Type, Value};

/// A mutable global of this name, an `i32`, is set to [`FUEL`] before each call: modules count their loops with it.
pub const FUEL_EXPORT: &str = "$fuel";
pub const FUEL: u32 = 300;
/// The engine's own fuel for each call: for what no global counts. Engines count differently, so what spends it is
/// not compared.
pub const STEPS: u64 = 200_000;

/// An imported global whose name begins so is 0, if the host gives it.
pub const ZERO: &str = "zero";

/// How many calls a module is to get.
const CALLS: usize = 150;
const MAX_ROUNDS: usize = 24;

/// A call of the harness.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its place among the functions that are exported.
    pub index: usize,
    pub args: Vec<Value>,
}

/// The calls that a module gets. A function's arguments are its name's and the seed's alone: a module that is being
/// reduced keeps those of what is left.
pub fn calls(interface: &Interface, seed: u64) -> Vec<Call> {
    let funcs: Vec<_> = interface.funcs().collect();
    if funcs.is_empty() {
        return Vec::new();
    }
    let rounds = (CALLS / funcs.len()).clamp(2, MAX_ROUNDS);
    let mut calls = Vec::new();
    for round in 0..rounds {
        for (index, (name, signature)) in funcs.iter().enumerate() {
            // What has no parameters may still depend on the state; but less.
            if signature.params.is_empty() && round >= 4 {
                continue;
            }
            let mut random = Random::new(seed ^ digest(name.as_bytes()) ^ mix(round as u64));
            let args = signature.params.iter().map(|ty| Value::random(*ty, funcs.len() as u32, &mut random)).collect();
            calls.push(Call { index, args });
        }
    }
    calls
}

/// What the host's global for an import holds at first.
pub fn initial(ty: Type, import: &Import) -> Value {
    if ty == Type::I32 && import.name.starts_with(ZERO) {
        return Value::I32(0);
    }
    Value::random(ty, 0, &mut Random::new(digest(import.name.as_bytes())))
}
