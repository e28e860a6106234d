//! Sessions in files: `wasmlark run --save`, `wasmlark call --session`.

use std::path::{Path, PathBuf};

use wasmlark::{Sandbox, Session, Value};

use crate::root::Root;
use crate::run::granting_root;
use crate::terminal::paint_report;
use crate::{args, exit, interrupt, read, streams};

/// Writes a session to a file.
pub fn save(session: &Session, file: &Path) -> Result<(), String> {
    let bytes = session.save().map_err(|error| error.message().to_owned())?;
    // Written beside it and renamed, so that a session that was there before is not lost half-way.
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, bytes)
        .and_then(|()| std::fs::rename(&beside, file))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))
}

/// Calls a function of the session in a file, and returns the exit status.
pub fn call(file: &Path, options: &args::CallArguments) -> u8 {
    let Some((name, arguments)) = options.command.split_first() else {
        eprintln!("error: which function of the session? the arguments are NAME ARG…");
        return exit::USAGE;
    };
    let bytes = match read::bytes(file) {
        Ok(bytes) => bytes,
        Err(error) => return exit::fail(&format!("cannot read {}: {error}", file.display())),
    };
    let root = match Root::of(&PathBuf::from(".")) {
        Ok(root) => root,
        Err(message) => return exit::fail(&message),
    };
    let sandbox = granting_root(Sandbox::new().limits(options.limits.0.clone()), root)
        .isolated(true)
        .stdin_from(|| read::stdin().map_err(|error| error.to_string()))
        .on_write_error(|bytes| _ = std::io::Write::write_all(&mut std::io::stderr(), bytes));
    interrupt::watch(sandbox.interrupt(), options.timeout);
    let mut session = match sandbox.restore(&bytes) {
        Ok(session) => session,
        Err(error) => return exit::fail(&format!("{}: {}", file.display(), error.message())),
    };
    let arguments: Vec<Value> = arguments.iter().map(|text| argument(text)).collect();
    let result = session.call_values(name, &arguments);
    interrupt::is_over();
    let mut text = session.take_output_bytes();
    let status = match result {
        Ok(value) => {
            if !value.is_none() {
                text.extend_from_slice(format!("{value}\n").as_bytes());
            }
            let saved = options.save.as_ref().map(|file| save(&session, file));
            match saved {
                Some(Err(message)) => exit::fail(&message),
                _ => exit::DONE,
            }
        }
        Err(error) => {
            eprintln!("{}", paint_report(error.to_string().trim_end()));
            exit::status(&error)
        }
    };
    if options.records.stats {
        exit::print_stats(&session.stats(), true);
    }
    match streams::print(&text) {
        Ok(()) => status,
        Err(error) => exit::fail(&format!("cannot write the results: {error}")),
    }
}

/// An argument: JSON, or a text.
fn argument(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}
