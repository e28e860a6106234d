//! `wasmlark doc`.

use crate::{args, exit};

/// Prints the reference, or one entry of it, and returns the exit status.
pub fn run(options: args::DocArguments) -> u8 {
    let Some(name) = options.name else {
        let (wasm, others): (Vec<_>, Vec<_>) =
            wasmlark::reference().into_iter().partition(|(name, _)| name.starts_with("wasm"));
        let pages: Vec<String> = wasm.into_iter().chain(others).map(|(_, page)| page).collect();
        return exit::printed(pages.join("\n").as_bytes());
    };
    match wasmlark::reference_entry(&name) {
        Some(entry) => exit::printed(entry.as_bytes()),
        None => exit::fail(&format!("the script API has no `{name}`; `wasmlark doc wasm` lists what it has")),
    }
}
