//! The public surface of the library is the one that `docs/api.txt` lists, so that a change of it is seen in review.
//!
//! The sources are parsed, not compiled: names are followed through `use`, and types are listed as they are written. What a macro
//! makes is listed with the macro's variables, and the rows that it is called with are listed as far as their `=>`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::{Attribute, Fields, ImplItem, Item, Signature, TraitItem, UseTree, Visibility};

const GOLDEN: &str = "docs/api.txt";
const HEAD: &str = "\
# The public surface of the library crate `wasmlark`: an item a line. What a feature adds names that in brackets.
# Generated from src/ by `UPDATE=1 cargo test --test suite api`. Do not edit.
";

#[test]
fn the_public_surface_is_the_one_that_is_listed() {
    let actual = list(&Sources::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &actual).unwrap();
    }
    // A Windows checkout has CRLF.
    let expected = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (old, new) = (lines(&expected), lines(&actual));
    let gone = old.difference(&new).map(|line| format!("- {line}\n"));
    let added = new.difference(&old).map(|line| format!("+ {line}\n"));
    let changes: String = gone.chain(added).collect();
    assert!(
        expected == actual,
        "the public surface differs from {GOLDEN}:\n{changes}if that is right: UPDATE=1 cargo test --test suite api"
    );
}

#[test]
fn what_is_public_is_found() {
    let sources = [
        ("", "mod a; pub use a::{B as C, inner::Trait, go}; pub use other; #[doc(hidden)] pub use a::Hidden;"),
        (
            "a",
            "pub mod inner; mod b; pub use self::b::B; use inner::{Private, Trait}; pub struct Hidden;
            /// Goes.
            #[cfg(feature = \"serde\")] pub async fn go<T>(
                a: &[T], // Unlike `b`.
                b: u8,
            ) -> Result<(), T> where T: Copy { }
            impl b::B { pub fn c(&self) {} fn d() {} #[doc(hidden)] pub fn e() {} pub const F: u8 = 1; }
            impl<'a> Trait for b::B {} impl Private for b::B {} impl From<u8> for B {} impl From<Hidden> for B {} impl From<B> for Hidden {} impl Trait for u8 {}
            #[cfg(test)] impl Drop for b::B {}",
        ),
        ("a::b", "#[derive(Debug, Clone)] #[non_exhaustive] pub enum B { One, Two(u8), #[doc(hidden)] Three { x: u8 } }"),
        (
            "a::inner",
            "use super::B; pub trait Trait: Send { const K: u8; type T; fn f(&self) -> u8 { 1 } #[doc(hidden)] fn g(); }
            pub trait Private {}
            macro_rules! from { ($($t:ty => $e:expr;)*) => {
                $(impl From<$t> for B { fn from(_: $t) -> Self { $e } })*
                impl B { $(pub fn $t(self, _: $t) -> Self { $e })* fn h() {} }
                $(impl<T: X<u8>> TryFrom<B> for $t {})*
            }; }
            from! { #[doc = \"One.\"] u8 => 1; u16 => { 2; 3 }; }
            macro_rules! rows { ($run:ident) => { $run! { u32 => 4; } }; } rows!(from);
            macro_rules! quiet { () => { struct Q; }; } quiet!();",
        ),
    ];
    let sources = Sources::new(sources.map(|(module, text)| (module.to_owned(), text.to_owned())));
    let expected = "
enum C (not exhaustive)
C::One
C::Two(u8)
const C::F: u8
fn C::$t(self, _: $t) -> Self
fn C::c(&self)
impl Clone for C
impl Debug for C
impl From<$t> for B
impl From<u8> for B
impl<'a> Trait for b::B
impl<T: X<u8>> TryFrom<B> for $t

trait Trait: Send
const Trait::K: u8
fn Trait::f(&self) -> u8 (provided)
impl Trait for u8
type Trait::T

[serde] async fn go<T>(a: &[T], b: u8) -> Result<(), T> where T: Copy

macro a::inner::from!
row of from!: u16
row of from!: u32
row of from!: u8

use other
";
    assert_eq!(list(&sources).strip_prefix(HEAD), Some(expected));
}

/// The modules of a crate, by their paths, without what is for tests or hidden.
struct Sources {
    modules: BTreeMap<String, Vec<Item>>,
    /// The paths of the types that macros make.
    made: BTreeSet<String>,
}

impl Sources {
    fn read(folder: &Path) -> Self {
        let mut texts = Vec::new();
        crate::layers::collect(folder, "", &mut texts);
        Self::new(texts)
    }

    fn new(texts: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut sources = Self { modules: BTreeMap::new(), made: BTreeSet::new() };
        for (module, text) in texts {
            let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{module}: {error}"));
            sources.add(module, file.items);
        }
        let mut made = BTreeSet::new();
        for (module, _, tokens) in sources.macros() {
            made.extend(make(tokens).into_iter().filter_map(|made| match made {
                Made::Type { name, .. } => Some(join(module, &name)),
                _ => None,
            }));
        }
        Self { made, ..sources }
    }

    fn add(&mut self, module: String, items: Vec<Item>) {
        let mut items: Vec<Item> = items.into_iter().filter(|item| !is_hidden(attributes(item))).collect();
        for item in &mut items {
            if let Item::Mod(syn::ItemMod { ident, content: Some((_, inner)), .. }) = item {
                self.add(join(&module, &ident.to_string()), std::mem::take(inner));
            }
        }
        self.modules.insert(module, items);
    }

    fn items(&self) -> impl Iterator<Item = (&str, &Item)> {
        self.modules.iter().flat_map(|(module, items)| items.iter().map(move |item| (module.as_str(), item)))
    }

    /// Returns the path of the item that `path` means in a module; `None` if it is not an item of this crate.
    fn resolve(&self, module: &str, path: &[String]) -> Option<String> {
        let (first, rest) = path.split_first()?;
        let place = match first.as_str() {
            "crate" => String::new(),
            "self" => module.to_owned(),
            "super" => module.rsplit_once("::").map_or("", |(parent, _)| parent).to_owned(),
            name if self.modules.contains_key(&join(module, name)) => join(module, name),
            name => {
                let items = self.modules.get(module)?;
                if items.iter().any(|item| name_of(item).as_deref() == Some(name))
                    || self.made.contains(&join(module, name))
                {
                    return rest.is_empty().then(|| join(module, name));
                }
                let uses = items.iter().filter_map(|item| if let Item::Use(item) = item { Some(item) } else { None });
                let (_, target) = uses.flat_map(|item| leaves(&item.tree)).find(|(used, _)| used == name)?;
                // `use serde;` names a crate.
                return (target != path).then(|| self.resolve(module, &[&target, rest].concat())).flatten();
            }
        };
        if rest.is_empty() { Some(place) } else { self.resolve(&place, rest) }
    }

    /// Returns the definitions of macros: module, name, and tokens.
    fn macros(&self) -> impl Iterator<Item = (&str, String, TokenStream)> {
        self.items().filter_map(|(module, item)| match item {
            Item::Macro(item) => Some((module, item.ident.as_ref()?.to_string(), item.mac.tokens.clone())),
            _ => None,
        })
    }

    /// Returns the features that a module needs, as a prefix.
    fn feature_of(&self, module: &str) -> String {
        let Some((parent, name)) = module.rsplit_once("::").or((!module.is_empty()).then_some(("", module))) else {
            return String::new();
        };
        let own = self.modules.get(parent).into_iter().flatten().find_map(|item| match item {
            Item::Mod(item) if item.ident == name => Some(feature(&item.attrs)),
            _ => None,
        });
        own.filter(|feature| !feature.is_empty()).unwrap_or_else(|| self.feature_of(parent))
    }
}

/// What a crate exports, while it is listed.
struct Surface<'a> {
    sources: &'a Sources,
    /// The exported items' paths, with the names and features that they are exported under.
    exported: BTreeMap<String, (String, String)>,
    /// The lines of each exported name: the definition, then the rest.
    blocks: BTreeMap<String, (String, BTreeSet<String>)>,
}

