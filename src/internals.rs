//! Internals for this project's own harnesses. Not part of the API: they may change in any version.

use std::borrow::Cow;

use crate::engine::Engine;
use crate::error::Error;
use crate::limits::Limits;

/// Returns the configuration of the engine that scripts get under these limits.
pub fn config(limits: &Limits) -> wasmi::Config {
    crate::module::config(limits, false, crate::frames::Told::Nothing)
}

/// Makes an engine like that of an interruptible sandbox, whose guests run in slices of `slice` units of fuel. With small
/// slices they pause everywhere.
pub fn sliced_engine(limits: Limits, slice: u64) -> Engine {
    Engine::sliced(limits, slice)
}

/// Makes an engine like that of a sandbox with a backtrace, whose guests keep frames.
pub fn framed_engine(limits: Limits) -> Engine {
    Engine::framed(limits)
}

/// Makes an engine like that of a sandbox with a profile, whose guests report what their functions spend.
pub fn profiled_engine(limits: Limits) -> Engine {
    Engine::profiled(limits)
}

/// Returns the bytes that are compiled for a module if fuel is metered.
///
/// # Errors
///
/// If the module has a shape that must be rewritten and cannot be.
pub fn repaired<'a>(engine: &wasmi::Engine, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
    crate::module::metered(engine, &crate::module::Binary::parse(bytes))
}

/// Returns these bytes with a charge of fuel at each place that may have one, in all functions.
///
/// # Errors
///
/// If the module has a shape that must be rewritten and cannot be.
pub fn charged_everywhere(engine: &wasmi::Engine, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    crate::module::charged_everywhere(engine, bytes)
}
