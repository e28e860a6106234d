//! The modules of `src/` import one way: each from those before it alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// From the ground up.
const ORDER: &[&str] = &[
    "error",
    "wording",
    "limits",
    "budget",
    "wasi",
    "module",
    "lang",
    "engine",
    "api::convert",
    "api::scope",
    "api::evaluation",
    "api::store",
    "api::store_ref",
    "api::fuel",
    "api::typed_calls",
    "api::function",
    "api::callback",
    "api::memory",
    "api::global",
    "api::table",
    "api::exports",
    "api::module",
    "api::wasi",
    "api::instance",
    "api::caller",
    "api::namespace",
    "api::link",
    "api::instantiate",
    "api::outcome",
    "globals",
    "report",
    "session",
    "sandbox",
    "wasi_command",
];

#[test]
fn imports_run_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, "", &mut files);
    let mut edges = 0;
    let mut wrong = Vec::new();
    for (module, text) in &files {
        // What lists modules may import from all.
        if ["lib", "api", ""].contains(&module.as_str()) {
            continue;
        }
        let Some(own) = layer(module) else {
            wrong.push(format!("`{module}` has no place in ORDER"));
            continue;
        };
        for used in imports(module, text) {
            let Some(other) = layer(&used) else { continue };
            edges += 1;
            if other > own {
                wrong.push(format!("`{}` imports from `{}`, which stands above it", ORDER[own], ORDER[other]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(edges > 50, "only {edges} imports found: is this reading the right thing?");
}

/// All modules with their paths (`api::memory::pack`) and texts.
fn collect(folder: &Path, prefix: &str, out: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let name = if prefix.is_empty() { stem.to_owned() } else { format!("{prefix}::{stem}") };
        if path.is_dir() {
            collect(&path, &name, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = if stem == "mod" { prefix.to_owned() } else { name };
            out.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The place in the order of a path that begins with one of its modules.
fn layer(path: &str) -> Option<usize> {
    ORDER
        .iter()
        .position(|module| path == *module || path.strip_prefix(module).is_some_and(|rest| rest.starts_with("::")))
}

/// The paths in this crate that the text of `module` names.
fn imports(module: &str, text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let parents: Vec<&str> = module.split("::").collect();
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    for (start, ups) in [("crate::", None), ("super::super::", Some(2)), ("super::", Some(1))] {
        for (at, _) in code.match_indices(start) {
            if code[..at].ends_with("super::") || code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let base = match ups {
                None => String::new(),
                Some(ups) => parents[..parents.len().saturating_sub(ups)].join("::"),
            };
            let rest = &code[at + start.len()..];
            let paths: Vec<String> = match rest.strip_prefix('{') {
                Some(group) => {
                    group.split('}').next().unwrap_or_default().split(',').map(|p| p.trim().to_owned()).collect()
                }
                None => vec![rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect()],
            };
            for path in paths {
                let path = path.trim_end_matches(':');
                found.insert(if base.is_empty() { path.to_owned() } else { format!("{base}::{path}") });
            }
        }
    }
    found
}
