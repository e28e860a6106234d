//! What this project's own harnesses need of the inside. Not part of the API: it may change in any version.

use std::borrow::Cow;

use crate::engine::Engine;
use crate::error::Error;
use crate::limits::Limits;

/// The configuration of the engine that scripts get under these limits.
pub fn config(limits: &Limits) -> wasmi::Config {
    crate::module::config(limits, false, crate::frames::Told::Nothing)
}

/// An engine whose guests run in slices of so many units of fuel: what an interruptible sandbox has, with slices small
/// enough to pause everywhere.
pub fn sliced_engine(limits: Limits, slice: u64) -> Engine {
    Engine::sliced(limits, slice)
}

/// An engine whose guests keep frames, as those of a sandbox with a backtrace do.
pub fn framed_engine(limits: Limits) -> Engine {
    Engine::framed(limits)
}

/// An engine whose guests tell what their functions spend, as those of a sandbox with a profile do.
pub fn profiled_engine(limits: Limits) -> Engine {
    Engine::profiled(limits)
}

/// The bytes that are compiled for a module where fuel is metered.
///
/// # Errors
///
/// If the module has a shape that must be rewritten and cannot be.
pub fn repaired<'a>(engine: &wasmi::Engine, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
    crate::module::metered(engine, &crate::module::Binary::parse(bytes))
}

/// The same with a charge of fuel at each place that may have one, in all functions.
///
/// # Errors
///
/// If the module has a shape that must be rewritten and cannot be.
pub fn charged_everywhere(engine: &wasmi::Engine, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    crate::module::charged_everywhere(engine, bytes)
}
