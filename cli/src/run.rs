//! `wasmlark run`.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wasmlark::{Error, ErrorKind, Limits, Report, Sandbox};

use crate::args;

/// Runs a script; the exit status.
pub fn run(options: args::RunArguments) -> u8 {
    let Some((script, args)) = options.command.split_first() else {
        return fail("no script given");
    };
    let (name, text, folder) = match read_script(script) {
        Ok(read) => read,
        Err(message) => return fail(&message),
    };
    let folder = options.root.clone().unwrap_or(folder);
    let root = match folder.canonicalize() {
        Ok(root) => root,
        Err(error) => return fail(&format!("cannot use the root {}: {error}", folder.display())),
    };
    if !root.is_dir() {
        return fail(&format!("cannot use the root {}: it is no folder", root.display()));
    }
    let mut limits = Limits::new();
    if let Some(fuel) = options.fuel {
        limits = limits.fuel(fuel);
    }
    if let Some(bytes) = options.max_memory {
        limits = limits.memory(bytes);
    }
    if let Some(ticks) = options.max_ticks {
        limits = limits.ticks(ticks);
    }
    // The script itself may lie anywhere; names in it are relative to it as far as it lies in the root.
    let name = name_in_root(script, &root).unwrap_or(name);
    let output_lost = Arc::new(AtomicBool::new(false));
    let lost = output_lost.clone();
    let sandbox = Sandbox::new()
        .limits(limits)
        .args(args.iter().cloned())
        .on_print(move |line| {
            let mut out = std::io::stdout().lock();
            match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
                // A reader that went away ends the output, not the script.
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe && !lost.swap(true, Ordering::Relaxed) => {
                    eprintln!("error: cannot write what the script prints: {error}");
                }
                _ => {}
            }
        })
        .loader(move |name| read_in_root(&root, name));
    let Report { result, stats, .. } = sandbox.report(&name, &text);
    let status = match result {
        Ok(_) => u8::from(output_lost.load(Ordering::Relaxed)),
        Err(error) => report(&error),
    };
    if options.stats {
        let fuel = stats.fuel.map_or_else(|| "null".to_owned(), |fuel| fuel.to_string());
        eprintln!("{{\"fuel\":{fuel},\"ticks\":{},\"memory_peak\":{}}}", stats.ticks, stats.memory_peak);
    }
    status
}

fn report(error: &Error) -> u8 {
    eprintln!("{}", error.to_string().trim_end());
    if matches!(error.kind(), ErrorKind::Limit(_)) { 3 } else { 1 }
}

fn fail(message: &str) -> u8 {
    eprintln!("error: {message}");
    1
}

/// The script's name for messages, its text, and its folder.
fn read_script(script: &str) -> Result<(String, String, PathBuf), String> {
    if script == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|e| format!("cannot read the script from stdin: {e}"))?;
        return Ok(("<stdin>".to_owned(), text, PathBuf::from(".")));
    }
    let path = Path::new(script);
    let bytes = std::fs::read(path).map_err(|e| format!("cannot read {script}: {e}"))?;
    let text = String::from_utf8(bytes).map_err(|e| format!("{script} is no script: {e}"))?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    Ok((script.to_owned(), text, folder))
}

/// The script's path below the root, with `/`, if it lies there.
fn name_in_root(script: &str, root: &Path) -> Option<String> {
    let path = Path::new(script).canonicalize().ok()?;
    let below = path.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = below.components().map(|c| c.as_os_str().to_str()).collect();
    Some(parts?.join("/"))
}

/// The bytes of a file below the root. Links may not lead out.
fn read_in_root(root: &Path, name: &str) -> Result<Option<Vec<u8>>, String> {
    let path = root.join(name);
    let real = match path.canonicalize() {
        Ok(real) => real,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if !real.starts_with(root) {
        return Err(format!("a link leads out of the root {}; `--root` sets another", root.display()));
    }
    std::fs::read(&real).map(Some).map_err(|e| e.to_string())
}