fn list(sources: &Sources) -> String {
    let mut surface = Surface { sources, exported: BTreeMap::new(), blocks: BTreeMap::new() };
    for item in &sources.modules[""] {
        let Item::Use(item) = item else { continue };
        for (name, target) in leaves(&item.tree).into_iter().filter(|_| is_public(&item.vis)) {
            match sources.resolve("", &target) {
                Some(path) => drop(surface.exported.insert(path, (name, feature(&item.attrs)))),
                None => surface.define(&name, format!("use {}", target.join("::"))),
            }
        }
    }
    sources.items().for_each(|(module, item)| surface.add(module, item));
    let mut text = HEAD.to_owned();
    for (definition, members) in surface.blocks.values() {
        text.push_str(&format!("\n{definition}\n"));
        members.iter().for_each(|line| text.push_str(&format!("{line}\n")));
    }
    text
}

impl Surface<'_> {
    fn define(&mut self, name: &str, line: String) {
        self.blocks.entry(name.to_owned()).or_default().0 = line;
    }

    fn add_line(&mut self, name: &str, line: String) {
        self.blocks.entry(name.to_owned()).or_default().1.insert(line);
    }

    fn name(&self, module: &str, path: &[String]) -> Option<(String, String)> {
        self.sources.resolve(module, path).and_then(|path| self.exported.get(&path)).cloned()
    }

    /// Returns the first exported type among the arguments of a trait.
    fn argument(&self, module: &str, implemented: &str) -> Option<String> {
        let (_, arguments) = implemented.split_once('<')?;
        words(arguments).find_map(|word| self.name(module, &[word.to_owned()])).map(|(name, _)| name)
    }

    /// Tells whether a type names one of the crate that is not exported.
    fn has_private(&self, module: &str, ty: &str) -> bool {
        let is_private = |word: &str| {
            let path = self.sources.resolve(module, &[word.to_owned()]);
            path.is_some_and(|path| !self.sources.modules.contains_key(&path) && !self.exported.contains_key(&path))
        };
        words(ty).any(is_private)
    }

    fn add(&mut self, module: &str, item: &Item) {
        let feature = match feature(attributes(item)) {
            own if own.is_empty() => self.sources.feature_of(module),
            own => own,
        };
        match item {
            Item::Impl(item) => {
                let syn::Type::Path(ty) = &*item.self_ty else {
                    return self.add_trait_impl(module, item, None, &feature);
                };
                let name = self.name(module, &segments(&ty.path)).map(|(name, _)| name);
                if item.trait_.is_some() {
                    return self.add_trait_impl(module, item, name, &feature);
                }
                let Some(name) = name else { return };
                for member in &item.items {
                    match member {
                        ImplItem::Fn(member) if is_listed(&member.vis, &member.attrs) => {
                            let own = self::feature(&member.attrs);
                            self.add_line(&name, format!("{feature}{own}{}", signature(&name, &member.sig)));
                        }
                        ImplItem::Const(member) if is_listed(&member.vis, &member.attrs) => {
                            self.add_line(
                                &name,
                                format!("{feature}const {name}::{}: {}", member.ident, text(&member.ty)),
                            );
                        }
                        _ => {}
                    }
                }
            }
            Item::Macro(item) => {
                if let Some(name) = &item.ident {
                    self.add_macro(module, &name.to_string(), &item.mac.tokens, &feature);
                }
            }
            item => {
                let Some(own) = name_of(item) else { return };
                let Some((name, exported)) = self.exported.get(&join(module, &own)).cloned() else { return };
                let feature = if exported.is_empty() { feature } else { exported };
                self.add_definition(&name, item, &feature);
            }
        }
    }

    /// Adds `impl Trait for Type`, to the block of the type, or to that of an exported trait.
    fn add_trait_impl(&mut self, module: &str, item: &syn::ItemImpl, ty: Option<String>, feature: &str) {
        let Some((_, path, _)) = &item.trait_ else { return };
        let names = segments(path);
        let block = match (ty, self.sources.resolve(module, &names), self.name(module, &names)) {
            // What is not exported is the crate's own affair.
            (_, Some(_), None) => return,
            _ if self.has_private(module, &text(&item.self_ty)) || self.has_private(module, &text(path)) => return,
            (Some(ty), ..) => ty,
            (None, _, Some((name, _))) => name,
            // `TryFrom<Value> for u8`
            (None, None, None) => match self.argument(module, &text(path)) {
                Some(name) => name,
                None => return,
            },
        };
        let (start, end) = (item.impl_token.span, item.generics.where_clause.as_ref().map(Spanned::span));
        let head = text_between(start, end.unwrap_or_else(|| item.self_ty.span()));
        self.add_line(&block, format!("{feature}{head}"));
    }

    fn add_definition(&mut self, name: &str, item: &Item, feature: &str) {
        let open = if attributes(item).iter().any(|attribute| attribute.path().is_ident("non_exhaustive")) {
            " (not exhaustive)"
        } else {
            ""
        };
        for derived in derives(attributes(item)) {
            self.add_line(name, format!("{feature}impl {derived} for {name}"));
        }
        match item {
            Item::Struct(item) => {
                self.define(name, format!("{feature}struct {name}{}{open}", text(&item.generics)));
                for (index, field) in
                    item.fields.iter().enumerate().filter(|(_, field)| is_listed(&field.vis, &field.attrs))
                {
                    let field_name = field.ident.as_ref().map_or_else(|| index.to_string(), ToString::to_string);
                    self.add_line(name, format!("{feature}{name}.{field_name}: {}", text(&field.ty)));
                }
            }
            Item::Enum(item) => {
                self.define(name, format!("{feature}enum {name}{}{open}", text(&item.generics)));
                for variant in item.variants.iter().filter(|variant| !is_hidden(&variant.attrs)) {
                    let fields = match &variant.fields {
                        Fields::Unit => String::new(),
                        Fields::Unnamed(fields) => text(fields),
                        Fields::Named(fields) => {
                            let field = |field: &syn::Field| {
                                let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                                format!("{name}: {}", text(&field.ty))
                            };
                            format!(" {{ {} }}", fields.named.iter().map(field).collect::<Vec<_>>().join(", "))
                        }
                    };
                    self.add_line(name, format!("{feature}{name}::{}{fields}", variant.ident));
                }
            }
            Item::Trait(item) => {
                let supertraits =
                    if item.supertraits.is_empty() { String::new() } else { format!(": {}", text(&item.supertraits)) };
                self.define(name, format!("{feature}trait {name}{}{supertraits}", text(&item.generics)));
                for member in &item.items {
                    match member {
                        TraitItem::Fn(member) if !is_hidden(&member.attrs) => {
                            let provided = if member.default.is_some() { " (provided)" } else { "" };
                            self.add_line(name, format!("{feature}{}{provided}", signature(name, &member.sig)));
                        }
                        TraitItem::Const(member) if !is_hidden(&member.attrs) => {
                            self.add_line(
                                name,
                                format!("{feature}const {name}::{}: {}", member.ident, text(&member.ty)),
                            );
                        }
                        TraitItem::Type(member) if !is_hidden(&member.attrs) => {
                            self.add_line(name, format!("{feature}type {name}::{}", member.ident));
                        }
                        _ => {}
                    }
                }
            }
            Item::Fn(item) => self.define(name, format!("{feature}{}", signature("", &item.sig))),
            item => panic!("{name}: this test does not list such an item yet: {}", text(item)),
        }
    }

    /// Adds what a macro makes, and the rows that it is called with.
    fn add_macro(&mut self, module: &str, name: &str, tokens: &TokenStream, feature: &str) {
        let mut is_listed = false;
        for made in make(tokens.clone()) {
            let own = |path: &str| self.name(module, &path.split("::").map(str::to_owned).collect::<Vec<_>>());
            match made {
                Made::Type { kind, name, derives } => {
                    let Some((name, _)) = own(&name) else { continue };
                    self.define(&name, format!("{feature}{kind} {name}"));
                    derives
                        .iter()
                        .for_each(|derived| self.add_line(&name, format!("{feature}impl {derived} for {name}")));
                }
                Made::Member { ty, kind, rest } => {
                    let Some((ty, _)) = own(&ty) else { continue };
                    self.add_line(&ty, format!("{feature}{kind} {ty}::{rest}"));
                }
                Made::Impl { head, implemented, ty } => {
                    let implemented_name = implemented.split('<').next().unwrap_or_default();
                    let found = own(&ty).or_else(|| own(implemented_name)).map(|(name, _)| name);
                    let Some(block) = found.or_else(|| self.argument(module, &implemented)) else { continue };
                    self.add_line(&block, format!("{feature}{head}"));
                }
            }
            is_listed = true;
        }
        if is_listed {
            let block = format!("macro {}!", join(module, name));
            self.define(&block, block.clone());
            let rows: Vec<String> = self.rows(module, name);
            rows.iter().for_each(|row| self.add_line(&block, format!("row of {name}!: {row}")));
        }
    }

    /// Returns the beginnings of the rows that a macro is called with, in its module or, if it has another one pass them on, there.
    fn rows(&self, module: &str, name: &str) -> Vec<String> {
        let mut rows = Vec::new();
        let is_within = |place: &str| place == module || place.starts_with(&format!("{module}::"));
        let is_here =
            |place: &str| is_within(place) || !self.sources.macros().any(|(at, other, _)| at == place && other == name);
        for (place, item) in self.sources.items() {
            let Item::Macro(item) = item else { continue };
            let Some(called) = item.mac.path.segments.last().map(|segment| segment.ident.to_string()) else { continue };
            if item.ident.is_none() && called == name && is_here(place) {
                rows.extend(split(item.mac.tokens.clone()));
            } else if item.ident.is_none() && item.mac.tokens.to_string() == name && is_here(place) {
                let passing = self.sources.macros().find(|(_, other, _)| *other == called);
                rows.extend(passing.into_iter().flat_map(|(_, _, tokens)| passed(tokens)));
            }
        }
        rows
    }
}

