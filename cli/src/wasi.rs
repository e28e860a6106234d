//! `wasmlark wasi`.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use wasmlark::{Crossing, Limit, WasiCommand, WasiOutput};

use crate::args::Times;
use crate::folder::{Folder, check_overlap};
use crate::host_file::OpenFiles;
use crate::streams::{Stderr, Stdin, Stdout};
use crate::trace::Trace;
use crate::write_back::{Before, write_back};
use crate::{args, ceiling, exit, interrupt, profile, read, terminal};

/// Bytes of a module that takes noticeably long to compile.
const LARGE: usize = 2_000_000;

/// Runs a command module; the exit status.
pub fn run(options: args::WasiArguments) -> u8 {
    try_run(options).unwrap_or_else(|message| exit::fail(&message))
}

fn try_run(options: args::WasiArguments) -> Result<u8, String> {
    let Some((file, arguments)) = options.command.split_first() else { return Err("no module is given".to_owned()) };
    let (file, module) = read::module(file)?;
    let folders = options.dir.iter().map(|dir| Folder::parse(dir)).collect::<Result<Vec<_>, _>>()?;
    if let Err(message) = check_overlap(&folders, options.write_back) {
        exit::tell("error", &message);
        return Ok(2);
    }
    let mut before = Before::new();
    ceiling::lift();
    for folder in &folders {
        folder.list(&mut before)?;
    }
    let limits = options.limits.0.clone();
    // At its end, a run copies the files out of the machine.
    let ceiling = limits.clone().files(limits.get(Limit::Files).unwrap_or_default().saturating_mul(2));
    let program = Path::new(&file).file_name().map_or(file.clone(), |n| n.to_string_lossy().into());
    let mut command = WasiCommand::new()
        .arg(program)
        .seed(options.seed)
        .now(options.now)
        .interruptible(interrupt::should_pause(&limits, options.timeout))
        .backtrace(options.guests.backtrace)
        .profile(options.guests.profile.is_some())
        .limits(limits)
        .stdin(Stdin)
        .stdout(Stdout)
        .stderr(Stderr);
    for arg in arguments {
        command = command.arg(arg);
    }
    for (name, value) in &options.env {
        command = command.env(name, value);
    }
    for folder in &folders {
        command = command.file(&folder.guest, "");
    }
    let mut named = BTreeSet::new();
    for (name, path) in folders.iter().flat_map(|folder| &folder.preopens) {
        if named.insert(name) {
            command = command.preopen(name, path);
        }
    }
    let open = Arc::new(OpenFiles::default());
    for (path, file) in &before {
        command = match file.clone() {
            None => command.file(path, ""),
            Some(file) => {
                if options.times == Times::Host {
                    command = command.modified(path, file.modified());
                }
                let open = open.clone();
                command.file_from(path, file.size(), move |offset, buffer| {
                    open.read(&file, offset, buffer).map_err(|error| error.to_string())
                })
            }
        };
    }
    if options.times == Times::Content {
        command = command.content_times();
    }
    let trace = options.records.trace.as_deref().map(Trace::create).transpose()?;
    if let Some(trace) = trace.clone() {
        command = command.observer(move |crossing: &Crossing<'_>| trace.add(crossing));
    }
    interrupt::watch(command.interrupt(), options.timeout);
    ceiling::set(&ceiling, 1);
    if module.len() >= LARGE {
        terminal::show_progress(&format!("compiling {file}, {} MB …", module.len() / 1_000_000));
    }
    let mut output = command.run(&module);
    terminal::clear_progress();
    ceiling::lift();
    interrupt::is_over();
    let stats = output.stats;
    if options.records.stats {
        exit::print_stats(&stats, false);
    }
    if let Some(file) = &options.guests.profile {
        profile::write(file, output.profile.as_ref())?;
    }
    // A guest that failed may have written before; one that never ran has no files.
    let mut complete = true;
    if options.write_back && (output.result.is_ok() || !output.files.is_empty() || !output.untouched.is_empty()) {
        take_moved(&folders, &before, &mut output)?;
        for folder in &folders {
            for line in write_back(folder, &before, &output)? {
                exit::tell("error", &format!("not written back: {line}"));
                complete = false;
            }
        }
    }
    let status = match output.result {
        // As systems do: the low eight bits.
        Ok(code) if complete => code.to_le_bytes()[0],
        Ok(_) => exit::FAILED,
        Err(error) => {
            eprintln!("{}", terminal::paint_report(&format!("error: {file}: {error}")));
            exit::status(&error)
        }
    };
    Ok(exit::traced(trace.as_ref(), status))
}

/// Reads the files that the guest moved from one folder to another: each folder is written back by itself, and they are gone
/// from the one before they are written to the other.
fn take_moved(folders: &[Folder], before: &Before, output: &mut WasiOutput) -> Result<(), String> {
    let place = |path: &str| folders.iter().position(|folder| path.starts_with(&folder.guest));
    let moved: Vec<(String, String)> = output
        .untouched
        .iter()
        .filter(|(to, from)| place(to) != place(from))
        .map(|(to, from)| (to.clone(), from.clone()))
        .collect();
    for (to, from) in moved {
        let Some(Some(file)) = before.get(&from) else { continue };
        let content = file
            .read()
            .map_err(|why| format!("nothing is written back: cannot read {}: {why}", file.path().display()))?;
        output.untouched.remove(&to);
        output.files.insert(to, content.into());
    }
    Ok(())
}
