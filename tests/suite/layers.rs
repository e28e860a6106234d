//! The modules of `src/` import one way: each only from tiers below its own.
//!
//! Paths are read from the syntax tree: `use` items, paths in expressions and types, and the tokens of macros.
//! Methods are not followed, so an `impl` block of a lower type in a higher module is possible.

use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};

/// The tiers from the ground up; modules in one tier do not import each other. A path belongs to
/// the longest entry that it begins with.
const TIERS: &[&[&str]] = &[
    &[
        "limits::table",
        "limits::amount",
        "wording",
        "fuel",
        "interrupt",
        "ticks",
        "glob",
        "diff",
        "progress",
        "linear_memory",
    ],
    &["frame"],
    &["error"],
    &["limits", "host_failure", "files"],
    &["frames", "profile"],
    &["slices"],
    &["budget", "value", "data"],
    &["observe"],
    &["api::scope"],
    &["api::host_module"],
    &["module::skim", "module::binary"],
    &["module::repair", "module::code_size"],
    &[
        "module::charges",
        "module::types",
        "module::counts",
        "module::sections",
        "module::layout",
        "module::diagnose",
        "module::wat",
        "wasi",
        "lang::names",
        "lang::nesting",
        "lang::compat::ticks",
    ],
    &["lang::compat::limits", "lang::compat::long_range", "module::frames"],
    &["module::profile"],
    &["lang::compat::room"],
    &[
        "module",
        "lang::compat::shift",
        "lang::compat::builtins",
        "lang::compat::collect",
        "lang::compat::endless_types",
        "lang::compat::json",
        "lang::compat::messages",
        "lang::compat::places",
        "lang::compat::libm",
    ],
    &["module::inspect", "lang::compat::shift_assign"],
    &["lang::compat"],
    &["lang::dialect"],
    &["lang::definitions"],
    &["lang"],
    &["coverage"],
    &["host"],
    &["engine"],
    &["api::convert", "api::identity", "api::handle", "api::wasi_module"],
    &["api::evaluation"],
    &["api::store", "api::data", "api::asserts"],
    &["api::store_ref", "api::failure"],
    &["api::fuel"],
    &["api::callers", "api::crossing"],
    &["api::typed_calls"],
    &["api::function"],
    &["api::callback", "api::memory", "api::global", "api::table", "api::module", "api::wasi", "api::host_function"],
    &["api::exports"],
    &["api::instance"],
    &["api::caller", "api::namespace"],
    &["api::absent", "api::arity", "api::missing"],
    &["api::resolve"],
    &["api::link"],
    &["api::instantiate", "api::outcome"],
    &["globals"],
    &["builtins"],
    // Above `globals` only because of its subject, which is what leaves a script: it needs no script type.
    &["report"],
    &["wire"],
    &[
        "session::call_limits",
        "session::functions",
        "session::globals",
        "session::guard",
        "session::memories",
        "session::printer",
    ],
    &["session::lent", "session::names", "session::supervisor"],
    &["session::mailbox"],
    &["session"],
    &["isolated"],
    &["docs"],
    &["check"],
    &["sandbox", "wasi_command"],
    &["internals"],
];

/// Modules that only list others.
const LISTS: &[&str] = &["", "api"];

#[test]
fn imports_run_one_way() {
    let mut modules = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut modules);
    let (violations, imports) = check(&modules);
    assert!(violations.is_empty(), "{}", violations.join("\n"));
    assert!(imports > 200, "only {imports} imports found: is this reading the right thing?");
    for entry in TIERS.iter().copied().flatten() {
        assert!(modules.iter().any(|(module, _)| module == entry), "TIERS has `{entry}`, which is not there");
    }
}

#[test]
fn violations_are_found() {
    let found = |module: &str, text: &str| check(&[(module.to_owned(), text.to_owned())]).0;
    for (module, text) in [
        ("error", "use crate::sandbox::Sandbox;"),
        ("budget", "use crate::{limits as l, error::{self, Error}, sandbox::{self}};"),
        ("error", "use crate::sandbox as s;"),
        ("error", "use super::sandbox::*;"),
        ("error", "mod tests { use super::super::sandbox; }"),
        ("budget", "fn f() -> crate::module::Compiled { todo!() }"),
        ("budget", "fn f() { g(|| { crate::wasi::Abi::from_module(\"\") }) }"),
        ("engine", "fn f() { println!(\"{}\", crate::globals::NAME) }"),
        ("engine", "macro_rules! m { () => { $crate::api::store::Store } }"),
        ("api::function", "use super::callback;"),
        ("api::memory::pack", "use super::super::link::plan;"),
        ("module", "mod inspect; fn f() { inspect::inspect(b\"\") }"),
        ("wasi::fd", "use crate::module::hash;"),
        ("nowhere", "fn f() {}"),
    ] {
        let violations = found(module, text);
        assert_eq!(violations.len(), 1, "{module}: {text}: {violations:?}");
    }
    for (module, text) in [
        ("sandbox", "use crate::{error::Error, limits::Limits, session::{Session, Stats}};"),
        (
            "error",
            "//! [`Sandbox`](crate::sandbox::Sandbox)\n/* use crate::sandbox; */ const S: &str = \"crate::sandbox\";",
        ),
        ("api::memory::pack", "use super::number_type::NumberType; use super::{Int, Memory};"),
        ("module::layout", "pub(super) struct Tables; pub(in crate::module) struct Other;"),
        ("error", "use std::fmt; use sandbox::Sandbox;"),
    ] {
        assert_eq!(found(module, text), Vec::<String>::new(), "{module}: {text}");
    }
}