/// What a macro makes.
enum Made {
    Type { kind: String, name: String, derives: Vec<String> },
    Member { ty: String, kind: String, rest: String },
    Impl { head: String, implemented: String, ty: String },
}

/// Returns what a macro makes, by the tokens of its definition.
fn make(definition: TokenStream) -> Vec<Made> {
    let mut made = Vec::new();
    // Every second group is what a rule makes.
    let groups =
        definition.into_iter().filter_map(|token| if let TokenTree::Group(group) = token { Some(group) } else { None });
    groups.skip(1).step_by(2).for_each(|group| make_items(group.stream(), "", &mut made));
    made
}

fn make_items(tokens: TokenStream, of: &str, made: &mut Vec<Made>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut derived = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            // `$( … )*`
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                make_items(group.stream(), of, made)
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                let text = text_of(std::slice::from_ref(token));
                let names = text.strip_prefix("[derive(").and_then(|rest| rest.strip_suffix(")]"));
                derived.extend(names.into_iter().flat_map(|names| names.split(", ")).map(str::to_owned));
            }
            TokenTree::Ident(word) if *word == "pub" || (*word == "impl" && of.is_empty()) => {
                let is_end = |token: &TokenTree| match token {
                    TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                    TokenTree::Punct(mark) => mark.as_char() == ';',
                    _ => false,
                };
                let end = tokens[at..].iter().position(is_end).map_or(tokens.len(), |end| at + end);
                let head = text_of(&tokens[at..end]);
                let body = tokens.get(end);
                at = end;
                if *word == "pub" {
                    let Some((kind, rest)) = head.split_once(' ').filter(|(kind, _)| !kind.starts_with('(')) else {
                        continue;
                    };
                    let (kind, rest) = (kind.to_owned(), rest.split(" = ").next().unwrap_or_default().to_owned());
                    made.push(match of {
                        "" => Made::Type { kind, name: rest, derives: std::mem::take(&mut derived) },
                        ty => Made::Member { ty: ty.to_owned(), kind, rest },
                    });
                } else if let Some((implemented, ty)) =
                    head.split_once(" for ").filter(|(path, _)| !path.ends_with(':'))
                {
                    // Without the parameters of the `impl` itself.
                    let implemented = implemented.rsplit("> ").next().unwrap_or_default().to_owned();
                    let ty = ty.split(" where ").next().unwrap_or_default().to_owned();
                    let space = if head.starts_with('<') { "" } else { " " };
                    made.push(Made::Impl { head: format!("impl{space}{head}"), implemented, ty });
                } else if let Some(TokenTree::Group(body)) = body {
                    make_items(body.stream(), &head, made);
                }
            }
            _ => {}
        }
    }
}

