//! The pages of `docs` as a site: what `mdbook build docs` needs, and the index of `examples/real`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::golden;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// The pages below a folder, relative to `docs`.
fn pages(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(docs().join(folder)).unwrap() {
        let name = folder.join(entry.unwrap().file_name());
        // Notes for other projects, and what mdBook makes.
        if ["upstream", "book"].iter().any(|other| name == Path::new(other)) {
            continue;
        }
        if docs().join(&name).is_dir() {
            pages(&name, found);
        } else if name.extension().is_some_and(|extension| extension == "md") && name != Path::new("SUMMARY.md") {
            found.insert(name);
        }
    }
}

/// The targets of a page's links to other pages, relative to `docs`.
fn links(page: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(docs().join(page)).unwrap();
    // Not those in code: a list behind a call looks like a link.
    let text: String = text.split("```").step_by(2).collect();
    let text: String = text.split('`').step_by(2).collect();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let targets = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    targets
        .map(|target| {
            let target = target.split('#').next().unwrap();
            let mut path = PathBuf::new();
            for part in page.parent().unwrap().join(target).components() {
                match part {
                    Component::ParentDir => assert!(path.pop(), "{}: {target} leaves docs", page.display()),
                    part => path.push(part),
                }
            }
            path
        })
        .collect()
}

#[test]
fn each_page_is_in_the_summary_once() {
    let mut all = BTreeSet::new();
    pages(Path::new(""), &mut all);
    let listed = links(Path::new("SUMMARY.md"));
    let set: BTreeSet<PathBuf> = listed.iter().cloned().collect();
    assert_eq!(set, all);
    assert_eq!(set.len(), listed.len(), "a page is listed twice");
}

#[test]
fn links_between_pages_lead_to_pages() {
    let mut all = BTreeSet::new();
    pages(Path::new(""), &mut all);
    let mut count = 0;
    for page in &all {
        for link in links(page) {
            count += 1;
            assert!(all.contains(&link), "{} links to {}, which is not a page", page.display(), link.display());
        }
    }
    assert!(count > 10, "only {count} links found: is this reading the right thing?");
}

#[test]
fn the_index_of_real_modules_is_what_the_scripts_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/real");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&read("manifest.json")).unwrap();
    let modules: BTreeMap<&str, &serde_json::Value> =
        manifest["modules"].as_array().unwrap().iter().map(|module| (module["id"].as_str().unwrap(), module)).collect();
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().unwrap().strip_suffix(".star").map(str::to_owned))
        .collect();
    names.sort();
    let mut table = "| script | what it is | modules |\n| --- | --- | --- |\n".to_owned();
    for name in &names {
        let text = read(&format!("{name}.star"));
        let paragraph = text.split("\"\"\"").nth(1).unwrap().split("\n\n").next().unwrap().replace('\n', " ");
        let sentence = paragraph.split_once(". ").map_or(paragraph.as_str(), |(first, _)| first);
        let loaded = text.split("load(\"lib/").skip(1).filter_map(|rest| rest.split_once('"'));
        let libraries: String = loaded.map(|(file, _)| read(&format!("lib/{file}"))).collect();
        let used = |text: &str| -> Vec<String> {
            let ids = text.split("modules/").skip(1).filter_map(|rest| rest.split_once(".wasm"));
            ids.filter_map(|(id, _)| modules.get(id)).map(|module| show(module)).collect()
        };
        let mut used_here = used(&text);
        if used_here.is_empty() {
            used_here = used(&libraries);
        }
        used_here.dedup();
        assert!(!used_here.is_empty(), "{name}.star uses no module of the manifest");
        table += &format!(
            "| `{name}` | {} | {} |\n",
            sentence.trim_end_matches('.').replace('|', "\\|"),
            used_here.join(", ")
        );
    }
    let page = fs::read_to_string(docs().join("guide/real.md")).unwrap();
    let head = page.split("| script |").next().unwrap();
    let command = "cargo test --test suite the_index_of_real_modules";
    golden::compare("docs/guide/real.md", &format!("{head}{table}"), command).unwrap_or_else(|error| panic!("{error}"));
}

/// A module of the manifest: its package, version and size.
fn show(module: &serde_json::Value) -> String {
    let text = |name: &str| module[name].as_str().unwrap_or_default();
    let size = module["size"].as_u64().unwrap();
    let size = if size < 10_000 { format!("{size} bytes") } else { format!("{} KB", size / 1000) };
    format!("{} {} ({size})", text("package"), text("version"))
}
