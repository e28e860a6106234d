//! The scripts of `docs/guide` run, and print what the pages say.
//!
//! A block ```` ```python NAME ```` is a file for the scripts after it; one without a name is a script, and the block
//! ```` ```text ```` after it is its output, with the report of its error at the end. A script that
//! mentions `--backtrace` runs with it.

use std::fs;
use std::path::Path;

use wasmlark::{Limits, Sandbox};

use crate::golden;

const COMMAND: &str = "cargo test --test suite guide";

#[test]
fn scripts_of_the_guide_print_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<_> = fs::read_dir(root.join("docs/guide")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    let mut different = Vec::new();
    let mut scripts = 0;
    for page in pages {
        let name = page.file_name().unwrap().to_str().unwrap();
        let (text, count) = with_output(&fs::read_to_string(&page).unwrap());
        scripts += count;
        different.extend(golden::compare(&format!("docs/guide/{name}"), &text, COMMAND).err());
    }
    assert!(scripts > 20, "only {scripts} scripts found: is this reading the right thing?");
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Returns a page with the current output of its scripts, and the number of scripts.
fn with_output(page: &str) -> (String, usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sandbox =
        Sandbox::new().limits(Limits::new().ticks(1_000_000)).loader(move |name| Ok(fs::read(root.join(name)).ok()));
    let mut out = String::new();
    let mut rest = page;
    let mut scripts = 0;
    while let Some((before, block)) = rest.split_once("\n```python") {
        let (name, block) = block.split_once('\n').unwrap();
        let (script, after) = block.split_once("```\n").unwrap();
        out.push_str(&format!("{before}\n```python{name}\n{script}```\n"));
        rest = after;
        if !name.is_empty() {
            sandbox.file(name.trim(), script);
            continue;
        }
        scripts += 1;
        sandbox = sandbox.backtrace(script.contains("--backtrace"));
        let report = sandbox.report("script.star", script);
        let error = report.result.err().map(|error| error.to_string()).unwrap_or_default();
        let printed = format!("{}{}", report.output, error);
        let (between, output) = rest.split_once("```text\n").expect("a script without its output");
        assert_eq!(between.trim(), "", "between a script and its output");
        let (_, after) = output.split_once("```\n").unwrap();
        out.push_str(&format!("\n```text\n{}\n```\n", printed.trim_end()));
        rest = after;
    }
    out.push_str(rest);
    (out, scripts)
}
