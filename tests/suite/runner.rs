//! The runner of `tests/script` must detect every way in which a chunk can be wrong.

use crate::chunk::{Chunk, rewrite};

fn parse(text: &str) -> Result<Vec<Chunk>, String> {
    Chunk::parse("t.star", text)
}

/// Returns what is wrong in the chunks of a file: lines and the first lines of texts.
fn failures(text: &str) -> Vec<(usize, String)> {
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let chunks = parse(text).unwrap();
    chunks.iter().flat_map(Chunk::run).map(|failure| (failure.line, first(&failure.text))).collect()
}

#[test]
fn chunks_have_names_and_reasons_for_skipping() {
    let chunks = parse("# One: a title.\neq(1, 1)\n---\n# Two.\n# skip: takes long\n").unwrap();
    let shown: Vec<_> = chunks.iter().map(|chunk| (chunk.name(), chunk.skip.as_deref())).collect();
    assert_eq!(shown, [("t.star:1: One: a title".to_owned(), None), ("t.star:4: Two".to_owned(), Some("takes long"))]);
}

#[test]
fn a_file_that_is_not_made_of_chunks_is_refused() {
    let error = |text| parse(text).err().unwrap_or_default();
    let no_title = "tests/script/t.star:1: a chunk begins with a comment that is its title";
    for text in ["", "x = 1\n", "# limits: fuel=5\n"] {
        assert_eq!(error(text), no_title);
    }
    assert_eq!(error("# One.\n---\nx = 1\n"), no_title.replace(":1:", ":3:"));
    assert_eq!(
        error("# One.\n# limit: fuel=5\n"),
        "tests/script/t.star:1: `# limit: fuel=5`: unknown directive; the directives are: limits, file, backtrace: on, native: REASON, skip: REASON"
    );
}

#[test]
fn what_is_right_passes() {
    let text = r#"# Success.
eq(1 + 1, 2)
---
# Files and errors.
# file: a.star
#| x = 5
# file: m.wasm
#| (module)
load("a.star", "x")
wasm.Module("m.wasm")
fail("a\nb")  ### fail: a\nb
fail("c")  ### fail: c
eq(x, 5)
---
# A limit.
# limits: ticks=2000
def f():
    for _ in range(1000000):
        pass  ### the sandbox's limit `ticks` is reached: 2000
f()
"#;
    assert_eq!(failures(text), []);
}

#[test]
fn what_is_wrong_fails() {
    for (text, line, want) in [
        ("# One.\neq(1, 2)\n", 1, "the chunk failed"),
        ("# One.\nx = (\n", 1, "the chunk failed"),
        ("# One.\nload('none.star', 'x')\n", 1, "the chunk failed"),
        ("# One.\nx = 1  ### fail: a\n", 2, "this line should have failed"),
        ("# One.\nfail('a')  ### fail: b\n", 2, "another message"),
        ("# One.\nfail('a')  ###\n", 2, "another message"),
        ("# One.\ndef f():\n    fail('a')\nf()  ### fail: a\n", 4, "another line failed"),
        // The rest of the chunk runs, too.
        ("# One.\nfail('a')  ### fail: a\neq(1, 2)\n", 1, "the chunk failed"),
    ] {
        assert_eq!(failures(text), [(line, want.to_owned())], "{text}");
    }
    let failure = &parse("# One.\nfail('a')  ### fail: b\n").unwrap()[0].run()[0];
    assert_eq!(failure.text, "another message\n  expected: fail: b\n  got:      fail: a");
    assert_eq!(failure.message.as_deref(), Some("fail: a"));
}

#[test]
fn new_messages_replace_the_old_ones() {
    let text = "# One.\nf()  ### old\ng()  ### kept\n";
    assert_eq!(rewrite(text, [(2, "new")]), "# One.\nf()  ### new\ng()  ### kept\n");
}
