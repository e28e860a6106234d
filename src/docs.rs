//! Generates the reference of the script API from the documentation in the code.

use std::collections::BTreeMap;

use once_cell::sync::Lazy;
use starlark::docs::markdown::render_doc_item_no_link;
use starlark::docs::multipage::{DocModuleInfo, render_markdown_multipage};
use starlark::docs::{DocItem, DocModule};
use starlark::environment::GlobalsBuilder;

/// The name of the namespace and of its page.
const NAMESPACE: &str = "wasm";

/// The name of the page on the functions outside the namespace.
const GLOBALS: &str = "globals";

/// The name of the page on the functions for tests.
const ASSERTS: &str = "asserts";

/// Returns the pages of the script API's reference in Markdown, by name. The namespace `wasm` and each of its types have a
/// page under the name that scripts use. The page `globals` has the other functions of a [`Sandbox`](crate::Sandbox), and
/// `asserts` has those for [tests](crate::Sandbox::asserts).
///
/// ```
/// let pages = wasmlark::reference();
/// assert!(pages["wasm.Memory"].contains("read_string"));
/// assert!(pages["globals"].contains("read_file"));
/// ```
pub fn reference() -> BTreeMap<String, String> {
    PAGES.clone()
}

static PAGES: Lazy<BTreeMap<String, String>> = Lazy::new(make_pages);

fn make_pages() -> BTreeMap<String, String> {
    let Some(module) = namespace() else { return BTreeMap::new() };
    let [globals, asserts] = [global_functions(), assert_functions()];
    let page = |name: &str, module| DocModuleInfo { module, name: name.to_owned(), page_path: name.to_owned() };
    let pages = vec![page(NAMESPACE, &module), page(GLOBALS, &globals), page(ASSERTS, &asserts)];
    let pages = render_markdown_multipage(pages, None, false);
    pages.into_iter().map(|(path, text)| (path.replace('/', "."), tidy(&text))).collect()
}

/// Returns the reference's entry for a name, such as `wasm.instantiate`, `wasm.Memory`, `wasm.Memory.read` or `read_file`.
/// Returns `None` if the script API does not have the name.
pub fn reference_entry(name: &str) -> Option<String> {
    if let Some(page) = PAGES.get(name) {
        return Some(page.clone());
    }
    let functions = [global_functions(), assert_functions()];
    if let Some(item) = functions.iter().find_map(|module| module.members.get(name)) {
        return Some(tidy(&render_doc_item_no_link(name, item)));
    }
    let module = namespace()?;
    let mut parts = name.strip_prefix(NAMESPACE)?.strip_prefix('.')?.splitn(2, '.');
    let text = match (module.members.get(parts.next()?)?, parts.next()) {
        (item, None) => render_doc_item_no_link(name, item),
        (DocItem::Type(ty), Some(member)) => {
            render_doc_item_no_link(name, &DocItem::Member(ty.members.get(member)?.clone()))
        }
        _ => return None,
    };
    Some(tidy(&text))
}

/// Returns the entry for a name that a script uses. For a type, returns only the part of its page that is about the type itself.
pub(crate) fn entry_of_name(name: &str) -> Option<String> {
    // No script uses these two names.
    if [GLOBALS, ASSERTS].contains(&name) {
        return None;
    }
    let entry = reference_entry(name)?;
    match PAGES.contains_key(name) {
        true => entry.split("\n---\n").next().map(|page| page.trim_end().to_owned() + "\n"),
        false => Some(entry),
    }
}

/// Returns the type of a function's result or of an attribute according to its entry, if it is a type of the namespace.
pub(crate) fn type_of(name: &str) -> Option<String> {
    let entry = entry_of_name(name)?;
    let attribute = format!("{name}: ");
    let named = |line: &str| match line.strip_prefix(&attribute) {
        Some(ty) => Some(ty.trim().to_owned()),
        None => line.split_once(") -> ").map(|(_, ty)| ty.trim().to_owned()),
    };
    entry.lines().find_map(named).filter(|ty| PAGES.contains_key(ty))
}

/// Returns the names of the members of a type of the namespace, which are the headings of its page.
pub(crate) fn members(ty: &str) -> Vec<String> {
    let headings = PAGES.get(ty).into_iter().flat_map(|page| page.lines());
    let headings = headings.filter_map(|line| line.strip_prefix("## "));
    headings.filter_map(|heading| Some(heading.replace('\\', "").rsplit('.').next()?.to_owned())).collect()
}

fn global_functions() -> DocModule {
    GlobalsBuilder::new().with(crate::api::data::functions).build().documentation()
}

fn assert_functions() -> DocModule {
    GlobalsBuilder::new().with(crate::api::asserts::functions).build().documentation()
}

fn namespace() -> Option<DocModule> {
    let globals = GlobalsBuilder::new().with(crate::globals::globals).build();
    match globals.documentation().members.get(NAMESPACE)? {
        DocItem::Module(module) => Some(module.clone()),
        _ => None,
    }
}

/// Removes the spaces at the ends of lines, and ends the text with one line feed.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}