/// Returns the beginnings of rows that end with `;`.
fn split(tokens: TokenStream) -> Vec<String> {
    let is_mark = |token: &TokenTree, wanted: char| matches!(token, TokenTree::Punct(mark) if mark.as_char() == wanted);
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let rows = tokens.split(|token| is_mark(token, ';')).filter(|row| !row.is_empty());
    let row = |row: &[TokenTree]| {
        // Attributes: `#[doc = …]`.
        let begin = row.chunks(2).take_while(|pair| is_mark(&pair[0], '#')).count() * 2;
        let arrow = |pair: &[TokenTree]| is_mark(&pair[0], '=') && is_mark(&pair[1], '>');
        let end = row.windows(2).position(arrow).unwrap_or(row.len());
        text_of(&row[begin..end])
    };
    rows.map(row).collect()
}

/// Returns the rows that a macro passes on: `$run! { … }`.
fn passed(definition: TokenStream) -> Vec<String> {
    let mut rows = Vec::new();
    let mut is_called = false;
    for token in definition {
        match token {
            TokenTree::Group(ref group) if is_called => return split(group.stream()),
            TokenTree::Group(ref group) => rows.extend(passed(group.stream())),
            _ => {}
        }
        is_called = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '!');
    }
    rows
}

fn signature(of: &str, signature: &Signature) -> String {
    let (text, name) = (text(signature), &signature.ident);
    let joint = if of.is_empty() { "" } else { "::" };
    text.replacen(&format!("fn {name}"), &format!("fn {of}{joint}{name}"), 1)
}