/// Returns what is wrong with the imports of `modules`, which are paths with their texts, and the number of imports.
fn check(modules: &[(String, String)]) -> (Vec<String>, usize) {
    let mut violations = Vec::new();
    let mut count = 0;
    for (module, text) in modules.iter().filter(|(module, _)| !LISTS.contains(&module.as_str())) {
        let Some((tier, own)) = place(module) else {
            violations.push(format!("`{module}` has no place in TIERS"));
            continue;
        };
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{module}: {error}"));
        for import in imports(module, &file) {
            let Some((other_tier, other)) = place(&import) else { continue };
            count += 1;
            if other != own && other_tier >= tier {
                violations.push(format!("`{module}` imports `{import}`: `{other}` is not below `{own}`"));
            }
        }
    }
    (violations, count)
}

/// Returns the tier that a path belongs to, and its entry there.
fn place(path: &str) -> Option<(usize, &'static str)> {
    let is_within =
        |entry: &&str| path.strip_prefix(*entry).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    let tiers = TIERS.iter().enumerate();
    let entries = tiers.flat_map(|(tier, entries)| entries.iter().map(move |entry| (tier, *entry)));
    entries.filter(|(_, entry)| is_within(entry)).max_by_key(|(_, entry)| entry.len())
}

/// Returns all modules with their paths (`api::memory::pack`) and texts.
pub fn collect(folder: &Path, prefix: &str, modules: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let name = if prefix.is_empty() { stem.to_owned() } else { format!("{prefix}::{stem}") };
        if path.is_dir() {
            collect(&path, &name, modules);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = if matches!(stem, "mod" | "lib") { prefix.to_owned() } else { name };
            modules.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Returns the paths in this crate that a file names, from the crate's root, each once.
fn imports(module: &str, file: &syn::File) -> Vec<String> {
    let mut paths = Paths { module: segments(module), children: Vec::new(), found: Vec::new() };
    paths.children = file.items.iter().filter_map(child).collect();
    paths.visit_file(file);
    paths.found.sort();
    paths.found.dedup();
    paths.found
}

/// Returns the name of the module that an item declares in a file of its own.
fn child(item: &syn::Item) -> Option<String> {
    match item {
        syn::Item::Mod(item) if item.content.is_none() => Some(item.ident.to_string()),
        _ => None,
    }
}

fn segments(path: &str) -> Vec<String> {
    path.split("::").filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

struct Paths {
    /// The module being read, including modules within the file.
    module: Vec<String>,
    /// The modules nested in the file's own.
    children: Vec<String>,
    found: Vec<String>,
}

impl Paths {
    fn add(&mut self, path: &[String]) {
        let mut base = self.module.clone();
        let mut rest = path;
        match rest.split_first() {
            Some((first, tail)) if first == "crate" => (base, rest) = (Vec::new(), tail),
            Some((first, tail)) if first == "self" => rest = tail,
            Some((first, _)) if first == "super" => {
                while let Some((first, tail)) = rest.split_first()
                    && first == "super"
                {
                    base.pop();
                    rest = tail;
                }
            }
            Some((first, _)) if self.children.contains(first) => {}
            // A path of another crate, or one that a `use` imported.
            _ => return,
        }
        base.extend_from_slice(rest);
        self.found.push(base.join("::"));
    }

    fn add_tree(&mut self, prefix: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [prefix, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.add_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) if name.ident == "self" => self.add(prefix),
            syn::UseTree::Name(name) => self.add(&with(&name.ident)),
            syn::UseTree::Rename(rename) => self.add(&with(&rename.ident)),
            syn::UseTree::Glob(_) => self.add(prefix),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(prefix, tree)),
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_tree(&[], &item.tree);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.add(&names);
        visit::visit_path(self, path);
    }

    /// The compiler does not parse these tokens before the macro has run, so every path from a root counts.
    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let tokens = item.tokens.to_string();
        let words: Vec<&str> = tokens.split_whitespace().collect();
        for (start, _) in words.iter().enumerate().filter(|(_, word)| matches!(**word, "crate" | "super" | "self")) {
            let path: Vec<String> = words[start..].iter().step_by(2).map(|word| (*word).to_owned()).collect();
            let joints = words[start..].iter().skip(1).step_by(2).take_while(|word| **word == "::").count();
            if joints > 0 {
                self.add(&path[..=joints.min(path.len() - 1)]);
            }
        }
    }

    /// `pub(super)` imports nothing.
    fn visit_visibility(&mut self, _visibility: &'ast syn::Visibility) {}
}
