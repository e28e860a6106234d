//! `wasmlark doc`.

use crate::{args, exit};

/// Prints the reference, or one entry of it, and returns the exit status.
pub fn run(options: args::DocArguments) -> u8 {
    let Some(name) = options.name else {
        let pages: Vec<String> = wasmlark::reference().into_values().collect();
        return exit::printed(pages.join("\n").as_bytes());
    };
    match wasmlark::reference_entry(&name) {
        Some(entry) => exit::printed(entry.as_bytes()),
        None => exit::fail(&format!("the script API has no `{name}`; `wasmlark doc wasm` lists what it has")),
    }
}
