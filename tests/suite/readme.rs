//! README's first script runs as copied, and prints what README says.

use std::path::Path;

use wasmlark::Sandbox;

/// Returns the first block of README that begins with this fence.
fn block<'a>(readme: &'a str, fence: &str) -> &'a str {
    let (_, rest) = readme.split_once(&format!("\n```{fence}\n")).unwrap();
    rest.split_once("```\n").unwrap().0
}

#[test]
fn the_first_script_prints_what_readme_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let sandbox = Sandbox::new().loader(move |name| Ok(std::fs::read(root.join(name)).ok()));
    let run = sandbox.run("script.star", block(&readme, "python")).unwrap();
    assert_eq!(run.output, block(&readme, "text"));
}
