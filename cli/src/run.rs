//! `wasmlark run`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use wasmlark::{Crossing, Error, ErrorKind, Sandbox};

use crate::args::ErrorFormat;
use crate::exit::fail;
use crate::root::Root;
use crate::terminal::paint_report;
use crate::trace::Trace;
use crate::{args, exit, interrupt, out, profile, read, session, streams};

/// Runs a script and returns the exit status.
pub fn run(options: args::RunArguments) -> u8 {
    let Source { name, text, folder, args } = match Source::of(&options) {
        Ok(source) => source,
        Err(message) => return fail(&message),
    };
    let root = match Root::of(options.root.as_ref().unwrap_or(&folder)) {
        Ok(root) => root,
        Err(message) => return fail(&message),
    };
    let name = root.name_of(&name);
    let output_lost = Arc::new(AtomicBool::new(false));
    let lost = output_lost.clone();
    let written = move |result: io::Result<()>| match result {
        Err(error) if !lost.swap(true, Ordering::Relaxed) => {
            eprintln!("error: cannot write what the script prints: {error}");
        }
        _ => {}
    };
    let error_written = written.clone();
    let is_stdin = options.eval.is_none() && options.command.first().is_some_and(|script| script == "-");
    let trace = match options.records.trace.as_deref().map(Trace::create).transpose() {
        Ok(trace) => trace,
        Err(message) => return fail(&message),
    };
    let mut sandbox = granting_root(Sandbox::new().limits(options.limits.0.clone()).args(args), root)
        .interruptible(interrupt::should_pause(&options.limits.0, options.timeout))
        .backtrace(options.guests.backtrace)
        .profile(options.guests.profile.is_some())
        .isolated(options.isolated)
        .stdin_from(move || match is_stdin {
            true => Err("standard input is the script itself".to_owned()),
            false => read::stdin().map_err(|error| error.to_string()),
        })
        .writable(options.out.is_some())
        .on_write(move |bytes| written(streams::print(bytes)))
        .on_write_error(move |bytes| error_written(io::stderr().write_all(bytes)));
    if let Some(trace) = trace.clone() {
        sandbox = sandbox.observer(move |crossing: &Crossing<'_>| trace.add(crossing));
    }
    interrupt::watch(sandbox.interrupt(), options.timeout);
    let (mut session, result) = sandbox.open(&name, &text);
    let (stats, files, profile) = (session.stats(), session.take_files(), session.profile());
    interrupt::is_over();
    let saved = options.save.as_ref().filter(|_| result.is_ok()).map(|file| session::save(&session, file));
    let mut status = match (result, &options.out) {
        (Ok(_), _) if output_lost.load(Ordering::Relaxed) => exit::FAILED,
        (Ok(value), out) => match out.as_ref().map(|folder| out::write(folder, files)).transpose() {
            Err(message) => fail(&message),
            Ok(_) if options.eval.is_some() && !value.is_none() => exit::printed(format!("{value}\n").as_bytes()),
            Ok(_) => exit::DONE,
        },
        (Err(error), _) if error.kind() == ErrorKind::Exit => exit::status(&error),
        (Err(error), _) => {
            match options.error_format {
                ErrorFormat::Text => eprintln!("{}", paint_report(error.to_string().trim_end())),
                ErrorFormat::Json => eprintln!("{}", to_json(&error)),
            }
            exit::status(&error)
        }
    };
    if let Some(Err(message)) = saved {
        status = fail(&message);
    }
    if let Some(Err(message)) = options.guests.profile.map(|file| profile::write(&file, profile.as_ref())) {
        status = fail(&message);
    }
    if options.records.stats {
        exit::print_stats(&stats, true);
    }
    exit::traced(trace.as_ref(), status)
}

/// Returns the error that ended a script as a line of JSON, whose fields are named as in `check`'s output.
fn to_json(error: &Error) -> serde_json::Value {
    let code = match error.kind() {
        ErrorKind::Trap(code) => Some(code.as_str()),
        ErrorKind::Limit(limit) => Some(limit.as_str()),
        _ => None,
    };
    let location = error.location();
    json!({
        "file": location.map(|place| &place.file),
        "line": location.map(|place| place.line),
        "column": location.map(|place| place.column),
        "severity": "error",
        "rule": exit::kind(error.kind()),
        "code": code,
        "message": error.message(),
        "report": error.text().trim_end(),
    })
}

/// Gives scripts the files below the root.
pub fn granting_root(sandbox: Sandbox, root: Root) -> Sandbox {
    let root = Arc::new(root);
    let lister = root.clone();
    sandbox.loader(move |name| root.read(name)).lister(move |name| lister.list(name))
}

/// The script to run.
pub struct Source {
    /// The script's name, for messages.
    pub name: String,
    pub text: String,
    /// The folder of the script.
    pub folder: PathBuf,
    /// Its `argv`.
    args: Vec<String>,
}

impl Source {
    fn of(options: &args::RunArguments) -> Result<Self, String> {
        if let Some(text) = &options.eval {
            let (name, folder, args) = ("<command line>".to_owned(), PathBuf::from("."), options.command.clone());
            return Ok(Self { name, text: text.clone(), folder, args });
        }
        let (script, args) = options.command.split_first().ok_or("no script given")?;
        Self::read(script, args.to_vec())
    }

    /// Reads a script from a file, or from stdin for `-`.
    pub fn read(script: &str, args: Vec<String>) -> Result<Self, String> {
        let folder = PathBuf::from(".");
        if script == "-" {
            let bytes = read::stdin().map_err(|e| format!("cannot read the script from stdin: {e}"))?;
            let text = text("the script on stdin", bytes)?;
            return Ok(Self { name: "<stdin>".to_owned(), text, folder, args });
        }
        let path = Path::new(script);
        let bytes = read::bytes(path).map_err(|e| format!("cannot read {script}: {e}"))?;
        let text = text(script, bytes)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Ok(Self { name: script.to_owned(), text, folder: parent.map_or(folder, Path::to_owned), args })
    }
}

/// Returns the text of a script. If it is a module, the error says how to run modules.
fn text(script: &str, bytes: Vec<u8>) -> Result<String, String> {
    if script.ends_with(".wat") || bytes.starts_with(b"\0asm") {
        return Err(format!(
            "{script} is a WebAssembly module, not a script: `wasmlark call` calls a function of it, `wasmlark wasi` runs \
             it as a command, and a script loads it with `wasm.instantiate(NAME)`"
        ));
    }
    String::from_utf8(bytes).map_err(|e| format!("{script} is not a script: {e}"))
}