/// Returns what is written, on one line.
fn text(node: &impl Spanned) -> String {
    tidy(&node.span().source_text().unwrap_or_default())
}

fn text_of(tokens: &[TokenTree]) -> String {
    match tokens {
        [] => String::new(),
        [first, .., last] => text_between(first.span(), last.span()),
        [only] => text_between(only.span(), only.span()),
    }
}

fn text_between(first: Span, last: Span) -> String {
    tidy(&first.join(last).and_then(|span| span.source_text()).unwrap_or_default())
}

/// Returns code without comments, on one line.
fn tidy(code: &str) -> String {
    let mut text = String::new();
    for line in code.lines().map(|line| line.split(" // ").next().unwrap_or_default().trim()) {
        if line.starts_with([')', ']', '>', '}']) {
            text.truncate(text.trim_end_matches(',').len());
        } else if !text.is_empty() && !text.ends_with(['(', '[', '<']) {
            text.push(' ');
        }
        text.push_str(line);
    }
    text.trim_end_matches(',').replace(",)", ")")
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Returns the feature that an item needs, as a prefix.
fn feature(attributes: &[Attribute]) -> String {
    let cfg = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).map(text);
    let name = |cfg: String| Some(format!("[{}] ", cfg.strip_prefix("#[cfg(feature = \"")?.strip_suffix("\")]")?));
    cfg.filter_map(name).collect()
}

