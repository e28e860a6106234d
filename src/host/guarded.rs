//! Calls the application's closures: turns panics into errors, and tells whoever watches the calls of a guest.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wasmi::Val;

use super::caller::Caller;
use crate::api::host_module::{CallWatch, MemorySlot};
use crate::api::scope::StoreData;
use crate::error::{Error, ErrorKind};

/// Calls a closure of the application. A panic becomes an error whose message begins with `name`.
#[inline]
pub(super) fn guarded<R>(name: &str, closure: impl FnOnce() -> R) -> Result<R, Error> {
    // If the closure panics, only the closure itself can see what it leaves half done.
    catch_unwind(AssertUnwindSafe(closure))
        .map_err(|panic| Error::panicked(ErrorKind::Host, panic, |why| format!("{name} panicked{why}")))
}

/// Runs an import for a guest, and tells `watch` before and after. `vals` returns the results for the watch.
pub(super) fn watched<'a, R>(
    watch: &dyn CallWatch,
    mut caller: wasmi::Caller<'a, StoreData>,
    memory: &'a MemorySlot,
    params: &[Val],
    run: impl FnOnce(&mut Caller<'a>) -> R,
    vals: impl FnOnce(&R) -> Result<Vec<Val>, &wasmi::Error>,
) -> R {
    watch.called(&mut caller, params);
    let mut caller = Caller::new(caller, memory);
    let returned = run(&mut caller);
    if let Some(caller) = caller.inner_mut() {
        watch.ended(caller, vals(&returned).as_deref().map_err(|error| *error));
    }
    returned
}
