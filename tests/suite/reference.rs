//! The reference of the script API in `docs/reference`, which is generated from the documentation in the code.

use std::path::Path;

use crate::golden;

const COMMAND: &str = "cargo test --test suite reference";

#[test]
fn reference_is_as_the_code_documents_it() {
    let pages = wasmlark::reference();
    assert!(pages.len() > 10, "{:?}", pages.keys());
    let different: Vec<String> = pages
        .iter()
        .filter_map(|(name, text)| golden::compare(&format!("docs/reference/{name}.md"), text, COMMAND).err())
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let page = name.strip_suffix(".md").and_then(|page| pages.get(page));
        assert!(page.is_some(), "docs/reference/{name} is not a page of the reference");
    }
}

#[test]
fn entries_are_found_by_their_names() {
    let entry = |name: &str| wasmlark::reference_entry(name).unwrap_or_default();
    assert!(entry("wasm.Memory.read").contains("def wasm.Memory.read(offset: int, length: int, /) -> bytes"));
    assert!(entry("wasm.instantiate").contains("Makes an instance of a module"));
    assert_eq!(entry("wasm.Memory"), wasmlark::reference()["wasm.Memory"]);
    assert!(entry("read_file").contains("def read_file(name: str, /) -> bytes"));
    for name in ["", "wasm.", "wasm.nothing", "wasm.Memory.nothing", "wasm.Memory.read.x", "other", "wasmMemory"] {
        assert_eq!(wasmlark::reference_entry(name), None, "{name}");
    }
}
