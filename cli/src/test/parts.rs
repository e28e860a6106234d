//! The parts of a script that are scripts of their own, for those who look at it without running it.

use std::borrow::Cow;

use wasmlark::{Diagnostic, Limits, Sandbox};

use super::chunk::{Chunk, Mistake};
use super::find::has_chunks;

/// What is found in a script, and what keeps chunks from being looked at, with lines.
pub type Found = (Vec<Diagnostic>, Vec<(usize, String)>);

/// Checks a script, or each chunk of a file of chunks, without the lines that are to fail.
pub fn check(sandbox: &mut Sandbox, name: &str, text: &str) -> Found {
    if !has_chunks(name) {
        return (sandbox.check(name, text), Vec::new());
    }
    let (mut found, mut mistakes) = (Vec::new(), Vec::new());
    for (_, chunk) in Chunk::cut(text, &Limits::new()) {
        match chunk {
            Ok(chunk) => {
                add_files(sandbox, &chunk);
                // What counts is found with and without the marked lines: they hold errors, and end what follows them; but names
                // may be used nowhere else.
                let without = sandbox.check(name, &chunk.script(None));
                found.extend(sandbox.check(name, &chunk.text()).into_iter().filter(|it| without.contains(it)));
                for (file, _) in &chunk.directives.files {
                    sandbox.remove_file(file);
                }
            }
            Err(Mistake { line, text }) => mistakes.push((line, text)),
        }
    }
    (found, mistakes)
}

/// Returns what a line belongs to: the whole script, or a chunk, whose files the sandbox gets. Lines keep their numbers.
pub fn around<'a>(sandbox: &mut Sandbox, name: &str, text: &'a str, line: usize) -> Cow<'a, str> {
    if !has_chunks(name) {
        return Cow::Borrowed(text);
    }
    let chunks = Chunk::cut(text, &Limits::new()).into_iter().filter_map(|(_, chunk)| chunk.ok());
    match chunks.take_while(|chunk| chunk.line <= line).last() {
        Some(chunk) => {
            add_files(sandbox, &chunk);
            Cow::Owned(chunk.text())
        }
        None => Cow::Borrowed(""),
    }
}

fn add_files(sandbox: &mut Sandbox, chunk: &Chunk) {
    for (file, content) in &chunk.directives.files {
        sandbox.file(file.as_str(), content.as_slice());
    }
}