/// Tells whether an item is hidden from the documentation, or for tests.
fn is_hidden(attributes: &[Attribute]) -> bool {
    // Not those of comments, `#[doc = "…"]`, of which there are many.
    let lists = attributes.iter().filter(|attribute| matches!(attribute.meta, syn::Meta::List(_)));
    lists.map(text).any(|text| text == "#[doc(hidden)]" || text == "#[cfg(test)]")
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_listed(visibility: &Visibility, attributes: &[Attribute]) -> bool {
    is_public(visibility) && !is_hidden(attributes)
}

fn derives(attributes: &[Attribute]) -> Vec<String> {
    let derived = attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).map(text);
    let names = derived.flat_map(|text| {
        let names = text.trim_start_matches("#[derive(").trim_end_matches(")]");
        names.split(", ").map(str::to_owned).collect::<Vec<_>>()
    });
    names.collect()
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// Returns the names that a `use` brings in, and the paths that they mean.
fn leaves(tree: &UseTree) -> Vec<(String, Vec<String>)> {
    match tree {
        UseTree::Path(path) => {
            let parent = path.ident.to_string();
            let within = |(name, path): (String, Vec<String>)| match path.as_slice() {
                [only] if only == "self" => (parent.clone(), vec![parent.clone()]),
                _ => (name, [vec![parent.clone()], path].concat()),
            };
            leaves(&path.tree).into_iter().map(within).collect()
        }
        UseTree::Name(name) => vec![(name.ident.to_string(), vec![name.ident.to_string()])],
        UseTree::Rename(rename) => vec![(rename.rename.to_string(), vec![rename.ident.to_string()])],
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
        // Nothing that is exported comes by one.
        UseTree::Glob(_) => Vec::new(),
    }
}

fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}
