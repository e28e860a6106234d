//! Prints transcripts of scripts, for comparison between targets.
//!
//! `report [--golden] FOLDER [SCRIPT …]`: the scripts named, or all in the folder, sorted. With `--golden`, their hashes.

use std::path::Path;

#[allow(dead_code, reason = "a transcript has only limits")]
#[path = "../common/directives.rs"]
mod directives;
mod transcript;

fn main() -> std::io::Result<()> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let golden = args.first().is_some_and(|arg| arg == "--golden");
    if golden {
        args.remove(0);
    }
    let Some((folder, names)) = args.split_first() else {
        return Err(std::io::Error::other("usage: report [--golden] FOLDER [SCRIPT …]"));
    };
    let folder = Path::new(folder);
    let names = if names.is_empty() { transcript::scripts(folder)? } else { names.to_vec() };
    let mut transcripts = Vec::new();
    for name in names {
        let text = transcript::transcript(folder, &name)?;
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
