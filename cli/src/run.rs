//! `wasmlark run`.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wasmlark::{Report, Sandbox};

use crate::{args, exit};

/// Runs a script and returns the exit status.
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
        return fail(&format!("cannot use the root {}: not a directory", root.display()));
    }
    // The script may be outside the root. Names in it are relative to it only if it is inside.
    let name = name_in_root(script, &root).unwrap_or(name);
    let output_lost = Arc::new(AtomicBool::new(false));
    let lost = output_lost.clone();
    let sandbox = Sandbox::new()
        .limits(options.limits.0)
        .args(args.iter().cloned())
        .on_print(move |line| {
            let mut out = std::io::stdout().lock();
            match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
                // When the reader of a pipe exits, the output ends, and the script goes on.
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe && !lost.swap(true, Ordering::Relaxed) => {
                    eprintln!("error: cannot write what the script prints: {error}");
                }
                _ => {}
            }
        })
        .loader(move |name| read_in_root(&root, name));
    let Report { result, stats, .. } = sandbox.report(&name, &text);
    let status = match result {
        Ok(_) if output_lost.load(Ordering::Relaxed) => exit::FAILED,
        Ok(_) => exit::DONE,
        Err(error) => {
            eprintln!("{}", error.to_string().trim_end());
            exit::status(&error)
        }
    };
    if options.stats {
        exit::print_stats(&stats, true);
    }
    status
}

fn fail(message: &str) -> u8 {
    eprintln!("error: {message}");
    exit::FAILED
}

/// Returns the script's name for messages, its text, and its directory.
fn read_script(script: &str) -> Result<(String, String, PathBuf), String> {
    if script == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|e| format!("cannot read the script from stdin: {e}"))?;
        return Ok(("<stdin>".to_owned(), text, PathBuf::from(".")));
    }
    let path = Path::new(script);
    let bytes = std::fs::read(path).map_err(|e| format!("cannot read {script}: {e}"))?;
    let text = String::from_utf8(bytes).map_err(|e| format!("{script} is not a script: {e}"))?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    Ok((script.to_owned(), text, folder))
}

/// Returns the script's path relative to the root, with `/`, if it is inside.
fn name_in_root(script: &str, root: &Path) -> Option<String> {
    let path = Path::new(script).canonicalize().ok()?;
    let below = path.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = below.components().map(|c| c.as_os_str().to_str()).collect();
    Some(parts?.join("/"))
}

/// Reads a file inside the root. A link that leads out of it is an error.
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
