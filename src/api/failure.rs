//! The error of a call of WebAssembly, as the script gets it.

use super::store::Store;
use crate::error::{Error, GuestCall};
use crate::frames::{Framed, Frames};
use crate::host_failure::HostFailure;
use crate::slices::{self, Stopped};

impl Store<'_> {
    /// Converts the error of a call of WebAssembly to an error of the script. That of a Starlark function stays as it was.
    /// The message of a trap ends with `call`.
    #[cold]
    pub(crate) fn failure(&self, error: wasmi::Error, call: impl FnOnce() -> GuestCall) -> starlark::Error {
        let frames = self.with(|mut context| context.data_mut().frames_mut().map(Frames::take_failed)).ok().flatten();
        if let Some(failure) = error.downcast_ref::<HostFailure>() {
            let error = failure.take().into_starlark();
            // These are the frames of the guest that called the Starlark function.
            match (Error::find_in(&error), frames) {
                (Some(ours), frames) => ours.add_frames(frames),
                (None, Some(frames)) => self.evaluation.as_ref().notes.stray_frames.add(frames),
                (None, None) => {}
            }
            return error;
        }
        if let Some(why) = Stopped::of(&error) {
            return slices::stopped(why).into();
        }
        if error.as_trap_code() == Some(wasmi::TrapCode::OutOfFuel) {
            let error = self.out_of_fuel().ending(call());
            error.add_frames(frames);
            return error.into();
        }
        let refused = match gives_up(&error) {
            true => self.with(|mut context| context.data_mut().limiter.take_refused()).ok().flatten(),
            false => None,
        };
        let error = Error::from_wasmi(&error, call()).followed_by(refused.as_deref().unwrap_or_default());
        error.add_frames(frames);
        error.into()
    }
}

/// Returns whether a trap may end a guest that has no memory left: it may trap on purpose, or use memory that it did not get.
pub(crate) fn gives_up(error: &wasmi::Error) -> bool {
    use wasmi::TrapCode::{MemoryOutOfBounds, UnreachableCodeReached};
    matches!(error.as_trap_code(), Some(UnreachableCodeReached | MemoryOutOfBounds))
}
