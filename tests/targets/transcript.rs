//! What a script does, as text: the same bytes on every target. Shared by `report.rs` and the test suite.
//!
//! A transcript is the line `== NAME`, what the script printed, then `value: …`, or `error KIND: ` and the whole error,
//! and last what the script spent: `fuel N ticks N memory N`. A first line `# limits: …` sets limits of the sandbox, as one of
//! a chunk does in `wasmlark test`. `transcripts.mjs` and `inside.star` read it outside Rust.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};
use wasmlark::{ErrorKind, Limits, Sandbox};

/// The names of the scripts in `folder`, sorted.
pub fn scripts(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().into_string().map_err(|_| io::Error::other("a file name is not UTF-8"))?;
        if name.ends_with(".star") {
            names.push(name);
        }
    }
    names.sort();
    if names.is_empty() {
        return Err(io::Error::other(format!("no scripts in {}", folder.display())));
    }
    Ok(names)
}

/// How scripts are run, and what is told of them.
#[derive(Clone, Copy, Default)]
pub struct Manner {
    pub is_isolated: bool,
    /// Whether the last line tells the cost of an isolated run.
    pub has_cost: bool,
}

/// The transcript of the script `name` in `folder`. Its sandbox has the files of the folder.
pub fn transcript(folder: &Path, name: &str, manner: Manner) -> io::Result<String> {
    let script = fs::read_to_string(folder.join(name))?;
    let files = folder.to_owned();
    let load = move |name: &str| match fs::read(files.join(name)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    };
    let sandbox = isolated(Sandbox::new().limits(limits(name, &script)?).loader(load), manner.is_isolated)?;
    let report = sandbox.report(name, &script);
    let end = match &report.result {
        Ok(value) => format!("value: {value}"),
        Err(error) => format!("error {}: {error}", kind(error.kind())),
    };
    let fuel = report.stats.fuel.map_or("none".to_owned(), |fuel| fuel.to_string());
    let (ticks, memory) = (report.stats.ticks, report.stats.memory_peak);
    let cost = match manner.has_cost {
        true => report.stats.cost.map_or(" cost none".to_owned(), |cost| format!(" cost {cost}")),
        false => String::new(),
    };
    Ok(format!("== {name}\n{}{end}\nfuel {fuel} ticks {ticks} memory {memory}{cost}\n", report.output))
}

/// Returns the limits that the first line sets.
fn limits(name: &str, script: &str) -> io::Result<Limits> {
    let mut limits = Limits::new();
    let settings = script.lines().next().and_then(|line| line.strip_prefix("# limits: ")).unwrap_or_default();
    for setting in settings.split_whitespace() {
        let (limit, value) = setting.split_once('=').unwrap_or((setting, ""));
        limits.set(limit, value).map_err(|error| io::Error::other(format!("{name}: {error}")))?;
    }
    Ok(limits)
}

#[cfg(feature = "isolated")]
fn isolated(sandbox: Sandbox, is_isolated: bool) -> io::Result<Sandbox> {
    Ok(sandbox.isolated(is_isolated))
}

#[cfg(not(feature = "isolated"))]
fn isolated(sandbox: Sandbox, is_isolated: bool) -> io::Result<Sandbox> {
    match is_isolated {
        true => Err(io::Error::other("built without the feature `isolated`")),
        false => Ok(sandbox),
    }
}

/// The lines of a golden: the first sixteen digits of each transcript's SHA-256 and the script's name, and last the
/// digits for all transcripts together.
pub fn golden(transcripts: &[(String, String)]) -> String {
    let mut lines = String::new();
    let mut all = String::new();
    for (name, text) in transcripts {
        lines.push_str(&format!("{} {name}\n", hash(text)));
        all.push_str(text);
    }
    lines.push_str(&format!("{} all\n", hash(&all)));
    lines
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

fn kind(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::Trap(code) => format!("trap {code}"),
        ErrorKind::Limit(limit) => format!("limit {limit}"),
        other => format!("{other:?}").to_lowercase(),
    }
}
