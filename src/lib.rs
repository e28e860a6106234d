//! Starlark scripts that load, link and call WebAssembly modules, run by the wasmi interpreter.
//!
//! No JIT anywhere: it runs where code generation is forbidden or impossible, in apps for iOS, on
//! locked-down hosts, compiled to wasm32 itself. And it is deterministic: the same script, modules and
//! input give the same output and the same cost on every target.
//!
//! ```
//! use wasmlark::{Sandbox, Value};
//!
//! let mut sandbox = Sandbox::new();
//! sandbox.file("add.wat", r#"
//!     (module (func (export "add") (param i32 i32) (result i32)
//!         (i32.add (local.get 0) (local.get 1))))
//! "#);
//! let run = sandbox.run("main.star", "wasm.instantiate('add.wat').exports.add(40, 2)")?;
//! assert_eq!(run.value, Value::from(42));
//! # Ok::<(), wasmlark::Error>(())
//! ```
//!
//! # Values and functions
//!
//! An application gives scripts values and functions of its own types, and calls theirs:
//!
#![cfg_attr(feature = "serde", doc = "```")]
#![cfg_attr(not(feature = "serde"), doc = "```ignore")]
//! use wasmlark::{Caller, Error, Limits, Sandbox};
//!
//! #[derive(serde::Serialize)]
//! struct Request { user: String, size: u64 }
//! #[derive(serde::Deserialize)]
//! struct Decision { allow: bool, left: i64 }
//!
//! let mut sandbox = Sandbox::new().limits(Limits::new().fuel(50_000_000).memory(64 << 20));
//! sandbox.value("quotas", &[("ann", 10)].as_slice())?;           // anything that serde serialises; frozen
//! sandbox.function("used", |user: &str| -> Result<Option<u64>, Error> { Ok((user == "ann").then_some(7)) });
//! sandbox.import("env", "now", |_: &mut Caller<'_>, zone: i32| -> Result<i64, Error> { Ok(i64::from(zone)) });
//!
//! let mut session = sandbox.load("policy.star", "
//! def decide(request, spare):
//!     left = dict(quotas)[request['user']] - used(request['user']) - request['size'] + spare
//!     return {'allow': left >= 0, 'left': left}
//! ")?;
//! let request = Request { user: "ann".into(), size: 5 };
//! let decision: Decision = session.call("decide", (&request, 1))?;
//! assert_eq!((decision.allow, decision.left), (false, -1));
//! # Ok::<(), Error>(())
//! ```
//!
//! A guest that imports `env.now` calls the closure with no script between, and [`Caller::memory`] is its memory. What a
//! function returns as its error comes back as [`Error::source`](std::error::Error::source). The examples `policy`, `plugins`,
//! `game`, `service` and `tokio` are complete programs, and `docs/coming-from.md` says what minijinja, mlua, rhai, extism and wasmtime call all this.
//!
//! # Two ways in
//!
//! An application with an evaluator of its own adds one line to its globals:
//!
//! ```
//! use starlark::environment::{GlobalsBuilder, Module};
//! use starlark::eval::Evaluator;
//! use starlark::syntax::{AstModule, Dialect};
//! use wasmlark::{Engine, Limits};
//!
//! let globals = GlobalsBuilder::standard().with(wasmlark::globals).build();
//! let engine = Engine::new(Limits::new().memory(16 << 20));
//! let script = "memory = wasm.Memory(1)\nmemory.write_string(0, 'hello')\nmemory.read(1, 4) == b'ello'";
//! let ast = AstModule::parse("main.star", script.to_owned(), &Dialect::Standard)?;
//! Module::with_temp_heap(|module| {
//!     engine.attach(&module);
//!     let mut evaluator = Evaluator::new(&module);
//!     let same = evaluator.eval_module(ast, &globals)?;
//!     assert_eq!(same.unpack_bool(), Some(true));
//!     Ok(())
//! })
//! # .map_err(|e: starlark::Error| e)?;
//! # Ok::<(), starlark::Error>(())
//! ```
//!
//! * An application with an evaluator of its own adds [`globals`] to its builtins and keeps its loader,
//!   its limits, its `extra`. An [`Engine`] gives such an evaluator limits on WebAssembly, and modules by
//!   name. The example `embed` is one.
//! * An application without one uses [`Sandbox`]: files, [`Limits`], a script. The example `sandbox`
//!   is one.
//!
//! # What scripts see
//!
//! One global, `wasm`. `wasm.Module` compiles, `wasm.instantiate` links, `instance.exports.f(…)`
//! calls, `instance.memory.read(ptr, length)` reads; any Starlark function can be imported. The
//! README shows it; `examples/real` has it at work.
//!
//! # Defaults
//!
//! Everything is off that would let a script see or reach the host: no clock, no randomness, no files
//! but those given, limits on all that it can use up. [`Limits`] says what they are.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! | --- | --- | --- |
//! | `dwarf` | no | source files and lines in backtraces, from the DWARF in a module; names of Rust's functions |
//! | `isolated` | no | `Sandbox::isolated`: scripts that cannot harm their host; `Session::save`, `fork`, `Sandbox::restore` |
//! | `serde` | yes | `Session::call` and `Value::to`, `Value::from_serialize`: any type that serde knows; a `Value` as JSON |
//! | `wat` | yes | `wasm.wat(text)`, and modules by name from `.wat` files |
//!
//! # Scope
//!
//! Core WebAssembly as wasmi runs it: the 2.0 specification with simd, and of 3.0 multi-memory,
//! memory64, tail calls, extended constants, relaxed simd and wide arithmetic. Not components,
//! exceptions, garbage collection or threads: a module that needs one of them is refused by its name.

