//! `wasmlark wasi`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use wasmlark::{Limit, WasiCommand};

use crate::args::Times;
use crate::folder::{Folder, check_overlap};
use crate::streams::{Stdin, Stdout};
use crate::write_back::write_back;
use crate::{args, ceiling, exit, interrupt, profile, read};

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
    let (mut before, mut times) = (BTreeMap::new(), BTreeMap::new());
    ceiling::lift();
    for folder in &folders {
        folder.read(&mut before, (options.times == Times::Host).then_some(&mut times))?;
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
        .backtrace(options.backtrace)
        .profile(options.profile.is_some())
        .limits(limits)
        .stdin(Stdin)
        .stdout(Stdout)
        .stderr(std::io::stderr());
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
    for (path, content) in &before {
        command = command.file(path, content.as_slice());
    }
    command = match options.times {
        Times::Content => command.content_times(),
        Times::Host => times.into_iter().fold(command, |command, (path, time)| command.modified(path, time)),
    };
    interrupt::watch(command.interrupt(), options.timeout);
    ceiling::set(&ceiling, 1);
    let output = command.run(&module);
    ceiling::lift();
    interrupt::is_over();
    let stats = output.stats;
    if options.stats {
        exit::print_stats(&stats, false);
    }
    if let Some(file) = &options.profile {
        profile::write(file, output.profile.as_ref())?;
    }
    // A guest that failed may have written before; one that never ran has no files.
    let mut complete = true;
    if options.write_back && (output.result.is_ok() || !output.files.is_empty()) {
        for folder in &folders {
            for line in write_back(folder, &before, &output)? {
                exit::tell("error", &format!("not written back: {line}"));
                complete = false;
            }
        }
    }
    match output.result {
        // As systems do: the low eight bits.
        Ok(code) if complete => Ok(code.to_le_bytes()[0]),
        Ok(_) => Ok(1),
        Err(error) => {
            eprintln!("error: {file}: {error}");
            Ok(exit::status(&error))
        }
    }
}
