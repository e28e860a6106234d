//! The Starlark functions that are about to call a guest, for a profile.

use starlark::eval::Evaluator;

use super::store::Store;
use crate::profile::Profiled;

/// What the frame of a call of a guest is called.
const GUEST: &str = "wasm function ";

/// Notes them, in a store that has a profile.
pub(crate) fn note(store: &Store<'_>, eval: &Evaluator<'_, '_, '_>) {
    let profile = store.with(|mut context| context.data_mut().teller_mut().map(|teller| teller.shared().clone()));
    let Ok(Some(profile)) = profile else { return };
    let mut function = "<module>".to_owned();
    let mut callers = Vec::new();
    for frame in eval.call_stack().frames {
        match &frame.location {
            Some(location) => callers.push(format!("{}:{function}", location.file.filename())),
            // starlark's own, for a call from Rust.
            None if function == "None" || function == "<module>" || function.starts_with(GUEST) => {}
            None => callers.push(function),
        }
        function = frame.name.replace(';', ",");
    }
    if !function.starts_with(GUEST) && function != "<module>" {
        callers.push(function);
    }
    profile.note_callers(callers);
}
