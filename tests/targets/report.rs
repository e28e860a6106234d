//! Prints transcripts of scripts, for comparison between targets.
//!
//! `report [--isolated] [--costs] [--golden] FOLDER [SCRIPT …]`: the scripts named, or all in the folder, sorted. With `--golden`,
//! their hashes. With `--isolated`, in isolated sandboxes, whose transcripts are the same; `--costs` adds what they cost.

use std::path::Path;

mod transcript;

fn main() -> std::io::Result<()> {
    let (options, args): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let has = |option: &str| options.iter().any(|given| given == option);
    let golden = has("--golden");
    let manner = transcript::Manner { is_isolated: has("--isolated"), has_cost: has("--costs") };
    let Some((folder, names)) = args.split_first() else {
        return Err(std::io::Error::other("usage: report [--isolated] [--costs] [--golden] FOLDER [SCRIPT …]"));
    };
    let folder = Path::new(folder);
    let names = if names.is_empty() { transcript::scripts(folder)? } else { names.to_vec() };
    let mut transcripts = Vec::new();
    for name in names {
        let text = transcript::transcript(folder, &name, manner)?;
        if !golden {
            print!("{text}");
        }
        transcripts.push((name, text));
    }
    if golden {
        print!("{}", transcript::golden(&transcripts));
    }
    Ok(())
}
