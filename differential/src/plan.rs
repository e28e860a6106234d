//! Which functions of a module are called, and with which arguments.

use crate::interface::{Import, Interface};
use crate::random::{Random, digest, mix};
use crate::value::{Type, Value};

/// A mutable global of this name, an `i32`, is set to [`FUEL`] before each call. Modules count the
/// rounds of their loops with it.
pub const FUEL_EXPORT: &str = "$fuel";
pub const FUEL: u32 = 300;
/// The engine's own fuel for each call, for what no global counts. Engines count differently, so calls that use it up
/// are not compared.
pub const STEPS: u64 = 200_000;

/// An imported global whose name begins with this is 0, if the host gives it.
pub const ZERO: &str = "zero";

/// The number of calls of a module.
const CALLS: usize = 150;
const MAX_ROUNDS: usize = 24;

/// A call of the harness.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its position among the exported functions.
    pub index: usize,
    pub args: Vec<Value>,
}

/// Returns the calls of a module. A function's arguments depend only on its name and the seed, so that a module that is
/// being reduced keeps those of the functions that remain.
pub fn calls(interface: &Interface, seed: u64) -> Vec<Call> {
    let funcs: Vec<_> = interface.funcs().collect();
    if funcs.is_empty() {
        return Vec::new();
    }
    let rounds = (CALLS / funcs.len()).clamp(2, MAX_ROUNDS);
    let mut calls = Vec::new();
    for round in 0..rounds {
        for (index, (name, signature)) in funcs.iter().enumerate() {
            // A function without parameters may still depend on the state, but less.
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

/// Returns the initial value of the host's global for an import.
pub fn initial(ty: Type, import: &Import) -> Value {
    if ty == Type::I32 && import.name.starts_with(ZERO) {
        return Value::I32(0);
    }
    Value::random(ty, 0, &mut Random::new(digest(import.name.as_bytes())))
}