// starlark's derives expand to `unsafe` here, in `globals` and in `lang::compat`, and to panics of its feature
// `pagable`, which is off. The `unsafe` that is written by hand is in `api::scope`,
// `api::store_ref` and `session::whole`.
#[allow(unsafe_code, clippy::panic)]
mod api;
mod budget;
mod builtins;
mod check;
mod coverage;
mod data;
mod diff;
mod docs;
mod engine;
mod error;
mod files;
mod frame;
mod frames;
mod fuel;
mod glob;
#[allow(unsafe_code)]
mod globals;
mod host;
mod host_failure;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
mod interrupt;
#[cfg(feature = "wire")]
mod isolated;
mod lang;
mod limits;
mod linear_memory;
mod module;
mod observe;
mod profile;
mod progress;
mod report;
mod sandbox;
mod session;
mod slices;
mod ticks;
mod value;
mod wasi;
mod wasi_command;
#[cfg(feature = "wire")]
mod wire;
mod wording;

/// Returns whether this build has the evaluator's module, without which no script can run
/// [isolated](Sandbox::isolated): a published package has it, a clone of the repository makes it.
#[cfg(feature = "isolated")]
pub fn has_core() -> bool {
    wasmlark_core::compressed_size().is_some()
}

/// What the module of isolated sandboxes runs; not for applications.
#[cfg(feature = "core")]
#[doc(hidden)]
pub mod core {
    pub use crate::isolated::inside::{Host, Inside};
}

pub use check::{Completion, Definition, Diagnostic, Severity};
pub use coverage::Coverage;
pub use docs::{reference, reference_entry};
pub use engine::Engine;
pub use error::{Error, ErrorKind, GuestPlace, Limit, Location, TrapCode};
pub use frame::Frame;
pub use globals::globals;
#[cfg(feature = "serde")]
pub use host::argument::Serde;
pub use host::argument::{Argument, Rest};
pub use host::caller::{Caller, GuestMemory};
pub use host::dynamic_import::{Number, NumberType};
pub use host::function::{Function, HostFunction};
pub use host::import::{Import, ImportResult, WasmNumber};
pub use host::result::{FunctionResult, IntoValue};
pub use interrupt::Interrupt;
pub use limits::Limits;
pub use limits::table::LimitUnit;
pub use module::inspect::{Inspection, Item, Section, inspect};
pub use observe::{Crossing, CrossingEvent, Side};
pub use profile::Profile;
pub use sandbox::{Report, Run, Sandbox};
pub use session::{CallLimits, MemoryInfo, Param, ParamKind, Program, ScriptFunction, Session, Stats};
/// The version of starlark that [`globals`] and [`Engine::attach`] are for.
pub use starlark;
pub use value::{Int, Struct, Value};
pub use wasi_command::{WasiCommand, WasiOutput};

/// README's Rust blocks, compiled and run by `cargo test --doc`.
#[cfg(all(doctest, feature = "serde", feature = "wat"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// The Rust blocks of the guide for users of other libraries.
#[cfg(all(doctest, feature = "serde", feature = "wat"))]
#[doc = include_str!("../docs/coming-from.md")]
struct ComingFrom;
